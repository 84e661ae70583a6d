//! Webhooks of a system, by its integrators (D2, D3, E3): addresses at which its software is told
//! what the unit is told of it. Each act is journaled under the address's number and host; neither
//! its path nor its secret ever is. What becomes of what is sent is written down here too.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice, retry_after_ms};
use dancu_domain::registration::ConnectionState;
use dancu_domain::webhooks::{
    ADDRESS_MAX, ADDRESSES_MAX, Address, Follows, Health, Kinds, OVERLAP_MS, Policy,
    TESTS_APART_MS, WrongAddress,
};
use dancu_store::engine::Tx;
use dancu_store::keys::{Keyring, random};
use dancu_store::policy::accounts::owner;
use dancu_store::webhooks::{
    self, Ended, Next, SECRET_BYTES, Sealed, Secret, State, Tried, Webhook,
};
use dancu_store::{Error, Store};

use crate::act::{Done, Entry, Refused, note};
use crate::credentials::{Desk, field};
use crate::notices::tell;

/// A secret that was made, to be shown this once.
#[derive(Debug)]
pub struct Issued {
    /// Of which address.
    pub id: i64,
    /// The secret.
    pub secret: Secret,
    /// Until when the one before signs too; `None` where there was none.
    pub before_until: Option<Moment>,
}

/// Registers an address.
///
/// # Errors
/// [`Refused::Field`] of `address` (it is none, leads to a network to which nothing is sent, or is
/// registered), of `kinds` where none is chosen; too many; a closed connection.
pub async fn add(
    desk: &Desk<'_>,
    policy: &Policy,
    address: &str,
    kinds: Kinds,
) -> Result<(Done, Issued), Refused> {
    let address = address.trim().to_owned();
    let host = Address::parse(&address, policy).map_err(wrong)?.authority;
    if kinds.bits() == 0 {
        return Err(field(
            "kinds",
            "Chọn ít nhất một loại sự kiện.".into(),
            "Choose at least one kind of event.".into(),
        ));
    }
    let (secret, now, system) = (new_secret()?, desk.now, desk.system.id);
    let given = secret.clone();
    let added = change(desk, "webhook.added", move |tx, keys| {
        let known = webhooks::of_system(tx, keys, system)?;
        if known.len() >= ADDRESSES_MAX {
            return Err(field(
                "address",
                format!("Mỗi hệ thống có tối đa {ADDRESSES_MAX} địa chỉ nhận: gỡ bớt trước."),
                format!("A system has at most {ADDRESSES_MAX} addresses: remove one first."),
            ));
        }
        if known.iter().any(|webhook| webhook.sealed.address == address) {
            return Err(field(
                "address",
                "Địa chỉ này đã đăng ký cho hệ thống.".into(),
                "This address is registered for the system already.".into(),
            ));
        }
        let sealed = Sealed { address, secret: given, before: None, since: now };
        let (state, health) = (State::InUse, Health::default());
        let webhook = Webhook { id: 0, system, kinds, state, health, sealed };
        let id = webhooks::insert(tx, keys, &webhook)?;
        Ok((format!("#{id} {host}"), id))
    });
    let (done, id) = added.await?;
    Ok((done, Issued { id, secret, before_until: None }))
}

/// Makes a new secret; the one before signs for a day beside it, so that both are good while the
/// agency's software is changed. One of before that ends with it.
///
/// # Errors
/// [`Refused::Gone`]; a closed connection.
pub async fn renew_secret(desk: &Desk<'_>, id: i64) -> Result<(Done, Issued), Refused> {
    let (secret, now) = (new_secret()?, desk.now);
    let (given, until) = (secret.clone(), now.plus_ms(OVERLAP_MS));
    let renewed = of_one(desk, "webhook.secret", id, move |_, webhook| {
        let before = std::mem::replace(&mut webhook.sealed.secret, given);
        webhook.sealed.before = Some((before, until));
        Ok(format!("khóa trước đến {} (before)", until.rfc3339()))
    });
    Ok((renewed.await?, Issued { id, secret, before_until: Some(until) }))
}

/// Sends nothing there until it is resumed: what happens meanwhile waits, for as long as anything
/// is tried.
///
/// # Errors
/// [`Refused::Gone`] where it is not in use; a closed connection.
pub async fn pause(desk: &Desk<'_>, id: i64) -> Result<Done, Refused> {
    let paused = of_one(desk, "webhook.paused", id, |_, webhook| {
        if webhook.state != State::InUse {
            return Err(Refused::Gone);
        }
        webhook.state = State::Paused;
        Ok(String::new())
    });
    paused.await
}

/// Sends there again, whatever was before.
///
/// # Errors
/// As [`pause`].
pub async fn resume(desk: &Desk<'_>, id: i64) -> Result<Done, Refused> {
    let resumed = of_one(desk, "webhook.resumed", id, |_, webhook| {
        if webhook.state == State::InUse {
            return Err(Refused::Gone);
        }
        (webhook.state, webhook.health) = (State::InUse, Health::default());
        Ok(String::new())
    });
    resumed.await
}

