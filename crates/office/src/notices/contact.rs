//! Where a person is mailed and how: an address is used once the code that was mailed to it came
//! back. The journal tells that it was set, not what it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dancu_domain::moment::{DAY_MS, MINUTE_MS, Moment};
use dancu_domain::notices::{Audience, Notice, Preference, is_address};
use dancu_domain::people::PersonId;
use dancu_domain::people::reasons::PortalReason;
use dancu_store::Store;
use dancu_store::engine::Tx;
use dancu_store::keys::{Keyring, random};
use dancu_store::notices::{self, CODE, CODE_TRIES, Contact, Pending};

use super::tell;
use crate::act::{Actor, Done, Entry, Refused, note};

/// A code is good for so long, ms (*ours*): mail may be slow, a shared screen is quick.
pub const CODE_MS: i64 = 30 * MINUTE_MS;
/// Between two codes for one person, ms (*ours*): nobody's box is filled from here.
pub const APART_MS: i64 = MINUTE_MS;
/// Codes for one person within a day at most (*ours*): typing errors, and mail that is slow.
pub const CODES_A_DAY: usize = 5;
/// Digits of a code.
const DIGITS: usize = 8;

/// Asks for an address: a code is mailed to it, and the address before stays in use until then.
///
/// # Errors
/// [`Refused::Field`] of `address`: it is none, the last code is less than a minute old, or too
/// many were sent of late.
pub async fn ask(at: (&Store, Moment), by: &Actor, address: &str) -> Result<Done, Refused> {
    let (address, now, code) = (address.trim().to_owned(), at.1, new_code()?);
    let keys = at.0.keys().clone();
    if !is_address(&address) {
        return Err(field(
            "address",
            "Ghi một địa chỉ thư điện tử, ví dụ ten@coquan.example.vn.",
            "Write an address of e-mail, such as name@agency.example.vn.",
        ));
    }
    change(at, by, "contact.asked", move |tx, person, contact| {
        let until = now.plus_ms(CODE_MS);
        contact.codes.retain(|at| now < at.plus_ms(DAY_MS));
        if contact.codes.last().is_some_and(|last| now < last.plus_ms(APART_MS)) {
            return Err(field(
                "address",
                "Mã vừa được gửi; chờ một phút rồi gửi lại.",
                "A code was sent just now; wait a minute before the next.",
            ));
        }
        if contact.codes.len() >= CODES_A_DAY {
            return Err(field(
                "address",
                "Đã gửi 5 mã trong 24 giờ; kiểm tra địa chỉ và hộp thư rác, mai gửi lại.",
                "Five codes were sent within 24 hours; check the address, try again tomorrow.",
            ));
        }
        // Whoever was mailed there: it would only come back again, and servers count it against us.
        if notices::bounced_at(tx, &keys, &address, now)?.is_some() {
            return Err(field(
                "address",
                "Thư gửi tới địa chỉ này vừa bị trả lại; kiểm tra chính tả, dùng địa chỉ khác, \
                 hoặc chờ 7 ngày rồi nhập lại.",
                "Mail to this address came back of late; check it, use another one, or wait 7 \
                 days.",
            ));
        }
        contact.codes.push(now);
        contact.pending = Some(Pending { address, code, until, tries: 0 });
        notices::replace_code(tx, person, now)?;
        notices::enqueue(tx, (person, CODE), false, (now, now))?;
        Ok("chờ xác nhận địa chỉ thư".to_owned())
    })
    .await
}

/// The address that whoever invites somebody states for them, in the transaction of the invitation:
/// mail goes there from the first notice on, and the person may set another. Empty: none.
///
/// # Errors
/// [`Refused::Field`] of `email` where it is none.
pub fn of_invited(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    address: &str,
) -> Result<(), Refused> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(());
    }
    if !is_address(address) {
        return Err(field(
            "email",
            "Ghi một địa chỉ thư điện tử, ví dụ ten@coquan.example.vn, hoặc bỏ trống (J3).",
            "Write an address of e-mail, such as name@agency.example.vn, or leave it empty (J3).",
        ));
    }
    let contact = Contact { address: Some(address.to_owned()), ..Contact::default() };
    Ok(notices::save_contact(tx, keys, person, &contact)?)
}

/// Confirms the address by its code.
///
/// # Errors
/// [`Refused::Field`] of `code`. A wrong code counts, and after [`CODE_TRIES`] of them another has
/// to be asked for.
pub async fn confirm(at: (&Store, Moment), by: &Actor, code: &str) -> Result<Done, Refused> {
    let (typed, now) = (code.trim().to_owned(), at.1);
    // A wrong code is stored too, so that the act is carried out and refused afterwards.
    let wrong = Arc::new(AtomicBool::new(false));
    let told = wrong.clone();
    let done = change(at, by, "contact.confirmed", move |_, _, contact| {
        let good = contact.pending.take().filter(|p| now < p.until && p.tries < CODE_TRIES);
        let Some(pending) = good else {
            return Err(field(
                "code",
                "Mã đã hết hạn hoặc sai quá nhiều lần; gửi mã mới.",
                "The code has ended, or was wrong too often; ask for a new one.",
            ));
        };
        if pending.code != typed {
            told.store(true, Ordering::Relaxed);
            contact.pending = Some(Pending { tries: pending.tries + 1, ..pending });
            return Ok("mã xác nhận địa chỉ thư sai".to_owned());
        }
        contact.address = Some(pending.address);
        (contact.failing, contact.confirmed) = (None, Some(now));
        Ok("địa chỉ thư đã xác nhận".to_owned())
    })
    .await?;
    if wrong.load(Ordering::Relaxed) {
        return Err(field("code", "Mã không đúng.", "The code is wrong."));
    }
    Ok(done)
}

