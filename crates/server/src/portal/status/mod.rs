//! The public status page: what this node knows of itself, and what the operators announce. No
//! personal data, and at most one read of the store every few seconds, however many look.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use dancu_portal::operator::{Part, Status, states as desk};
use dancu_portal::parts::{State, states};
use dancu_store::desks::{Announcement, News};
use parking_lot::Mutex;

use super::frame;
use super::operator::news;
use super::signed::Visitor;
use super::table::{Access, Table};
use crate::clock::steady;
use crate::readiness;

/// How long what was read is shown: nobody minds to learn of an announcement seconds later.
const KEPT: Duration = Duration::from_secs(5);

/// Routes of the status page.
pub fn routes(table: Table) -> Table {
    table.get("/status", Access::Public, show)
}

/// The announcements as they were last read.
#[derive(Default)]
pub struct Kept {
    news: Mutex<Shown>,
    /// Held by the one who reads; whoever comes meanwhile waits, and reads nothing.
    reader: tokio::sync::Mutex<()>,
}

/// What was read and when, and how often it was forgotten.
#[derive(Default)]
struct Shown {
    read: Option<(Instant, Arc<[Announcement]>)>,
    forgotten: u64,
}

impl Kept {
    /// What was changed here is read anew at once.
    pub fn forget(&self) {
        let mut news = self.news.lock();
        news.read = None;
        news.forgotten += 1;
    }

    fn fresh(&self, at: Instant) -> Option<Arc<[Announcement]>> {
        let news = self.news.lock();
        let fresh = |since: &Instant| at.saturating_duration_since(*since) < KEPT;
        news.read.as_ref().filter(|(since, _)| fresh(since)).map(|(_, all)| all.clone())
    }

    /// What is known, read anew by one visitor where it is too old.
    async fn now<E>(
        &self,
        read: impl Future<Output = Result<Vec<Announcement>, E>>,
    ) -> Result<Arc<[Announcement]>, E> {
        if let Some(known) = self.fresh(steady()) {
            return Ok(known);
        }
        let _turn = self.reader.lock().await;
        if let Some(known) = self.fresh(steady()) {
            return Ok(known);
        }
        let before = self.news.lock().forgotten;
        let all: Arc<[Announcement]> = read.await?.into();
        let mut news = self.news.lock();
        // What was changed while it was read is not in it.
        if news.forgotten == before {
            news.read = Some((steady(), all.clone()));
        }
        Ok(all)
    }
}

/// `GET /status`. Where the announcements cannot be read the page says so of itself: a part is out.
async fn show(visitor: Visitor) -> Response {
    let kept = &visitor.portal().status;
    let read = kept.now(news::shown(visitor.app.gate.store(), visitor.now)).await;
    if let Err(error) = &read {
        tracing::warn!(error = %error, "announcements could not be read");
    }
    let reasons = readiness::reasons(&visitor.app);
    let all = read.as_ref().map(AsRef::as_ref).unwrap_or_default();
    let t = visitor.text();
    let running = |kind| {
        let now = |n: &&Announcement| {
            dancu_office::news::stage(n, visitor.now) == dancu_office::news::Stage::Running
        };
        all.iter().filter(now).any(|n| n.kind == kind)
    };
    let troubled = running(News::Incident) || running(News::Maintenance);
    let parts = parts(&reasons, read.is_err(), running(News::Maintenance));
    frame::page(&Status {
        all_well: reasons.is_empty() && read.is_ok() && !troubled,
        parts,
        news: all.iter().map(|n| news::row(&t, n, visitor.now, false)).collect(),
        s: visitor.shell(),
        t,
    })
}

/// Words of readiness that stop look-ups only.
const LOOK_UPS: &str = "lookupsUnavailable";

fn parts(reasons: &[&str], unread: bool, maintained: bool) -> Vec<Part> {
    let journal = reasons.iter().any(|reason| *reason != LOOK_UPS);
    let asked = !reasons.is_empty();
    let state = |down: bool| -> State {
        match (down, maintained) {
            (true, _) => states::DOWN,
            (false, true) => desk::MAINTAINED,
            (false, false) => states::ACTIVE,
        }
    };
    vec![
        Part { key: "part-verify", state: state(asked) },
        Part { key: "part-lookup", state: state(asked) },
        Part { key: "part-soap", state: state(asked) },
        Part { key: "part-portal", state: state(unread) },
        Part { key: "part-journal", state: state(journal) },
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_is_out_is_told_by_its_parts() {
        let keys = |reasons: &[&str], unread, maintained| -> Vec<&'static str> {
            parts(reasons, unread, maintained).iter().map(|p| p.state.key).collect()
        };
        let (up, down) = (states::ACTIVE.key, states::DOWN.key);
        assert_eq!(keys(&[], false, false), [up; 5]);
        assert_eq!(keys(&[LOOK_UPS], false, false), [down, down, down, up, up]);
        assert_eq!(keys(&["databaseUnfit"], true, false), [down; 5]);
        assert_eq!(keys(&[], false, true), [desk::MAINTAINED.key; 5]);
    }

    #[tokio::test]
    async fn one_visitor_reads_where_many_come_at_once() {
        let (kept, reads) = (Kept::default(), AtomicUsize::new(0));
        let look = async || {
            let read = async {
                reads.fetch_add(1, Ordering::Relaxed);
                // Everybody else comes while it is being read.
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                Ok::<_, ()>(vec![])
            };
            kept.now(read).await.unwrap();
        };
        tokio::join!(look(), look(), look(), look());
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        kept.forget();
        look().await;
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        let read = kept.news.lock().read.as_ref().unwrap().0;
        assert!(kept.fresh(read + KEPT).is_none());
        assert!(kept.fresh(read + Duration::from_millis(4_999)).is_some());
        // What is changed while somebody reads is read again by the next.
        let changed = async {
            kept.forget();
            Ok::<_, ()>(vec![])
        };
        kept.forget();
        kept.now(changed).await.unwrap();
        assert!(kept.fresh(steady()).is_none());
    }
}
