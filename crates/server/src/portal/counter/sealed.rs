//! The person whom the next form is about, carried by the page and sealed: nobody reads it there,
//! nothing of it is kept on the server, and any node goes on with it. It opens in the session it
//! was made in, for a quarter of an hour.

use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::MachineTime;
use dancu_gate::query::Subject;
use serde::{Deserialize, Serialize};

use crate::portal::sealed;
use crate::portal::signed::Signed;

/// A page is gone on with for so long, ms (*ours*): as long as an officer deals with one person,
/// and no longer than the screen stays open by itself.
const KEPT_MS: i64 = 15 * MINUTE_MS;
/// Another version does not open.
const LABEL: &str = "dancu counter 3";

/// About whom, and why.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// System code.
    pub(super) system: String,
    /// Procedure code.
    pub(super) procedure: String,
    /// Case code; empty where none was given.
    pub(super) case: String,
    /// The three keys.
    pub(super) subject: Subject,
    /// The name as it was asked.
    pub(super) name: String,
    /// Whether the person was told to be dead, and when, as far as that was told: said again with
    /// each field that is opened.
    pub(super) deceased: Option<String>,
    /// What was told of the person on the page that carries this, so that it stays there while
    /// another field is opened. Each of these was journaled when it was delivered.
    pub(super) told: Vec<Told>,
    /// When the person was asked about, ms of the machine's clock.
    pub(super) at: i64,
}

/// A field that was delivered, in words.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Told {
    /// Code of the field.
    pub(super) field: String,
    pub(super) value: String,
    /// Where it comes from, with the day.
    pub(super) source: String,
}

impl Kept {
    fn is_fresh(&self, now: MachineTime) -> bool {
        now.since(MachineTime(self.at)) < KEPT_MS
    }
}

/// Seals it for a hidden field; none where the machine gives no randomness.
pub(super) fn seal(signed: &Signed, kept: &Kept) -> Option<String> {
    sealed::seal(signed, LABEL, kept)
}

/// Opens what this session sealed a short while ago.
pub(super) fn open(signed: &Signed, text: &str) -> Option<Kept> {
    sealed::open(signed, LABEL, text).filter(|kept: &Kept| kept.is_fresh(signed.machine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::birth::BirthDate;
    use dancu_domain::ids::{PersonalId, SubjectId};
    use dancu_domain::name::NameQuery;

    const NOW: MachineTime = MachineTime(1_772_409_600_000);

    fn kept() -> Kept {
        let id = SubjectId::Personal(PersonalId::parse("099303000417").unwrap());
        let name = NameQuery::parse("Nguyễn Văn Mẫu").unwrap();
        Kept {
            system: "ONESTOP".into(),
            procedure: "1.004194".into(),
            case: String::new(),
            subject: Subject { id, name, birth: BirthDate::Year(1990) },
            name: "Nguyễn Văn Mẫu".into(),
            deceased: None,
            told: vec![],
            at: NOW.0,
        }
    }

    #[test]
    fn it_is_gone_on_with_for_a_while_and_comes_back_whole() {
        let fresh = |after| kept().is_fresh(NOW.plus_ms(after));
        assert!(fresh(0) && fresh(KEPT_MS - 1) && !fresh(KEPT_MS));
        let text = serde_json::to_string(&kept()).unwrap();
        let back: Kept = serde_json::from_str(&text).unwrap();
        assert_eq!((back.system.as_str(), back.subject.birth), ("ONESTOP", BirthDate::Year(1990)));
    }
}