/// Forgets the address: nothing is mailed any more.
///
/// # Errors
/// Of the store.
pub async fn remove(at: (&Store, Moment), by: &Actor) -> Result<Done, Refused> {
    let now = at.1;
    change(at, by, "contact.removed", move |tx, person, contact| {
        let codes = std::mem::take(&mut contact.codes);
        *contact = Contact { preference: contact.preference, codes, ..Contact::default() };
        notices::replace_code(tx, person, now)?;
        Ok("bỏ địa chỉ thư".to_owned())
    })
    .await
}

/// Sets how the person wants to be mailed.
///
/// # Errors
/// Of the store.
pub async fn prefer(
    at: (&Store, Moment),
    by: &Actor,
    preference: Preference,
) -> Result<Done, Refused> {
    change(at, by, "contact.preferences", move |_, _, contact| {
        contact.preference = preference;
        let (hour, minute) = (preference.digest_minute / 60, preference.digest_minute % 60);
        Ok(format!("thư thường: {} lúc {hour:02}:{minute:02}", preference.ordinary.code()))
    })
    .await
}

/// What became of a bounce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounced {
    /// The address is marked, and the person and the head are told.
    Marked,
    /// It was marked before, or is another one now.
    Known,
    /// No such mail was sent from here.
    Unknown,
}

/// Mail to a person came back: nothing more is sent there, and the person and the head are told in
/// the portal. `address`: where it could not be delivered, as the other side says.
///
/// # Errors
/// Of the store.
pub async fn bounced(
    (store, now): (&Store, Moment),
    mail: i64,
    address: Option<&str>,
) -> Result<Bounced, Refused> {
    // Nobody said yet that a code's address is theirs: a bounce says nothing of the one in use.
    let Some(job) = store.notices().mail(mail).await?.filter(|job| job.notice != CODE) else {
        return Ok(Bounced::Unknown);
    };
    let person = job.person;
    let address = address.map(str::to_owned);
    let counts = move |known: &Contact| {
        let is_it = |own: &str| address.as_deref().is_none_or(|a| a.eq_ignore_ascii_case(own));
        known.failing.is_none()
            && known.address.as_deref().is_some_and(is_it)
            && known.confirmed.is_none_or(|since| since <= job.due)
    };
    if !counts(&store.notices().contact(person).await?) {
        return Ok(Bounced::Known);
    }
    let keys = store.keys().clone();
    let entry = Entry { kind: "contact.failing", actor: "dancu".to_owned(), system: None };
    let marked = note((store, now), entry, move |tx| {
        let mut contact = notices::contact(tx, &keys, person)?;
        if !counts(&contact) {
            return Err(PortalReason::AlreadyDecided.into());
        }
        contact.failing = Some(now);
        if let Some(address) = &contact.address {
            notices::note_bounce(tx, &keys, address, now)?;
        }
        notices::save_contact(tx, &keys, person, &contact)?;
        let own = Notice::MailFailing { own: true };
        tell(tx, &keys, now, &[Audience::Person(person)], &own)?;
        let of = Notice::MailFailing { own: false };
        tell(tx, &keys, now, &[Audience::HeadsOf(person)], &of)?;
        Ok((format!("#{}: thư gửi đi bị trả lại", person.0), ()))
    });
    match marked.await {
        Ok(_) => Ok(Bounced::Marked),
        Err(Refused::Reason(PortalReason::AlreadyDecided)) => Ok(Bounced::Known),
        Err(refused) => Err(refused),
    }
}

async fn change<C>(
    at: (&Store, Moment),
    by: &Actor,
    kind: &'static str,
    with: C,
) -> Result<Done, Refused>
where
    C: FnOnce(&mut Tx<'_>, PersonId, &mut Contact) -> Result<String, Refused> + Send + 'static,
{
    let person = by.person().ok_or(PortalReason::NoPower)?;
    let keys = at.0.keys().clone();
    let changed = note(at, Entry::new(kind, by, None), move |tx| {
        let mut contact = notices::contact(tx, &keys, person)?;
        let what = with(tx, person, &mut contact)?;
        notices::save_contact(tx, &keys, person, &contact)?;
        Ok((format!("#{}: {what}", person.0), ()))
    });
    Ok(changed.await?.0)
}

fn new_code() -> Result<String, Refused> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    // 2^64 is so much more than 10^8 that no code is likelier than another.
    Ok(format!("{:0DIGITS$}", u64::from_be_bytes(bytes) % 10_u64.pow(8)))
}

fn field(field: &'static str, vi: &str, en: &str) -> Refused {
    Refused::Field { field, vi: vi.to_owned(), en: en.to_owned() }
}
