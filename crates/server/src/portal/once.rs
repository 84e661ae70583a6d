//! Posts that must be done once: a small memory of this node, bounded, and empty after a start.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Posts that are remembered: 65,536 of 16 bytes are some hours of the busiest node.
const ONCE_MAX: usize = 65_536;
/// How long the second of two posts waits for the first: hashing a password and one act take less
/// than a second even while a node is busy.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Which posts came already, and what became of them. Clones share.
#[derive(Clone, Default)]
pub struct Once(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// Whether each was done; those that are not are under way.
    known: HashMap<Key, bool>,
    order: VecDeque<Key>,
}

/// A post of a session: the digest of its cookie, the path, the digest of what was sent, the token
/// of its form included. Forms of one page share a token, and what one of them did is not told as
/// done by another; nor is what was sent with another content.
pub type Post<'a> = (&'a [u8; 32], &'a str, &'a [u8; 32]);

type Key = [u8; 16];

/// What became of a post.
#[derive(Debug)]
pub enum Sent<T> {
    /// It came for the first time, or failed whenever it came before: what its act gave now.
    First(T),
    /// It was done before.
    Again,
    /// The first of two is still under way, or ended without an answer.
    Busy,
}

impl Once {
    /// Carries an act out for a post, unless it was carried out for the same one before. One that
    /// fails may be sent again. It goes on where the browser goes away: the second
    /// click of two ends the request of the first.
    pub async fn carry_out<T, E>(
        &self,
        post: Post<'_>,
        act: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Sent<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let key = key(post);
        let looks = WAIT.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            match self.begin(key) {
                None => {
                    let once = self.clone();
                    let run = tokio::spawn(async move {
                        let done = act.await;
                        once.end(key, done.is_ok());
                        done
                    });
                    if let Ok(done) = run.await {
                        return Sent::First(done);
                    }
                    self.end(key, false);
                    return Sent::Busy;
                }
                Some(true) => return Sent::Again,
                Some(false) => tokio::time::sleep(LOOK).await,
            }
        }
        Sent::Busy
    }

    /// None where it may begin; else whether it was done.
    fn begin(&self, key: Key) -> Option<bool> {
        let mut seen = self.0.lock();
        if let Some(done) = seen.known.get(&key) {
            return Some(*done);
        }
        seen.known.insert(key, false);
        seen.order.push_back(key);
        if seen.order.len() > ONCE_MAX
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.known.remove(&oldest);
        }
        None
    }

    fn end(&self, key: Key, done: bool) {
        let mut seen = self.0.lock();
        if done {
            // One that made room meanwhile stays forgotten.
            if let Some(known) = seen.known.get_mut(&key) {
                *known = true;
            }
        } else {
            seen.known.remove(&key);
            seen.order.retain(|known| *known != key);
        }
    }
}

fn key((mark, path, content): Post<'_>) -> Key {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(mark);
    digest.update(path.as_bytes());
    digest.update(content);
    let mut key = [0; 16];
    key.copy_from_slice(&digest.finish().as_ref()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/unit/officers/a1/password";
    const SENT: &[u8; 32] = &[7; 32];

    async fn send(once: &Once, mark: u8, result: Result<u8, ()>) -> Sent<Result<u8, ()>> {
        once.carry_out((&[mark; 32], PATH, SENT), async move { result }).await
    }

    #[tokio::test]
    async fn a_doubled_post_is_known_and_one_that_failed_is_done_when_it_comes_again() {
        let once = Once::default();
        assert!(matches!(send(&once, 1, Err(())).await, Sent::First(Err(()))));
        assert!(matches!(send(&once, 1, Ok(1)).await, Sent::First(Ok(1))), "it failed before");
        assert!(matches!(send(&once, 1, Ok(2)).await, Sent::Again));
        assert!(matches!(send(&once, 2, Ok(3)).await, Sent::First(Ok(3))), "another session");
        let other =
            once.carry_out((&[1; 32], "/unit/officers/a1/vouch", SENT), async { Ok::<_, ()>(4) });
        assert!(matches!(other.await, Sent::First(Ok(4))), "another form of the same page");
        let other = once.carry_out((&[1; 32], PATH, &[8; 32]), async { Ok::<_, ()>(5) });
        assert!(matches!(other.await, Sent::First(Ok(5))), "another content");
    }

    #[tokio::test]
    async fn the_second_of_two_waits_and_the_first_goes_on_without_its_browser() {
        let once = Once::default();
        let (told, ended) = tokio::sync::oneshot::channel::<()>();
        let slow = async move {
            ended.await.unwrap();
            Ok::<_, ()>(1)
        };
        let mark = [1; 32];
        let first = tokio::time::timeout(LOOK, once.carry_out((&mark, PATH, SENT), slow)).await;
        assert!(first.is_err(), "its browser went away");
        let second = tokio::spawn({
            let once = once.clone();
            async move { send(&once, 1, Ok(2)).await }
        });
        tokio::time::sleep(LOOK).await;
        told.send(()).unwrap();
        assert!(matches!(second.await.unwrap(), Sent::Again));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let once = Once::default();
        let first = key((&[1; 32], PATH, SENT));
        assert_eq!(once.begin(first), None);
        once.end(first, true);
        for n in 0..ONCE_MAX {
            let mut sent = [0; 32];
            sent[..8].copy_from_slice(&n.to_be_bytes());
            assert_eq!(once.begin(key((&[3; 32], PATH, &sent))), None);
        }
        assert_eq!(once.begin(first), None, "forgotten by now");
        assert_eq!(once.0.lock().known.len(), ONCE_MAX);
    }
}
