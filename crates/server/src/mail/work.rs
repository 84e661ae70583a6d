//! The worker: takes the mails that are due, writes them and hands them over, one node at a time.
//! What becomes of each is stored; what a crash leaves open is sent again under the same id.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::notices::{Side, retry_after_ms};
use dancu_portal::Page as _;
use dancu_portal::notices::{Item, MailHtml, MailText};
use dancu_portal::text::{Language, Text};
use dancu_store::lease::Lease;
use dancu_store::notices::{self, CODE, Ended, Job, Letter as Told};
use dancu_store::{Result, Store};

use super::{Failed, Letter, Mailer};
use crate::app::{App, Shared};
use crate::portal::{frame, notice_words};

/// How often it is looked for mail that is due: at once means within seconds.
const EVERY: Duration = Duration::from_secs(2);
/// While no server answers it is asked less and less often, up to this.
const DOWN_MAX: Duration = Duration::from_mins(5);
/// Longer than one mail takes with its tries: whoever is silent for so long is gone.
const LEASE_MS: i64 = 120_000;
/// Hex digits of the tag in a Message-ID: 64 bits, which nobody guesses over mail.
pub(super) const TAG_DIGITS: usize = 16;

/// Starts it; it ends with the process.
pub fn start(app: &Shared, mailer: Mailer) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        let mut pause = EVERY;
        loop {
            tokio::time::sleep(pause).await;
            let Some(turn) = turn(&app, &mailer).await else { return };
            pause = match turn {
                Ok(Turn::Served) => EVERY,
                Ok(Turn::Down) => (pause * 2).min(DOWN_MAX),
                Err(error) => {
                    tracing::warn!(error = %error, "mail could not be looked up");
                    DOWN_MAX.min(pause * 2)
                }
            };
        }
    });
}

/// What a turn found.
enum Turn {
    /// Everything due was handed over or refused.
    Served,
    /// No server answers.
    Down,
}

/// One turn; none where the process ends.
async fn turn(app: &Weak<App>, mailer: &Mailer) -> Option<Result<Turn>> {
    let app = app.upgrade()?;
    if app.gate.store().is_stopped() {
        return None;
    }
    Some(serve(&app, mailer).await)
}

async fn serve(app: &App, mailer: &Mailer) -> Result<Turn> {
    let (store, now) = (app.gate.store(), app.clock.now());
    let due = store.notices().due_mail(now).await?;
    if due.is_empty() {
        return Ok(Turn::Served);
    }
    let Some(lease) = store.leases().acquire("mail", LEASE_MS)? else { return Ok(Turn::Served) };
    let served = hand_over(app, mailer, &lease, groups(due)).await;
    lease.release()?;
    served
}

/// Hands mails over while the lease is held.
async fn hand_over(
    app: &App,
    mailer: &Mailer,
    lease: &Lease,
    groups: Vec<Vec<Job>>,
) -> Result<Turn> {
    let (store, now) = (app.gate.store(), app.clock.now());
    for found in groups {
        if !lease.renew()? {
            return Ok(Turn::Served);
        }
        // It may have been sent by another node until the lease was ours; what is gathered goes
        // together, however much it is.
        let group = if found[0].daily {
            store.notices().due_daily(found[0].person, now).await?
        } else {
            let job = store.notices().mail(found[0].id).await?;
            job.filter(|job| job.ended.is_none()).into_iter().collect()
        };
        if group.is_empty() {
            continue;
        }
        let sent = match compose(app, &group).await {
            Ok(Some(letter)) => mailer.send(&letter).await.map(|()| Ended::Sent),
            Ok(None) => Ok(Ended::NoAddress),
            // What cannot be read holds no other mail up.
            Err(error) => {
                tracing::error!(mail.job = group[0].id, error = %error, "a mail cannot be read");
                Err(Failed::Later("unreadable".to_owned()))
            }
        };
        settle(store, app.clock.now(), &group, &sent).await?;
        if let Err(failed @ Failed::Down(_)) = &sent {
            tracing::warn!(error = %failed, "mail waits");
            return Ok(Turn::Down);
        }
    }
    Ok(Turn::Served)
}

