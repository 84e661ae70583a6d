//! Announcements and maintenance windows: what everybody may read on the status page (J2).

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::text::{composed, is_storable};
use dancu_store::Store;
use dancu_store::desks::{self, Announcement, News};

use crate::act::{Actor, Done, Entry, Refused, note};
use crate::notices::tell;

/// Characters of a heading: it is read in a list.
pub const HEADING_MAX: usize = 80;
/// Characters of a text: more is a letter, and belongs into one.
pub const TEXT_MAX: usize = 2_000;
/// How far ahead something is announced: a year, after which nobody remembers it.
pub const AHEAD_MS: i64 = 366 * DAY_MS;
/// How long something that ended is still shown: a day, so that who missed it learns why.
pub const SHOWN_AFTER_MS: i64 = DAY_MS;

/// An announcement as it was typed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it is.
    pub kind: News,
    /// Heading.
    pub title: String,
    /// Plain text.
    pub text: String,
    /// From when it is shown, or when the maintenance begins; none: now.
    pub from: Option<Moment>,
    /// Until when; none: until somebody ends it. Maintenance has an end.
    pub to: Option<Moment>,
}

/// Everything that is wrong with a draft, by field.
#[must_use]
pub fn wrong(draft: &Draft, now: Moment) -> Vec<Refused> {
    let field =
        |field, vi: &str, en: &str| Refused::Field { field, vi: vi.to_owned(), en: en.to_owned() };
    let mut found = vec![];
    if !is_text(&draft.title, HEADING_MAX) || draft.title.contains('\n') {
        found.push(field(
            "heading",
            "Ghi tiêu đề, không quá 80 ký tự.",
            "Write a heading of at most 80 characters.",
        ));
    }
    if !is_text(&draft.text, TEXT_MAX) {
        found.push(field(
            "text",
            "Ghi nội dung, không quá 2.000 ký tự.",
            "Write a text of at most 2,000 characters.",
        ));
    }
    let from = draft.from.unwrap_or(now);
    if from > now.plus_ms(AHEAD_MS) {
        found.push(field(
            "from",
            "Chỉ đăng trước tối đa một năm.",
            "Nothing is announced more than a year ahead.",
        ));
    }
    match draft.to {
        Some(to) if to <= from || to <= now => found.push(field(
            "to",
            "Thời điểm kết thúc phải sau thời điểm bắt đầu và sau bây giờ.",
            "The end has to be after the beginning, and after now.",
        )),
        None if draft.kind == News::Maintenance => found.push(field(
            "to",
            "Lịch bảo trì phải có thời điểm kết thúc.",
            "Maintenance needs an end.",
        )),
        _ => {}
    }
    found
}

fn is_text(text: &str, most: usize) -> bool {
    let storable = |c: char| is_storable(c) || c == '\n';
    !text.trim().is_empty() && text.chars().count() <= most && text.chars().all(storable)
}

/// Publishes an announcement, with its journal entry.
///
/// # Errors
/// The first thing that is [`wrong`] with it; only a signed-in person announces.
pub async fn publish(
    (store, now): (&Store, Moment),
    actor: &Actor,
    draft: &Draft,
) -> Result<Done, Refused> {
    let by = actor.person().ok_or(PortalReason::NoPower)?;
    if let Some(first) = wrong(draft, now).into_iter().next() {
        return Err(first);
    }
    let new = Announcement {
        id: 0,
        kind: draft.kind,
        title: composed(draft.title.trim()).into_owned(),
        text: composed(draft.text.trim()).into_owned(),
        from: draft.from.unwrap_or(now),
        to: draft.to,
        by,
        at: now,
        ended_at: None,
    };
    let (entry, keys) = (Entry::new("news.published", actor, None), store.keys().clone());
    let published = note((store, now), entry, move |tx| {
        let id = desks::insert_announcement(tx, &new)?;
        let incident = new.kind == News::Incident;
        let told = Notice::Announced { title: new.title.clone(), incident };
        tell(tx, &keys, now, &[Audience::Everybody], &told)?;
        Ok((format!("#{id} {} {}", new.kind.code(), new.title), ()))
    });
    Ok(published.await?.0)
}

