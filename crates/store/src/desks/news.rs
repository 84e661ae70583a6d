//! Announcements, maintenance windows, incidents: public texts.

use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;

use super::{Announcement, Desks, News, constrained, next};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::values;

/// Announcements that one look gives at most: a page that everybody may open shows no more.
pub const NEWS_READ: u32 = 100;

const BY_ID: &str = "SELECT id, kind, title, body, from_at, to_at, made_by, made_at, ended_at \
    FROM announcement WHERE id = $1";
const NOT_OVER: &str = "SELECT id, kind, title, body, from_at, to_at, made_by, made_at, ended_at \
    FROM announcement WHERE ended_at IS NULL AND (to_at IS NULL OR to_at > $1) \
    ORDER BY from_at, id LIMIT $2";
const OVER: &str = "SELECT id, kind, title, body, from_at, to_at, made_by, made_at, ended_at \
    FROM announcement WHERE ended_at IS NOT NULL OR to_at <= $1 ORDER BY id DESC LIMIT $2";

/// Stores a new announcement; gives its id.
pub fn insert_announcement(tx: &mut Tx<'_>, news: &Announcement) -> Result<i64> {
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM announcement")?;
    let inserted = tx.execute(
        "INSERT INTO announcement (id, kind, title, body, from_at, to_at, made_by, made_at, \
         ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            id,
            news.kind as u8,
            news.title,
            news.text,
            news.from.0,
            news.to.map(|at| at.0),
            news.by.0,
            news.at.0,
            news.ended_at.map(|at| at.0)
        ],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// Stores an announcement that was changed or ended; who made it, and when, stays.
///
/// # Errors
/// [`Error::Final`] where it was ended or there is none.
pub fn save_announcement(tx: &mut Tx<'_>, news: &Announcement) -> Result<()> {
    let changed = tx.execute(
        "UPDATE announcement SET kind = $1, title = $2, body = $3, from_at = $4, to_at = $5, \
         ended_at = $6 WHERE id = $7 AND ended_at IS NULL",
        values![
            news.kind as u8,
            news.title,
            news.text,
            news.from.0,
            news.to.map(|at| at.0),
            news.ended_at.map(|at| at.0),
            news.id
        ],
    );
    match changed.map_err(constrained)? {
        1 => Ok(()),
        _ => Err(Error::Final("thông báo đã kết thúc (the announcement is over)")),
    }
}

/// An announcement.
pub fn announcement(tx: &mut Tx<'_>, id: i64) -> Result<Option<Announcement>> {
    tx.optional(BY_ID, values![id], read)
}

/// Announcements that are not over at an instant, planned ones too, by their beginning; at most
/// [`NEWS_READ`].
pub fn announcements(tx: &mut Tx<'_>, at: Moment) -> Result<Vec<Announcement>> {
    tx.query(NOT_OVER, values![at.0, NEWS_READ], read)
}

/// Announcements that are over at an instant, the newest first.
pub fn past_announcements(tx: &mut Tx<'_>, at: Moment, limit: u32) -> Result<Vec<Announcement>> {
    tx.query(OVER, values![at.0, limit], read)
}

impl Desks<'_> {
    /// [`announcement`].
    pub async fn announcement(self, id: i64) -> Result<Option<Announcement>> {
        let found = self.store.look(BY_ID, values![id], read).await?;
        Ok(found.into_iter().next())
    }

    /// [`announcements`].
    pub async fn announcements(self, at: Moment) -> Result<Vec<Announcement>> {
        self.store.look(NOT_OVER, values![at.0, NEWS_READ], read).await
    }

    /// [`past_announcements`].
    pub async fn past_announcements(self, at: Moment, limit: u32) -> Result<Vec<Announcement>> {
        self.store.look(OVER, values![at.0, limit], read).await
    }
}

fn read(r: &Row<'_>) -> Result<Announcement> {
    Ok(Announcement {
        id: r.get(0)?,
        kind: News::from_number(r.get(1)?).ok_or(Error::Damaged("announcement.kind"))?,
        title: r.get(2)?,
        text: r.get(3)?,
        from: Moment(r.get(4)?),
        to: r.get::<Option<i64>>(5)?.map(Moment),
        by: PersonId(r.get(6)?),
        at: Moment(r.get(7)?),
        ended_at: r.get::<Option<i64>>(8)?.map(Moment),
    })
}