/// Takes an address away: what waits for it is not sent.
///
/// # Errors
/// [`Refused::Gone`].
pub async fn remove(desk: &Desk<'_>, id: i64) -> Result<Done, Refused> {
    let system = desk.system.id;
    let entry = Entry::new("webhook.removed", desk.actor, Some(system));
    let (keys, code) = (desk.store.keys().clone(), desk.system.code.clone());
    let removed = note((desk.store, desk.now), entry, move |tx| {
        let webhook = own(tx, &keys, system, id)?;
        webhooks::remove(tx, id)?;
        Ok((format!("{code} #{id} {}", host(&webhook)), ()))
    });
    Ok(removed.await?.0)
}

/// Sends a test event there.
///
/// # Errors
/// [`Refused::Gone`]; [`Refused::Field`] of `test` where one is under way; a closed connection.
pub async fn test(desk: &Desk<'_>, id: i64) -> Result<Done, Refused> {
    let now = desk.now;
    let tested = of_one(desk, "webhook.tested", id, move |tx, webhook| {
        in_use(webhook)?;
        if !webhooks::queue_test(tx, id, now, TESTS_APART_MS)? {
            return Err(field(
                "test",
                "Sự kiện thử trước còn đang gửi hoặc vừa gửi xong: chờ vài giây rồi thử lại."
                    .into(),
                "A test is under way or was sent just now: wait some seconds and try again.".into(),
            ));
        }
        webhook.health.rest_until = now;
        Ok(String::new())
    });
    tested.await
}

/// Sends something there once more, whatever became of it.
///
/// # Errors
/// [`Refused::Gone`]; a closed connection.
pub async fn send_again(desk: &Desk<'_>, id: i64, delivery: i64) -> Result<Done, Refused> {
    let now = desk.now;
    let sent = of_one(desk, "webhook.resent", id, move |tx, webhook| {
        in_use(webhook)?;
        if !webhooks::again(tx, id, delivery, now)? {
            return Err(Refused::Gone);
        }
        webhook.health.rest_until = now;
        Ok(format!("lần gửi {delivery} (delivery)"))
    });
    sent.await
}

/// Writes down what became of a try, and what follows: another try, or an address that is switched
/// off. Its integrators are told once after a day, and when it is off; that is journaled.
///
/// # Errors
/// Of the store: it is tried again, under the same id.
pub async fn settle(store: &Store, tried: Tried) -> Result<(), Refused> {
    let Some(webhook) = store.webhooks().by_id(tried.due.webhook).await? else { return Ok(()) };
    let (_, follows) = webhook.health.after(tried.outcome, tried.at);
    let (keys, now) = (store.keys().clone(), tried.at);
    if follows != Follows::Off {
        let settled = store.ledger().tidy(now, move |tx| {
            written(tx, &keys, &tried).map(drop).map_err(|refused| match refused {
                Refused::Store(error) => error,
                other => Error::Refused(other.to_string()),
            })
        });
        return Ok(settled.await?);
    }
    let system = Some(webhook.system);
    let entry = Entry { kind: "webhook.off", actor: "dancu".to_owned(), system };
    let off = note((store, now), entry, move |tx| {
        let webhook = written(tx, &keys, &tried)?;
        // Somebody was faster: nothing is journaled, and the next try says the same.
        let off = webhook.filter(|webhook| webhook.state == State::Off).ok_or(Refused::Gone)?;
        Ok((format!("#{} {}", off.id, host(&off)), ()))
    });
    match off.await {
        Ok(_) | Err(Refused::Gone) => Ok(()),
        Err(refused) => Err(refused),
    }
}

/// The address after the try; none where it is gone, or the delivery does not wait any more.
fn written(tx: &mut Tx<'_>, keys: &Keyring, tried: &Tried) -> Result<Option<Webhook>, Refused> {
    let (due, at) = (&tried.due, tried.at);
    let Some(mut webhook) = webhooks::by_id(tx, keys, due.webhook)? else { return Ok(None) };
    let (health, follows) = webhook.health.after(tried.outcome, at);
    let again = retry_after_ms(due.attempts + 1, due.made, at).filter(|_| follows != Follows::Off);
    let next = match again {
        _ if tried.outcome.is_taken() => Next::Ended(Ended::Delivered),
        Some(pause) => Next::Again(at.plus_ms(pause)),
        None => Next::Ended(Ended::GivenUp),
    };
    if !webhooks::settle(tx, tried, next)? {
        return Ok(None);
    }
    let was = webhook.health;
    webhook.health = health;
    if follows == Follows::Off {
        webhook.state = State::Off;
        webhooks::drop_waiting(tx, webhook.id, at)?;
    }
    if follows != Follows::Nothing
        && let Some(owner) = owner(tx, webhook.system)?
    {
        let notice = Notice::WebhookFailing { system: owner.code, off: follows == Follows::Off };
        tell(tx, keys, at, &[Audience::Integrators(owner.unit)], &notice)?;
    }
    if webhook.health != was {
        webhooks::save(tx, keys, &webhook)?;
    }
    Ok(Some(webhook))
}

