//! The demo's people: one for each first desk, with passwords and secrets that stay the same when
//! the folder is used again.

use anyhow::{Context as _, anyhow};
use dancu_access::people::{People, set_password, totp};
use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::Account;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::roles::{Class, Reach, Role};
use dancu_domain::people::totp::Step;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::registration::DateRange;
use dancu_journal::{Act, Body};
use dancu_store::Store;
use dancu_store::keys::Purpose;
use dancu_store::people::{Person, Revision, Secrets, Totp, insert, save};
use dancu_world::names::officer_name;
use serde_json::{Value, json};

/// Login, role, unit.
const PEOPLE: [(&str, Role, &str); 15] = [
    ("onestop.canbo1", Role::Officer, "H26.001"),
    ("onestop.thutruong", Role::Head, "H26.001"),
    ("onestop.tichhop", Role::Integrator, "H26.001"),
    ("trungtam.vanhanh1", Role::Operator, CENTRE),
    ("trungtam.vanhanh2", Role::Operator, CENTRE),
    ("trungtam.duyetkehoach1", Role::JobPlanApprover, CENTRE),
    ("trungtam.thamdinh1", Role::DossierReviewer, CENTRE),
    ("trungtam.hotro1", Role::Support, CENTRE),
    ("kiemtra.canbo1", Role::Auditor, "G01.902"),
    ("kiemtra.doclap1", Role::IndependentAuditor, "G01.902"),
    ("noivu.thutruong", Role::Head, "H26.003"),
    ("trungtam.thamdinh2", Role::DossierReviewer, CENTRE),
    ("anninh.danhgia1", Role::SecurityAssessor, "H26.006"),
    ("trungtam.thamdinh3", Role::DossierReviewer, CENTRE),
    ("tinh.daumoi1", Role::FocalPoint, "H26"),
];
/// Telephone of support on the demo's pages: no such number is given out.
pub const HELP_PHONE: &str = "1900 0000";
/// Unit of the centre's own staff.
const CENTRE: &str = "G01.900";
/// Names of people are drawn from here on; accounts of systems take the numbers before.
const NAMES_FROM: u64 = 900_000;
/// Personal ids of the demo's people: prefix 099, which no province has; nobody of the demo's
/// population is asked about by them.
const IDS_FROM: u64 = 99_180_000_000;
/// People that are read at once: more than the demo ever has.
const MOST: u32 = 1_000;
/// Letters of a password: none looks like another one. 32 of them carry five bits each.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Letters of a password, in groups of four: 60 bits.
const LENGTH: usize = 12;

/// A demo person as `demo.json` and the walk show it.
pub struct DemoPerson {
    /// Login.
    pub login: String,
    /// Password; `None` where the person has chosen another one since.
    pub password: Option<String>,
    /// Secret of the app, Base32; `None` where it was removed.
    pub totp_secret: Option<String>,
    /// Codes of the roles.
    pub roles: Vec<&'static str>,
    /// Personal id, by which an identity provider names the person.
    pub personal_id: Option<String>,
    secret: Vec<u8>,
}

impl DemoPerson {
    /// As it stands in `demo.json` (contract).
    pub fn json(&self) -> Value {
        json!({
            "login": self.login,
            "password": self.password,
            "totpSecret": self.totp_secret,
            "roles": self.roles,
            "personalId": self.personal_id,
        })
    }

    /// The code of this moment.
    pub fn code(&self, now: MachineTime) -> String {
        totp::code(&self.secret, Step::at(now))
    }
}

/// Makes them where there are none, and lists them.
pub async fn ready(store: &Store, people: &People, now: Moment) -> anyhow::Result<Vec<DemoPerson>> {
    let mut found = store.people().all(PersonId(0), MOST).await?;
    if found.is_empty() {
        make(store, people, now).await?;
        found = store.people().all(PersonId(0), MOST).await?;
    }
    wake(store, &found, now).await?;
    let hasher = people.hasher();
    let mut out = vec![];
    for person in found {
        let login = person.login.as_str().to_owned();
        if !PEOPLE.iter().any(|(ours, ..)| *ours == login) {
            continue;
        }
        let password = password(store, &login)?;
        let holds = hasher.verify(person.secrets.password.as_deref(), &password).await?;
        let secret = person.secrets.totp.map(|t| t.secret).unwrap_or_default();
        out.push(DemoPerson {
            password: holds.then_some(password),
            totp_secret: (!secret.is_empty()).then(|| totp::base32(&secret)),
            personal_id: person.personal_id.map(|id| id.to_string()),
            roles: person.grants.all().iter().map(|grant| grant.role.row().code).collect(),
            login,
            secret,
        });
    }
    Ok(out)
}

