//! Password hashing (Argon2id, RFC 9106) in a bounded pool of threads.
//!
//! Every check costs the same, whether the login exists or not, and however many people sign in at
//! once no more than a fixed share of processor and memory is spent on it: what does not fit into
//! the queue is told to come back.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use dancu_store::keys::random;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::Trouble;

/// Memory of one hash, KiB: 19 MiB, the first of the settings that OWASP's cheat sheet on password
/// storage calls equally strong, and the one with the least memory traffic beside two passes.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory: two, which go with 19 MiB in the same setting.
pub const PASSES: u32 = 2;
/// Lanes: one, because the pool already keeps every core busy.
pub const LANES: u32 = 1;
/// Bytes of a salt (RFC 9106, 3.1: 16 are enough for every use).
const SALT: usize = 16;
/// Bytes of a hash: as strong as the hash function's own 128 bits against collisions.
const OUTPUT: usize = 32;
/// Checks that may wait (issue of people): at 50 a second on two cores the last of them waits for
/// little more than a second.
pub const QUEUE: usize = 64;
/// Most memory that a stored hash may ask for, KiB: a damaged row does not take the machine's.
const MEMORY_MAX_KIB: u32 = 64 * 1024;
/// Most passes that a stored hash may ask for.
const PASSES_MAX: u32 = 10;

type Job = Box<dyn FnOnce(&mut Bench) + Send>;

/// The pool. Its threads end when it is dropped.
pub struct Hasher {
    queue: SyncSender<Job>,
    /// What an unknown login is compared with.
    decoy: Arc<str>,
}

impl Hasher {
    /// Starts so many threads, at least one; each keeps [`MEMORY_KIB`] for itself.
    ///
    /// # Errors
    /// A thread that could not be started, or no randomness.
    pub fn new(threads: usize) -> Result<Self, Trouble> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.max(1) {
            let jobs = jobs.clone();
            let thread = std::thread::Builder::new().name("passwords".into());
            thread.spawn(move || work(&jobs)).map_err(dancu_store::Error::File)?;
        }
        let mut bytes = [0; SALT + OUTPUT];
        random(&mut bytes)?;
        let (salt, output) = bytes.split_at(SALT);
        Ok(Self { queue, decoy: phc(salt, output).into() })
    }

    /// A one-time password for an invitation or a reset: the text to hand over, and its hash.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn given_password(&self) -> Result<(Zeroizing<String>, String), Trouble> {
        let text = super::password::given()?;
        let hash = self.hash(&text).await?;
        Ok((text, hash))
    }

    /// Hashes a password under a new salt: the PHC string to store.
    ///
    /// # Errors
    /// [`Trouble::Busy`] where the queue is full.
    pub async fn hash(&self, password: &str) -> Result<String, Trouble> {
        let password = Zeroizing::new(password.to_owned());
        let mut salt = [0; SALT];
        random(&mut salt)?;
        let hashed = self.run(move |bench| bench.hash(&password, &salt)).await?;
        hashed.ok_or(Trouble::Store(dancu_store::Error::Crypto("argon2")))
    }

    /// Whether the password is the one of a stored hash; without one the same work is done and the
    /// answer is no.
    ///
    /// # Errors
    /// [`Trouble::Busy`] where the queue is full: nothing was checked.
    pub async fn verify(&self, stored: Option<&str>, password: &str) -> Result<bool, Trouble> {
        let known = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| self.decoy.clone(), Arc::from);
        let password = Zeroizing::new(password.to_owned());
        let same = self.run(move |bench| bench.verify(&stored, &password)).await?;
        Ok(same && known)
    }

    /// Whether the password is one of several stored hashes: one place in the queue for all.
    ///
    /// # Errors
    /// [`Trouble::Busy`] where the queue is full: nothing was checked.
    pub async fn is_one_of(&self, stored: Vec<String>, password: &str) -> Result<bool, Trouble> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move |bench| stored.iter().any(|s| bench.verify(s, &password))).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bench) -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |bench| {
            // Nobody waits any more: a caller who hangs up costs nothing.
            if !sender.is_closed() {
                let _ = sender.send(work(bench));
            }
        });
        self.queue.try_send(job).map_err(|_| Trouble::Busy)?;
        receiver.await.map_err(|_| Trouble::Busy)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut bench = Bench { blocks: vec![] };
    loop {
        // One thread waits for the next job, the others for their turn to wait.
        let job = jobs.lock().recv();
        match job {
            Ok(job) => job(&mut bench),
            Err(_) => return,
        }
    }
}

