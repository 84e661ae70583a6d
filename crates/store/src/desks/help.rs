//! Who let a person in again, and when (E2): the last new password, the last word for a lost
//! factor.

use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;

use super::Desks;
use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::values;

const LAST: &str = "SELECT made_by, made_at FROM portal_help WHERE person = $1 AND kind = $2";

/// What somebody did so that a person comes in again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Help {
    /// Gave a new password.
    Password = 0,
    /// Vouched for who lost a factor.
    Factor = 1,
}

/// Who did it last for a person, and when by the product's clock; none where nobody did.
pub fn last_help(
    tx: &mut Tx<'_>,
    person: PersonId,
    help: Help,
) -> Result<Option<(PersonId, Moment)>> {
    tx.optional(LAST, values![person.0, help as u8], read)
}

fn read(r: &Row<'_>) -> Result<(PersonId, Moment)> {
    Ok((PersonId(r.get(0)?), Moment(r.get(1)?)))
}

impl Desks<'_> {
    /// [`last_help`].
    pub async fn last_help(
        self,
        person: PersonId,
        help: Help,
    ) -> Result<Option<(PersonId, Moment)>> {
        let found = self.store.look(LAST, values![person.0, help as u8], read).await?;
        Ok(found.into_iter().next())
    }
}

/// Writes down who did it now.
pub fn note_help(
    tx: &mut Tx<'_>,
    person: PersonId,
    help: Help,
    (by, at): (PersonId, Moment),
) -> Result<()> {
    let sql = "INSERT INTO portal_help (person, kind, made_by, made_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (person, kind) DO UPDATE SET made_by = excluded.made_by, \
               made_at = excluded.made_at";
    tx.execute(sql, values![person.0, help as u8, by.0, at.0])?;
    Ok(())
}