/// A password that follows from the folder's key: the same each time, and another in each folder.
fn password(store: &Store, login: &str) -> anyhow::Result<String> {
    let key = store.keys().get(Purpose::Token, 0).context("thiếu khóa (token key)")?;
    let bits = u128::from_be_bytes(key.digest16(&[b"demo password\0", login.as_bytes()]));
    let mut out = String::new();
    for n in 0..LENGTH {
        if n > 0 && n.is_multiple_of(4) {
            out.push('-');
        }
        out.push(char::from(LETTERS[(bits >> (5 * n)) as usize & 31]));
    }
    Ok(out)
}

async fn make(store: &Store, people: &People, now: Moment) -> anyhow::Result<()> {
    let hasher = people.hasher();
    let mut made = vec![];
    for (number, (login, role, unit)) in (1..).zip(PEOPLE) {
        let phc = hasher.hash(&password(store, login)?).await?;
        let mut person = person(store, PersonId(number), (login, role, unit), phc, now)?;
        // Nobody is told the codes: a new set is made in the portal. Without a set each sign-in
        // would begin with that advice.
        person.secrets.recovery = Some(people.recovery_set(person.id)?.1);
        made.push(person);
    }
    let keys = store.keys().clone();
    let count = made.len();
    let act = store.ledger().act(now, move |tx, _| {
        for person in &made {
            insert(tx, &keys, person)?;
        }
        Ok(Body::Act(Act {
            kind: "person.invited".into(),
            actor: "dancu demo".into(),
            system: 0,
            detail: format!("{count} người (people)"),
        }))
    });
    act.await?;
    Ok(())
}

fn person(
    store: &Store,
    id: PersonId,
    (login, role, unit): (&str, Role, &str),
    phc: String,
    now: Moment,
) -> anyhow::Result<Person> {
    let profile = store.profiles().at(now);
    let unit = UnitCode::parse(unit)?;
    // Whoever is on an account list has one name in the list and in the portal.
    let snapshot = store.snapshot(now)?;
    let mut systems = snapshot.systems().iter().filter(|s| s.unit == unit);
    let listed = systems.find_map(|s| s.accounts.find(login).map(|account| account.id.0));
    let number = listed.map_or(NAMES_FROM + u64::from(id.0), u64::from);
    let scope = match role.row().reach {
        Reach::Person => Scope::Person,
        Reach::Unit => Scope::Unit(unit.clone()),
        Reach::Below => Scope::Below(unit.clone()),
        Reach::All => Scope::All,
    };
    let refused = |why: &dyn std::fmt::Debug| anyhow!("không lập được tài khoản mẫu ({why:?})");
    let grant = Grant::new(role, scope, DateRange::default(), None).map_err(|e| refused(&e))?;
    let account = Account::invite(id, Class::of([role]), PersonId(0), now);
    let mut account = account.activate(now, profile).map_err(|e| refused(&e))?;
    account.password = Some(PasswordAge { set_on: now.viet_nam_date(), given: false });
    let mut person = Person {
        id,
        login: Login::parse(login)?,
        name: officer_name(super::SEED, number).as_str().to_owned(),
        unit,
        phone: String::new(),
        personal_id: PersonalId::from_number(IDS_FROM + u64::from(id.0)),
        account,
        grants: Grants::default().with(grant).map_err(|e| refused(&e))?,
        secrets: Secrets {
            totp: Some(Totp { secret: totp::secret()?, last: None, since: now }),
            ..Secrets::default()
        },
        revision: Revision::NEW,
    };
    set_password(&mut person, phc);
    Ok(person)
}

/// A folder that was left for months is used again: its people would all be disabled as idle
/// (E2), the one who could re-enable them too.
async fn wake(store: &Store, found: &[Person], now: Moment) -> anyhow::Result<()> {
    let profile = store.profiles().at(now);
    let awake = |person: &Person| {
        let account = person.account.clone().reenable(PersonId(0), now, profile).ok()?;
        Some(Person { account, ..person.clone() })
    };
    let idle = found.iter().filter(|person| person.account.is_idle(now, profile));
    let woken: Vec<_> = idle.filter_map(awake).collect();
    if woken.is_empty() {
        return Ok(());
    }
    let numbers: Vec<_> = woken.iter().map(|person| format!("#{}", person.id.0)).collect();
    let numbers = numbers.join(" ");
    let keys = store.keys().clone();
    let act = store.ledger().act(now, move |tx, _| {
        for person in &woken {
            save(tx, &keys, person)?;
        }
        Ok(Body::Act(Act {
            kind: "person.reenabled".into(),
            actor: "dancu demo".into(),
            system: 0,
            detail: format!("{numbers}: dùng lại thư mục (the folder is used again)"),
        }))
    });
    act.await?;
    Ok(())
}
