//! Files that come in as a stream: who may send one now, and how long it is waited for.
//!
//! A place is held while a file comes in, so that nobody may hold one for long: not a line that is
//! nearly dead, and not one system all of them.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use dancu_domain::ids::SystemId;
use dancu_gate::jobs::types::BODY_BYTES_MAX;
use dancu_gate::query::FieldError;
use futures_util::StreamExt as _;

use crate::clock::steady;
use crate::places::Places;

/// Files that are taken in at a time: each keeps a thread busy.
const AT_ONCE: usize = 4;
/// A body may pause this long: an upload over a poor line goes on after it, a dead one is let go.
const PAUSE: Duration = Duration::from_secs(30);
/// Besides, a body is waited for this long in all, and longer by what has come of it.
const GRACE: Duration = Duration::from_secs(30);
/// What has to come, bytes per second of waiting: a poor mobile line. A file of the usual 150 bytes
/// a row brings a million rows in 80 minutes at this rate.
const SLOWEST: u64 = 32 * 1024;

/// Places for files that come in, one for a system.
pub fn places() -> Places<SystemId> {
    Places::new(AT_ONCE)
}

/// What an upload has been waited for so far.
#[derive(Default)]
struct Patience {
    waited: Duration,
    bytes: u64,
}

impl Patience {
    /// How long the next piece is waited for; `None` = no longer.
    fn left(&self) -> Option<Duration> {
        let earned = Duration::from_millis(self.bytes.saturating_mul(1_000) / SLOWEST);
        let left = (GRACE + earned).checked_sub(self.waited).filter(|left| !left.is_zero())?;
        Some(left.min(PAUSE))
    }

    /// Whether it was slow, and not only silent.
    fn is_slow(&self) -> bool {
        self.left().is_none_or(|left| left < PAUSE)
    }
}

/// Why a body is read no further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It broke off or stood still.
    Broken,
    /// It came too slowly.
    Slow,
    /// It is larger than any file may be.
    TooLarge,
}

impl Stop {
    /// What is wrong, for a refusal that lists such errors.
    pub fn field_error(self) -> FieldError {
        let message_vi = match self {
            Self::Broken => {
                "Tệp bị ngắt giữa chừng hoặc đứng quá 30 giây; hãy gửi lại cả tệp với cùng mã yêu \
                 cầu. · The file broke off or stood still for 30 s; send it again."
            }
            Self::Slow => {
                "Tệp đến quá chậm (dưới 32 KiB mỗi giây) nên đã ngừng nhận; hãy gửi lại trên đường \
                 truyền nhanh hơn hoặc chia tệp thành nhiều lô. · The file came at less than 32 \
                 KiB/s; send it over a faster line or in parts."
            }
            Self::TooLarge => "Tệp lớn hơn 512 MiB. · The file is over 512 MiB.",
        };
        FieldError { field: "body".into(), message_vi: message_vi.into() }
    }
}

/// A body as it arrives; the whole of it is never in memory.
pub struct Upload {
    chunks: BodyDataStream,
    patience: Patience,
}

impl Upload {
    /// A body that nothing was read of.
    pub fn new(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), patience: Patience::default() }
    }

    /// The next piece, `None` at the end. Only waiting for the sender counts as waiting.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        let Some(wait) = self.patience.left() else { return Err(Stop::Slow) };
        let began = steady();
        let next = tokio::time::timeout(wait, self.chunks.next()).await;
        self.patience.waited += steady().duration_since(began);
        match next {
            Ok(Some(Ok(chunk))) => {
                self.patience.bytes += chunk.len() as u64;
                let fits = self.patience.bytes <= BODY_BYTES_MAX;
                if fits { Ok(Some(chunk)) } else { Err(Stop::TooLarge) }
            }
            Ok(None) => Ok(None),
            Err(_) if wait < PAUSE && self.patience.is_slow() => Err(Stop::Slow),
            Ok(Some(Err(_))) | Err(_) => Err(Stop::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_upload_is_let_go_and_a_fast_one_may_pause() {
        let secs = Duration::from_secs;
        let left = |waited, bytes| Patience { waited, bytes }.left();
        assert_eq!(left(secs(0), 0), Some(GRACE));
        assert_eq!(left(secs(29), 0), Some(secs(1)));
        assert_eq!(left(secs(30), 0), None, "nothing came");
        // A byte a second for ten minutes brings nothing worth a place.
        assert_eq!(left(secs(600), 600), None);
        // 64 KiB/s: half of the time is earned again and again.
        assert_eq!(left(secs(600), 600 * 2 * SLOWEST), Some(PAUSE));
        // The largest file at the slowest rate ends in four and a half hours at the latest.
        let longest = GRACE + secs(BODY_BYTES_MAX / SLOWEST);
        assert_eq!(left(longest, BODY_BYTES_MAX), None);
        assert!(longest < secs(5 * 3_600));
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_or_to_where_it_broke() {
        let mut whole = Upload::new(Body::from("abc"));
        assert_eq!(whole.next().await, Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!(whole.next().await, Ok(None));
        let pieces = [Ok(Bytes::from_static(b"a")), Err(std::io::Error::other("gone"))];
        let mut broken = Upload::new(Body::from_stream(futures_util::stream::iter(pieces)));
        assert!(matches!(broken.next().await, Ok(Some(_))));
        assert_eq!(broken.next().await, Err(Stop::Broken));
        let mut slow = Upload::new(Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, std::io::Error>,
        >()));
        slow.patience.waited = GRACE.checked_sub(Duration::from_millis(20)).unwrap();
        assert_eq!(slow.next().await, Err(Stop::Slow));
        let mut over = Upload::new(Body::from("abc"));
        over.patience.bytes = BODY_BYTES_MAX - 2;
        assert_eq!(over.next().await, Err(Stop::TooLarge));
    }
}
