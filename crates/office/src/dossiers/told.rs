//! Who is told of a step of a dossier: whose turn it is then (B3).

use dancu_domain::dossier::{Dossier, Stage, Step};
use dancu_domain::notices::{Audience, DossierDeed, Notice};
use dancu_store::engine::Tx;

use super::Inside;
use crate::act::Refused;
use crate::notices::tell;

impl Inside {
    /// Tells of what was done, in its transaction; most steps within a stage are nobody's news.
    pub(super) fn notify(&self, tx: &mut Tx<'_>, dossier: &Dossier) -> Result<(), Refused> {
        let closed = || Step::ALL.into_iter().all(|step| dossier.closing(step).is_some());
        let deed = match self.kind {
            "dossier.submitted" => DossierDeed::Submitted,
            "dossier.accepted" => DossierDeed::Accepted,
            "dossier.changesAsked" => DossierDeed::ChangesAsked,
            "dossier.stepDone" | "dossier.exempted" if closed() => DossierDeed::StepsClosed,
            "dossier.approved" if *dossier.stage() == Stage::Approved => DossierDeed::Approved,
            "dossier.live" => DossierDeed::Live,
            "dossier.refused" => DossierDeed::Refused,
            "dossier.withdrawn" => DossierDeed::Withdrawn,
            _ => return Ok(()),
        };
        let unit = || Audience::Heads(dossier.unit().clone(), Some(self.mark.by));
        let integrators = || Audience::Integrators(dossier.unit().clone());
        let to = match deed {
            DossierDeed::Submitted | DossierDeed::StepsClosed | DossierDeed::Withdrawn => {
                vec![Audience::Reviewers]
            }
            DossierDeed::Accepted => vec![unit(), integrators(), Audience::Assessors],
            DossierDeed::Approved => vec![Audience::Operators(Some(self.mark.by)), unit()],
            DossierDeed::ChangesAsked | DossierDeed::Live | DossierDeed::Refused => {
                vec![unit(), integrators()]
            }
        };
        let notice = Notice::Dossier { number: self.at.number.to_string(), deed };
        tell(tx, &self.keys, self.mark.at, &to, &notice)
    }
}
