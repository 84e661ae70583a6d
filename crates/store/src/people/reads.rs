//! People read outside of a transaction, from asynchronous code.

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::codes::CodeFailures;
use dancu_domain::people::session::InForce;
use dancu_domain::people::{MachineTime, PersonId};
use tokio::sync::oneshot;

use super::{Event, Person, SESSIONS_READ, SessionRow, codes, events, rows, sealed, sessions};
use crate::engine::{Row, ToValue as _, Value};
use crate::error::Result;
use crate::store::Store;
use crate::values;

/// People as they stand now: each read is one statement. On PostgreSQL it goes over the pool of
/// questions, which only ever connects to a server that takes writes: what another node committed a
/// moment ago is seen, a session that it ended is over here too.
#[derive(Clone, Copy)]
pub struct People<'a> {
    store: &'a Store,
}

impl Store {
    /// People of the portal.
    pub const fn people(&self) -> People<'_> {
        People { store: self }
    }

    /// Rows of one statement, over the pool of questions on PostgreSQL.
    pub(crate) async fn look<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        match &self.reads {
            // Boxed: the future of a read on SQLite is not made larger by it.
            Some(reads) => Box::pin(reads.query(sql, values, read)).await,
            None => self.readers.read(|tx| tx.query(sql, values, read)),
        }
    }
}

impl People<'_> {
    /// [`by_id`](super::by_id).
    pub async fn person_by_id(self, id: PersonId) -> Result<Option<Person>> {
        let key = sealed::key(&self.store.keys)?;
        self.first(rows::BY_ID, values![id.0], |r| rows::read(r, &key)).await
    }

    /// The people of these ids, as far as there are such; sixteen by one statement.
    pub async fn by_ids(self, ids: &[PersonId]) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let mut all = vec![];
        for some in ids.chunks(rows::IDS) {
            // The last one fills what is left of the statement.
            let filled = some.iter().chain(std::iter::repeat(&some[some.len() - 1]));
            let values: Vec<_> = filled.take(rows::IDS).map(|id| id.0.value()).collect();
            all.extend(self.store.look(rows::BY_IDS, &values, |r| rows::read(r, &key)).await?);
        }
        Ok(all)
    }

    /// [`by_login`](super::by_login).
    pub async fn person_by_login(self, login: &Login) -> Result<Option<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let digest = rows::login_digest(&key, login);
        self.first(rows::BY_LOGIN, values![digest], |r| rows::read(r, &key)).await
    }

    /// [`of_unit`](super::of_unit).
    pub async fn of_unit(self, unit: &UnitCode) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let digest = rows::unit_digest(&key, unit);
        self.store.look(rows::OF_UNIT, values![digest], |r| rows::read(r, &key)).await
    }

    /// Everybody with a personal id after one, revoked people and the citizen's own account too, at
    /// most [`OF_PERSONAL_ID_MAX`](rows::OF_PERSONAL_ID_MAX), in the order of their ids;
    /// `PersonId(0)` begins.
    pub async fn of_personal_id(self, id: PersonalId, after: PersonId) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let digest = rows::id_digest(&key, id);
        let values = values![digest, after.0, rows::OF_PERSONAL_ID_MAX];
        self.store.look(rows::OF_PERSONAL_ID, values, |r| rows::read(r, &key)).await
    }

    /// People who are locked for security (D6) after one, in the order of their ids, at most
    /// `limit`; `PersonId(0)` begins.
    pub async fn locked(self, after: PersonId, limit: u32) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        self.store.look(rows::LOCKED, values![after.0, limit], |r| rows::read(r, &key)).await
    }

    /// [`leaders_of`](super::leaders_of).
    pub async fn leaders_of(self, unit: &UnitCode) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let digest = rows::unit_digest(&key, unit);
        self.store.look(rows::LEADERS, values![digest], |r| rows::read(r, &key)).await
    }

    /// Everybody who holds a role of the centre on some day, revoked people too, in the order of
    /// their ids.
    pub async fn of_centre(self) -> Result<Vec<Person>> {
        let mut found = self.by_centre().await?;
        found.retain(rows::of_centre);
        Ok(found)
    }

    /// Everybody who holds a role that the centre gives ([`Role::GIVEN`]) on some day, revoked
    /// people too, in the order of their ids.
    ///
    /// [`Role::GIVEN`]: dancu_domain::people::roles::Role::GIVEN
    pub async fn by_centre(self) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let citizens = rows::citizens_digest(&key);
        let read = |r: &Row<'_>| rows::read(r, &key);
        let mut found = self.store.look(rows::CENTRE, values![citizens], read).await?;
        found.retain(rows::by_centre);
        Ok(found)
    }

    /// [`all`](super::all).
    pub async fn all(self, after: PersonId, limit: u32) -> Result<Vec<Person>> {
        let key = sealed::key(&self.store.keys)?;
        let citizens = rows::citizens_digest(&key);
        let values = values![after.0, citizens, limit];
        self.store.look(rows::PAGE, values, |r| rows::read(r, &key)).await
    }

    /// [`session`](super::session).
    pub async fn session(self, mark: &[u8; 32]) -> Result<Option<(SessionRow, InForce)>> {
        let key = sealed::key(&self.store.keys)?;
        let read = |r: &Row<'_>| sessions::read_live(r, &key);
        self.first(sessions::BY_MARK, values![mark], read).await
    }

    /// [`in_force`](super::in_force).
    pub async fn in_force(self, person: PersonId) -> Result<Option<InForce>> {
        let read = |r: &Row<'_>| sessions::read_in_force(r, 0);
        self.first(sessions::IN_FORCE, values![person.0], read).await
    }

    /// [`code_failures`](super::code_failures), which may be others in a moment; none where there
    /// is no such person.
    pub async fn code_failures(self, person: PersonId) -> Result<Option<CodeFailures>> {
        self.first(codes::OF_PERSON, values![person.0], codes::read).await
    }

    /// [`sessions_of`](super::sessions_of).
    pub async fn sessions_of(self, person: PersonId) -> Result<Vec<SessionRow>> {
        let key = sealed::key(&self.store.keys)?;
        let values = values![person.0, SESSIONS_READ];
        self.store.look(sessions::OF_PERSON, values, |r| sessions::read(r, &key)).await
    }

    /// [`events`](super::events()).
    pub async fn events(self, person: PersonId, limit: u32) -> Result<Vec<Event>> {
        let key = sealed::key(&self.store.keys)?;
        let values = values![person.0, limit];
        let found = self.store.look(events::OF_PERSON, values, |r| events::read(r, &key)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Forgets every session whose 12 hours were over before an instant, a little at a time; for
    /// the work that is done now and then. Returns how many went.
    pub async fn forget_sessions(self, now: Moment, before: MachineTime) -> Result<u64> {
        let mut all = 0;
        loop {
            let (told, mut found) = oneshot::channel();
            let tidied = self.store.ledger.tidy(now, move |tx| {
                // Whoever waits is still there: this call holds the other end.
                let _ = told.send(sessions::forget_sessions(tx, before)?);
                Ok(())
            });
            tidied.await?;
            let gone = found.try_recv().unwrap_or(0);
            all += u64::from(gone);
            if sessions::were_all(gone) {
                return Ok(all);
            }
        }
    }

    async fn first<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.store.look(sql, values, read).await?.into_iter().next())
    }
}
