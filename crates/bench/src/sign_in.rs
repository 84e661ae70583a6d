//! Sign-ins of people: password check and session, with their entry durable, as many at a time as
//! asked for, on a store of its own. What it shows is what a machine does at 07:50.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use dancu_access::people::{
    Mark, Outcome, People, Settings, Site, Trouble, Visit, new_cookie, set_password,
};
use dancu_domain::ids::{Login, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::Account;
use dancu_domain::people::factors::Device;
use dancu_domain::people::grants::Grants;
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::roles::Class;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::people::{self, KnownDevice, Person, Revision, Secrets, Totp};
use dancu_store::{OpenOptions, Store};

use crate::histogram::Histogram;
use crate::machine;

/// What everybody's password is here.
const PASSWORD: &str = "ba con vịt qua cầu";

/// What to do.
pub struct SignInPlan {
    /// Folder on the disk to measure; a folder of this run is made in it and removed afterwards.
    pub dir: PathBuf,
    /// Length of the run.
    pub duration: Duration,
    /// Threads that hash.
    pub threads: usize,
    /// People who sign in, each again and again.
    pub people: u32,
}

/// The figures of a run.
pub struct SignIns {
    /// Time of each sign-in, from the password to the session.
    pub latency: Histogram,
    /// How often the queue was full and the person was asked to come back.
    pub busy: u64,
    /// Length of the run.
    pub elapsed: Duration,
}

impl SignIns {
    /// Sign-ins per second.
    pub fn per_second(&self) -> f64 {
        self.latency.count() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs it.
pub async fn measure(plan: &SignInPlan) -> anyhow::Result<SignIns> {
    let folder = plan.dir.join(format!("sign-in-{}.bench", std::process::id()));
    std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
    let result = measure_in(plan, &folder).await;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn measure_in(plan: &SignInPlan, folder: &Path) -> anyhow::Result<SignIns> {
    ensure!(plan.people > 0 && plan.threads > 0, "nothing to measure");
    let (now, _) = clocks()?;
    let options = OpenOptions {
        profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE)?),
        master_key: <_>::default(),
        now,
        migrate: true,
        database: None,
    };
    let store = Arc::new(Store::open(folder, options)?);
    let site = Site { name: "dancu".into(), origin: "http://localhost".into() };
    let settings = Settings { threads: plan.threads, networks: vec![], site };
    let engine = Arc::new(People::new(store.clone(), settings, |_, _| {})?);
    let cookies = fill(&engine, plan.people).await?;

    let began = Instant::now();
    let end = began + plan.duration;
    let tasks: Vec<_> = (1..)
        .zip(cookies)
        .map(|(number, cookie)| tokio::spawn(person(engine.clone(), number, cookie, end)))
        .collect();
    let mut figures =
        SignIns { latency: Histogram::default(), busy: 0, elapsed: Duration::default() };
    for task in tasks {
        let (latency, busy) = task.await??;
        figures.latency.merge(&latency);
        figures.busy += busy;
    }
    figures.elapsed = began.elapsed();
    store.stop();
    Ok(figures)
}

/// One person at an enrolled device: the factor was given this morning, the password is now.
async fn person(
    engine: Arc<People>,
    number: u32,
    device: String,
    end: Instant,
) -> anyhow::Result<(Histogram, u64)> {
    let (login, browser) = (login(number), new_cookie()?);
    let (mut latency, mut busy) = (Histogram::default(), 0);
    while Instant::now() < end {
        let (at, machine) = clocks()?;
        let visit = Visit {
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            agent: "dancu-bench",
            browser: &browser,
            device: Some(&device),
            at,
            machine,
        };
        let began = Instant::now();
        match engine.begin(&visit, &login, PASSWORD, None, false).await {
            Ok(Outcome::Done(_)) => latency.record(began.elapsed()),
            Err(Trouble::Busy) => {
                busy += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(_) => anyhow::bail!("somebody was not let in"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((latency, busy))
}

/// Makes the people, each with a device; the devices' cookies.
async fn fill(engine: &People, number: u32) -> anyhow::Result<Vec<String>> {
    let (at, _) = clocks()?;
    let (mut all, mut cookies) = (vec![], vec![]);
    let hash = engine.hasher().hash(PASSWORD).await?;
    for n in 1..=number {
        let cookie = new_cookie()?;
        let mark = Mark::of(&cookie).context("cookie")?;
        all.push(someone(engine, n, mark, (at, &hash))?);
        cookies.push(cookie);
    }
    let keys = engine.store().keys().clone();
    let inserted = engine.store().ledger().act(at, move |tx, _| {
        for person in &all {
            people::insert(tx, &keys, person)?;
        }
        let (kind, actor) = ("bench".to_owned(), "dancu-bench".to_owned());
        Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
    });
    inserted.await?;
    Ok(cookies)
}

fn someone(
    engine: &People,
    n: u32,
    mark: Mark,
    (at, hash): (Moment, &str),
) -> anyhow::Result<Person> {
    let id = PersonId(n);
    let mut account = Account::invite(id, Class::Staff, PersonId(u32::MAX), at);
    account.password = Some(PasswordAge { set_on: at.viet_nam_date(), given: false });
    let account = account.activate(at, engine.store().profiles().at(at))?;
    let device = Device { person: id, epoch: account.epoch, used: at, mfa: Some(at) };
    let known = KnownDevice { mark: mark.0, name: "bench".into(), device };
    let totp = Totp { secret: vec![7; 20], last: None, since: at };
    let mut person = Person {
        id,
        login: Login::parse(&login(n))?,
        name: "Người Thử".into(),
        unit: UnitCode::parse("H26.001")?,
        phone: String::new(),
        personal_id: None,
        account,
        grants: Grants::default(),
        secrets: Secrets { totp: Some(totp), devices: vec![known], ..Secrets::default() },
        revision: Revision::NEW,
    };
    set_password(&mut person, hash.to_owned());
    Ok(person)
}

fn login(n: u32) -> String {
    format!("canbo.{n:06}")
}

/// Both clocks say the machine's time.
fn clocks() -> anyhow::Result<(Moment, MachineTime)> {
    let ms = i64::try_from(machine::since_1970().as_millis())?;
    Ok((Moment(ms), MachineTime(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn people_sign_in() {
        let plan = SignInPlan {
            dir: std::env::temp_dir(),
            duration: Duration::from_millis(500),
            threads: 1,
            people: 3,
        };
        let figures = measure(&plan).await.unwrap();
        assert!(figures.latency.count() >= 3);
        assert!(figures.per_second() > 0.0);
    }
}
