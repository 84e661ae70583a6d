//! Who suspended a registered account (E3): the head of its unit, the centre, or both. What ends
//! the word of the one does not end the other's.

use dancu_domain::ids::AccountId;

use crate::engine::Tx;
use crate::error::Result;
use crate::values;

/// Who suspended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sides {
    /// The head of the unit.
    pub head: bool,
    /// The centre.
    pub centre: bool,
}

impl Sides {
    /// Whether anybody did.
    #[must_use]
    pub const fn any(self) -> bool {
        self.head || self.centre
    }

    const fn bits(self) -> u8 {
        self.head as u8 | (self.centre as u8) << 1
    }

    /// Bits of a later version are nobody's here.
    const fn from_bits(bits: u8) -> Self {
        Self { head: bits & 1 != 0, centre: bits & 2 != 0 }
    }
}

/// Who suspended an account, as it was written down; nobody where nothing was.
pub fn suspended_by(tx: &mut Tx<'_>, account: AccountId) -> Result<Sides> {
    let sql = "SELECT sides FROM account_suspension WHERE account = $1";
    let found = tx.optional(sql, values![account.0], |r| r.get(0).map(Sides::from_bits))?;
    Ok(found.unwrap_or_default())
}

/// Writes down who suspends an account from now on.
pub fn set_suspended_by(tx: &mut Tx<'_>, account: AccountId, sides: Sides) -> Result<()> {
    if sides.any() {
        let sql = "INSERT INTO account_suspension (account, sides) VALUES ($1, $2) \
                   ON CONFLICT (account) DO UPDATE SET sides = excluded.sides";
        tx.execute(sql, values![account.0, sides.bits()])?;
    } else {
        tx.execute("DELETE FROM account_suspension WHERE account = $1", values![account.0])?;
    }
    Ok(())
}