async fn change<T: Send + 'static>(
    desk: &Desk<'_>,
    kind: &'static str,
    with: impl FnOnce(&mut Tx<'_>, &Keyring) -> Result<(String, T), Refused> + Send + 'static,
) -> Result<(Done, T), Refused> {
    if desk.system.state == ConnectionState::Closed {
        return Err(Error::Final("kết nối đã đóng (closed)").into());
    }
    let entry = Entry::new(kind, desk.actor, Some(desk.system.id));
    let (keys, code) = (desk.store.keys().clone(), desk.system.code.clone());
    note((desk.store, desk.now), entry, move |tx| {
        let (what, given) = with(tx, &keys)?;
        Ok((format!("{code} {what}"), given))
    })
    .await
}

/// Changes one address of the system; `with` says what the entry tells more.
async fn of_one(
    desk: &Desk<'_>,
    kind: &'static str,
    id: i64,
    with: impl FnOnce(&mut Tx<'_>, &mut Webhook) -> Result<String, Refused> + Send + 'static,
) -> Result<Done, Refused> {
    let system = desk.system.id;
    let changed = change(desk, kind, move |tx, keys| {
        let mut webhook = own(tx, keys, system, id)?;
        let more = with(tx, &mut webhook)?;
        webhooks::save(tx, keys, &webhook)?;
        let what = format!("#{id} {} {more}", host(&webhook));
        Ok((what.trim_end().to_owned(), ()))
    });
    Ok(changed.await?.0)
}

/// An address of this system and of no other.
fn own(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId, id: i64) -> Result<Webhook, Refused> {
    let found = webhooks::by_id(tx, keys, id)?;
    found.filter(|webhook| webhook.system == system).ok_or(Refused::Gone)
}

fn in_use(webhook: &Webhook) -> Result<(), Refused> {
    if webhook.state == State::InUse {
        return Ok(());
    }
    Err(field(
        "test",
        "Địa chỉ này đang tạm dừng hoặc đã tắt: bật lại rồi gửi.".into(),
        "This address is paused or switched off: resume it first.".into(),
    ))
}

/// Host and port of an address; its path may hold a secret of the receiver.
#[must_use]
pub fn host(webhook: &Webhook) -> String {
    let rest = webhook.sealed.address.split("://").nth(1).unwrap_or_default();
    rest.split(['/', '?']).next().unwrap_or_default().to_owned()
}

fn new_secret() -> Result<Secret, Error> {
    let mut bytes = [0; SECRET_BYTES];
    random(&mut bytes)?;
    Ok(Secret(bytes))
}

fn wrong(why: WrongAddress) -> Refused {
    let (vi, en) = match why {
        WrongAddress::Long => (
            format!("Địa chỉ dài tối đa {ADDRESS_MAX} ký tự."),
            format!("An address has at most {ADDRESS_MAX} characters."),
        ),
        WrongAddress::Scheme => (
            "Địa chỉ phải bắt đầu bằng https:// (chỉ môi trường thử nhận http:// của chính máy \
             này)."
                .into(),
            "An address begins with https:// (a sandbox also takes http:// of this machine)."
                .into(),
        ),
        WrongAddress::User => (
            "Không ghi tên hoặc mật khẩu trong địa chỉ: nơi nhận kiểm tra chữ ký của từng sự kiện."
                .into(),
            "No name or password in the address: the receiver verifies the signature of each event."
                .into(),
        ),
        WrongAddress::Fragment => (
            "Bỏ phần từ dấu # trở đi: phần đó không bao giờ được gửi.".into(),
            "Leave out what follows the #: it is never sent.".into(),
        ),
        WrongAddress::Host => (
            "Tên máy chủ trong địa chỉ không đúng, ví dụ https://webhook.coquan.example.vn/dancu."
                .into(),
            "The host is not valid, such as https://webhook.agency.example.vn/dancu.".into(),
        ),
        WrongAddress::Port => {
            ("Cổng là một số từ 1 đến 65535.".into(), "A port is a number from 1 to 65535.".into())
        }
        WrongAddress::Characters => (
            "Địa chỉ chỉ gồm ký tự không dấu, không có khoảng trắng; tên miền có dấu ghi ở dạng \
             xn--."
                .into(),
            "An address has plain characters and no blanks; write other names of hosts as xn--."
                .into(),
        ),
        WrongAddress::Network => (
            "Địa chỉ này thuộc mạng nội bộ hoặc mạng dành riêng, Trung tâm không gửi tới. Dùng địa \
             chỉ công khai, hoặc đề nghị Trung tâm mở mạng của đơn vị."
                .into(),
            "This address is of an internal or special network, to which nothing is sent. Use a \
             public one, or ask the centre to open your network."
                .into(),
        ),
    };
    field("address", vi, en)
}