/// Ends an announcement before its time.
///
/// # Errors
/// [`Refused::Gone`]; [`PortalReason::AlreadyDecided`] where it has ended.
pub async fn end((store, now): (&Store, Moment), actor: &Actor, id: i64) -> Result<Done, Refused> {
    let entry = Entry::new("news.ended", actor, None);
    let ended = note((store, now), entry, move |tx| {
        let mut known = desks::announcement(tx, id)?.ok_or(Refused::Gone)?;
        if stage(&known, now) == Stage::Over {
            return Err(PortalReason::AlreadyDecided.into());
        }
        known.ended_at = Some(now);
        desks::save_announcement(tx, &known)?;
        Ok((format!("#{id} {}", known.title), ()))
    });
    Ok(ended.await?.0)
}

/// Where an announcement stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Running now.
    Running,
    /// To come.
    Planned,
    /// Over.
    Over,
}

/// Where an announcement stands at an instant.
#[must_use]
pub fn stage(news: &Announcement, now: Moment) -> Stage {
    match (news.ended_at, news.to) {
        (Some(_), _) => Stage::Over,
        (None, Some(to)) if to <= now => Stage::Over,
        _ if news.from > now => Stage::Planned,
        _ => Stage::Running,
    }
}

/// Whether it is still shown: until a day after its end.
#[must_use]
pub fn is_shown(news: &Announcement, now: Moment) -> bool {
    let over = news.ended_at.or(news.to);
    over.is_none_or(|over| now < over.plus_ms(SHOWN_AFTER_MS))
}

/// What is shown, what runs first, then what is to come, then what is over.
#[must_use]
pub fn shown(mut all: Vec<Announcement>, now: Moment) -> Vec<Announcement> {
    all.retain(|news| is_shown(news, now));
    all.sort_by_key(|news| (stage(news, now), news.from, news.id));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::people::PersonId;

    const NOW: Moment = Moment(1_000 * DAY_MS);

    fn draft() -> Draft {
        Draft {
            kind: News::Notice,
            title: "Bảo trì".into(),
            text: "Nghỉ 30 phút.\nXin gọi sau.".into(),
            from: None,
            to: None,
        }
    }

    fn fields(draft: &Draft) -> Vec<&'static str> {
        let field = |r: &Refused| match r {
            Refused::Field { field, .. } => *field,
            other => panic!("{other}"),
        };
        wrong(draft, NOW).iter().map(field).collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        assert!(fields(&draft()).is_empty());
        let empty = Draft { title: " ".into(), text: String::new(), ..draft() };
        assert_eq!(fields(&empty), ["heading", "text"]);
        let long = Draft { title: "ă".repeat(81), text: "ă".repeat(2_001), ..draft() };
        assert_eq!(fields(&long), ["heading", "text"]);
        assert!(fields(&Draft { title: "ă".repeat(80), ..draft() }).is_empty());
        assert_eq!(fields(&Draft { title: "a\u{7}".into(), ..draft() }), ["heading"]);
        assert_eq!(fields(&Draft { to: Some(NOW), ..draft() }), ["to"]);
        assert_eq!(fields(&Draft { kind: News::Maintenance, ..draft() }), ["to"]);
        let from = Some(NOW.plus_ms(AHEAD_MS + 1));
        assert_eq!(fields(&Draft { from, ..draft() }), ["from"]);
    }

    #[test]
    fn what_runs_stands_first_and_what_is_over_stays_a_day() {
        let news = |id, from: i64, to: Option<i64>, ended: Option<i64>| Announcement {
            id,
            kind: News::Notice,
            title: String::new(),
            text: String::new(),
            from: NOW.plus_ms(from),
            to: to.map(|t| NOW.plus_ms(t)),
            by: PersonId(1),
            at: NOW,
            ended_at: ended.map(|t| NOW.plus_ms(t)),
        };
        let all = vec![
            news(1, 5, Some(9), None),
            news(2, -9, Some(0), None),
            news(3, -9, None, None),
            news(4, -9, None, Some(-DAY_MS)),
            news(5, -9, Some(9), Some(-1)),
        ];
        let ids: Vec<i64> = shown(all, NOW).iter().map(|n| n.id).collect();
        assert_eq!(ids, [3, 1, 2, 5]);
    }
}
