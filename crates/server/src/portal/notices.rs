//! The bell: what the person is told, by topic, and what was read.

use axum::extract::Query;
use axum::response::Response;
use dancu_domain::notices::Topic;
use dancu_domain::people::powers::Power;
use dancu_office::notices::{Read, mark_read};
use dancu_portal::notices::{Inbox, NoticeRow};
use dancu_portal::parts::SavedView;
use dancu_portal::text::Text;
use dancu_store::notices::{INBOX_READ, Letter};
use serde::Deserialize;

use super::form::Form;
use super::signed::Signed;
use super::table::Table;
use super::{frame, notice_words, words};

/// Looks back from one page at most, while a filter leaves rows out: two years of a busy head.
const PAGES_LOOKED: usize = 8;

/// Its routes.
pub fn routes(table: Table) -> Table {
    let see = Power::SeeOwnAccount;
    table.get("/notices", see, show).post("/notices/open", see, open).post(
        "/notices/read-all",
        see,
        read_all,
    )
}

/// Which part of the list.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Filter {
    topic: String,
    before: String,
}

/// `GET /notices`.
async fn show(signed: Signed, Query(filter): Query<Filter>) -> Response {
    let topic = Topic::from_code(&filter.topic);
    let before = filter.before.parse().ok().filter(|n| *n > 0).unwrap_or(i64::MAX);
    let (letters, older) = match looked(&signed, topic, before).await {
        Ok(found) => found,
        Err(error) => return words::unread(&signed, &error),
    };
    let (given_up, waiting) = match unsent(&signed).await {
        Ok(found) => found,
        Err(error) => return words::unread(&signed, &error),
    };
    let t = signed.text();
    let some_unread = letters.iter().any(|letter| letter.read.is_none()) || signed.unread > 0;
    // Offered over the whole list: what a topic leaves out was not looked at.
    let whole = topic.is_none() && some_unread;
    let last = letters.first().filter(|_| whole).map(|letter| letter.id.to_string());
    frame::page(&Inbox {
        rows: letters.iter().map(|letter| row(&t, letter)).collect(),
        topics: topics(&t, topic),
        last: last.unwrap_or_default(),
        older: older.map(|id| format!("/notices?topic={}&before={id}", code(topic))),
        given_up,
        waiting,
        s: signed.shell(),
        t,
    })
}

/// A page of notices of a topic, and before which one the next page begins.
async fn looked(
    signed: &Signed,
    topic: Option<Topic>,
    mut before: i64,
) -> dancu_store::Result<(Vec<Letter>, Option<i64>)> {
    let notices = signed.app.gate.store().notices();
    let mut found: Vec<Letter> = vec![];
    for _ in 0..PAGES_LOOKED {
        let some = notices.inbox(signed.person.id, before).await?;
        let Some(last) = some.last() else { return Ok((found, None)) };
        let whole = some.len() == INBOX_READ as usize;
        before = last.id;
        found.extend(some.into_iter().filter(|l| topic.is_none_or(|t| l.notice.row().topic == t)));
        if !whole {
            return Ok((found, None));
        }
        if found.len() >= INBOX_READ as usize {
            break;
        }
    }
    Ok((found, Some(before)))
}

/// Mails that were given up, and how many events wait for systems, for who runs the centre.
async fn unsent(signed: &Signed) -> dancu_store::Result<(Vec<(String, String)>, u64)> {
    if !signed.holds(Power::ManageSystems) {
        return Ok((vec![], 0));
    }
    let t = signed.text();
    let store = signed.app.gate.store();
    let jobs = store.notices().given_up().await?;
    let which =
        |person: u32, count| t.with_two("notices-given-up-row", "person", person, "count", count);
    let rows = jobs.iter().map(|j| (frame::stamp(j.made), which(j.person.0, j.attempts)));
    Ok((rows.collect(), store.webhooks().waiting().await?))
}

const fn code(topic: Option<Topic>) -> &'static str {
    match topic {
        Some(topic) => topic.code(),
        None => "",
    }
}

fn topics(t: &Text, chosen: Option<Topic>) -> Vec<SavedView> {
    let all = SavedView {
        name: t.get("notices-all"),
        href: "/notices".into(),
        current: chosen.is_none(),
    };
    let of = |topic: Topic| SavedView {
        name: t.get(format!("topic-{}", topic.code())),
        href: format!("/notices?topic={}", topic.code()),
        current: chosen == Some(topic),
    };
    std::iter::once(all).chain(Topic::ALL.into_iter().map(of)).collect()
}

fn row(t: &Text, letter: &Letter) -> NoticeRow {
    let (what, do_now) = notice_words::said(t, &letter.notice, letter.side);
    let table = letter.notice.row();
    NoticeRow {
        icon: icon(table.topic),
        what,
        do_now,
        time: frame::stamp(letter.at),
        rule: table.rule.code(),
        read: letter.read.is_some(),
        id: letter.id.to_string(),
    }
}

const fn icon(topic: Topic) -> &'static str {
    match topic {
        Topic::Lines => "chart-column",
        Topic::Accounts => "user",
        Topic::Raises => "trending-up",
        Topic::Connection => "server",
        Topic::News => "megaphone",
        Topic::Dossiers => "list",
    }
}

/// `POST /notices/open`: it is read, and leads on.
async fn open(signed: Signed, form: Form) -> Response {
    let Ok(id) = form.get("notice").parse::<i64>() else { return frame::missing(&signed) };
    let store = signed.app.gate.store();
    let found = store.notices().inbox(signed.person.id, id.saturating_add(1)).await;
    let letter = match found {
        Ok(found) => found.into_iter().next().filter(|letter| letter.id == id),
        Err(error) => return words::unread(&signed, &error),
    };
    let Some(letter) = letter else { return frame::missing(&signed) };
    match mark_read((store, signed.now), signed.person.id, Read::One(id)).await {
        Ok(()) => frame::to(&letter.notice.link(letter.side)),
        Err(refused) => words::failed(&signed, &refused),
    }
}

/// `POST /notices/read-all`: up to the newest that was shown.
async fn read_all(signed: Signed, form: Form) -> Response {
    let Ok(last) = form.get("last").parse() else { return frame::missing(&signed) };
    let store = signed.app.gate.store();
    match mark_read((store, signed.now), signed.person.id, Read::UpTo(last)).await {
        Ok(()) => frame::to("/notices"),
        Err(refused) => words::failed(&signed, &refused),
    }
}