/// A thread's memory, used again and again.
struct Bench {
    blocks: Vec<Block>,
}

impl Bench {
    fn hash(&mut self, password: &str, salt: &[u8]) -> Option<String> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
        let mut output = [0; OUTPUT];
        self.fill(params, (password, salt), &mut output)?;
        Some(phc(salt, &output))
    }

    fn verify(&mut self, stored: &str, password: &str) -> bool {
        let Some(Stored { params, salt, output }) = Stored::parse(stored) else { return false };
        let mut found = vec![0; output.len()];
        self.fill(params, (password, &salt), &mut found).is_some()
            && constant_time::verify_slices_are_equal(&found, &output).is_ok()
    }

    fn fill(
        &mut self,
        params: Params,
        (password, salt): (&str, &[u8]),
        output: &mut [u8],
    ) -> Option<()> {
        if self.blocks.len() < params.block_count() {
            self.blocks.resize(params.block_count(), Block::new());
        }
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon
            .hash_password_into_with_memory(password.as_bytes(), salt, output, &mut self.blocks[..])
            .ok()
    }
}

/// A stored hash, read.
struct Stored {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    /// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (PHC string format): what a hash was made with
    /// stands in it, so that stronger figures of tomorrow read the hashes of today.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (figures, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
        let mut figures = figures.split(',');
        let mut figure =
            |name: &str| figures.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok();
        let (memory, passes, lanes) = (figure("m")?, figure("t")?, figure("p")?);
        if memory > MEMORY_MAX_KIB || passes > PASSES_MAX || parts.next().is_some() {
            return None;
        }
        Some(Self {
            params: Params::new(memory, passes, lanes, None).ok()?,
            salt: STANDARD_NO_PAD.decode(salt).ok()?,
            output: STANDARD_NO_PAD.decode(output).ok().filter(|o| o.len() >= OUTPUT)?,
        })
    }
}

fn phc(salt: &[u8], output: &[u8]) -> String {
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A password and its hash by the reference implementation's test of version 19 with 256 KiB,
    /// two passes, one lane: what others made is read, with figures that are not ours.
    const OTHER: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$\
                         nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn hashes_of_others_are_read() {
        let mut bench = Bench { blocks: vec![] };
        assert!(bench.verify(OTHER, "password"));
        assert!(!bench.verify(OTHER, "Password"));
    }

    #[test]
    fn a_hash_tells_its_figures_and_no_password_has_two_equal_ones() {
        let mut bench = Bench { blocks: vec![] };
        let one = bench.hash("ba con vịt qua cầu", &[1; SALT]).unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(bench.hash("ba con vịt qua cầu", &[2; SALT]).unwrap(), one);
        assert!(bench.verify(&one, "ba con vịt qua cầu"));
        assert!(!bench.verify(&one, "ba con vịt qua cau"));
    }

    #[test]
    fn damaged_hashes_fit_no_password() {
        let mut bench = Bench { blocks: vec![] };
        let huge = OTHER.replace("m=256", "m=4294967295");
        let long = OTHER.replace("t=2", "t=4000000000");
        let cut = &OTHER[..OTHER.len() - 20];
        for stored in ["", "password", "$argon2id$v=19$", &huge, &long, cut, &format!("{OTHER}$x")]
        {
            assert!(!bench.verify(stored, "password"), "{stored}");
        }
    }

    #[test]
    fn a_full_queue_says_so_at_once() {
        // No thread takes anything out.
        let (queue, _jobs) = sync_channel::<Job>(QUEUE);
        let hasher = Hasher { queue, decoy: OTHER.into() };
        let mut waiting = vec![];
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..QUEUE {
            let mut check = Box::pin(hasher.verify(None, "x"));
            assert!(check.as_mut().poll(&mut context).is_pending());
            waiting.push(check);
        }
        let mut one_more = Box::pin(hasher.verify(None, "x"));
        let told = one_more.as_mut().poll(&mut context);
        assert!(matches!(told, std::task::Poll::Ready(Err(Trouble::Busy))));
    }
}