/// Mails as they are sent: what is gathered goes together by person.
fn groups(due: Vec<Job>) -> Vec<Vec<Job>> {
    let mut groups: Vec<Vec<Job>> = vec![];
    for job in due {
        let same =
            |group: &&mut Vec<Job>| job.daily && group[0].daily && group[0].person == job.person;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

/// Writes down what became of a group.
async fn settle(
    store: &Store,
    now: Moment,
    group: &[Job],
    sent: &std::result::Result<Ended, Failed>,
) -> Result<()> {
    let mut rows: Vec<(i64, std::result::Result<Ended, Moment>)> = vec![];
    for job in group {
        let next = match sent {
            Ok(ended) => Ok(*ended),
            Err(Failed::Refused(_)) => Ok(Ended::GivenUp),
            Err(Failed::Later(_) | Failed::Down(_)) => {
                let pause = retry_after_ms(job.attempts + 1, job.made, now);
                pause.map_or(Ok(Ended::GivenUp), |pause| Err(now.plus_ms(pause)))
            }
        };
        if let (Ok(Ended::GivenUp), Err(failed)) = (&next, sent) {
            tracing::error!(mail.job = job.id, error = %failed, "a mail was given up");
        }
        rows.push((job.id, next));
    }
    let settled = store.ledger().tidy(now, move |tx| {
        rows.iter().try_for_each(|(id, next)| match next {
            Ok(ended) => notices::end_mail(tx, *id, *ended, now),
            Err(due) => notices::postpone(tx, *id, *due),
        })
    });
    settled.await
}

/// The mail of a group; none where nothing is left to tell or nowhere to tell it.
async fn compose(app: &App, group: &[Job]) -> Result<Option<Letter>> {
    let store = app.gate.store();
    let first = &group[0];
    let Some(person) = store.people().person_by_id(first.person).await? else { return Ok(None) };
    let contact = store.notices().contact(first.person).await?;
    let t = frame::text(Language::Vietnamese);
    let (to, subject, items) = if first.notice == CODE {
        let Some(pending) = contact.pending.filter(|p| app.clock.now() < p.until) else {
            return Ok(None);
        };
        let what = t.with("mail-code", "code", &pending.code);
        let item = Item { what, do_now: t.get("mail-code-do"), href: String::new() };
        (pending.address, t.get("contact-code"), vec![item])
    } else {
        let Some(address) = contact.address.filter(|_| contact.failing.is_none()) else {
            return Ok(None);
        };
        let mut items = vec![];
        for job in group {
            items.extend(told(store, job).await?.map(|told| item(app, &t, &told)));
        }
        let Some(one) = items.first() else { return Ok(None) };
        let count = items.len() as u64;
        let daily = || t.with("mail-subject-daily", "count", t.num(count));
        (address, if count == 1 { one.what.clone() } else { daily() }, items)
    };
    let settings = address_of(app, "/account/contact");
    let phone = app.portal.as_ref().map(|portal| portal.help_phone(&t)).unwrap_or_default();
    let (name, settings, phone) = (person.name.as_str(), settings.as_str(), phone.as_str());
    let html = MailHtml { t: &t, name, items: &items, phone, settings }.html();
    let text = MailText { t: &t, name, items: &items, phone, settings }.html();
    let (Ok(html), Ok(text)) = (html, text) else {
        tracing::error!("a mail could not be written");
        return Ok(None);
    };
    let id = format!("{}.{}", first.id, tag(store, first)?);
    Ok(Some(Letter { to, name: person.name.clone(), subject, id, text, html }))
}

/// The notice of a mail as the person has it; none where it was forgotten.
async fn told(store: &Store, job: &Job) -> Result<Option<Told>> {
    store.notices().letter(job.person, job.notice).await
}

fn item(app: &App, t: &Text, told: &Told) -> Item {
    let side: Side = told.side;
    let (what, do_now) = notice_words::said(t, &told.notice, side);
    Item { what, do_now, href: address_of(app, &told.notice.link(side)) }
}

/// A path of the portal as people open it.
fn address_of(app: &App, path: &str) -> String {
    let origin = app.portal.as_ref().map_or(app.base_url.as_str(), |portal| portal.origin());
    format!("{origin}{path}")
}

/// What tells our Message-IDs from anybody's.
pub fn tag(store: &Store, job: &Job) -> Result<String> {
    let parts: [&[u8]; 3] = [b"mail", &job.id.to_be_bytes(), &job.made.0.to_be_bytes()];
    let mark = notices::mark(store.keys(), &parts)?;
    Ok(hex::encode(mark)[..TAG_DIGITS].to_owned())
}

/// Takes a bounce in: what it says of one of our mails is stored, anything else is left alone.
///
/// # Errors
/// Of the store.
pub async fn take_in(
    (store, now): (&Store, Moment),
    bounce: &super::bounce::Bounce,
) -> std::result::Result<dancu_office::notices::contact::Bounced, dancu_office::Refused> {
    use dancu_office::notices::contact::{Bounced, bounced};
    let job = store.notices().mail(bounce.job).await?;
    let Some(job) = job else { return Ok(Bounced::Unknown) };
    if tag(store, &job)? != bounce.tag {
        return Ok(Bounced::Unknown);
    }
    bounced((store, now), job.id, bounce.recipient.as_deref()).await
}
