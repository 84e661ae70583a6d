//! What the program does by itself: its entries, and work that another node was faster with.

use dancu_domain::ids::SystemId;
use dancu_journal::{Act, Body};
use dancu_store::Error;

use crate::act::Refused;

/// Who the journal names for what the program does by itself.
pub(crate) const PROGRAM: &str = "dancu";
/// What is undone because there was nothing to do: another node was faster.
const NOTHING: &str = "không có việc gì (nothing to do)";

/// There was nothing to do.
pub(crate) fn nothing() -> Error {
    Error::Refused(NOTHING.into())
}

/// An act of the program as its caller takes it: nothing to do is fine.
pub(crate) fn nothing_is_fine(done: Result<u64, Error>) -> Result<(), Error> {
    match done {
        Err(Error::Refused(text)) if text == NOTHING => Ok(()),
        other => other.map(drop),
    }
}

/// A refusal as the ledger takes it.
pub(crate) fn store_error(refused: Refused) -> Error {
    match refused {
        Refused::Store(error) => error,
        other => Error::Refused(other.to_string()),
    }
}

/// An entry of the program.
pub(crate) fn body(kind: &str, system: Option<SystemId>, detail: String) -> Body {
    let system = system.map_or(0, |s| s.0);
    Body::Act(Act { kind: kind.into(), actor: PROGRAM.into(), system, detail })
}
