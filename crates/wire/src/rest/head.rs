//! The five values that every question and every job begins with.

use dancu_domain::ids::{CaseCode, OfficerRef, ProcedureCode, Purpose, RequestId};
use dancu_gate::jobs::types::JobHead;
use dancu_gate::query::Unreadable;

use super::fields::{self, At, Reader};
use super::raw::Raw;

/// The raw values, as they stand in a body or in the query of an address.
pub(super) struct RawHead<'r> {
    pub(super) request_id: &'r Raw<'r>,
    pub(super) procedure: &'r Raw<'r>,
    pub(super) purpose: &'r Raw<'r>,
    pub(super) case: &'r Raw<'r>,
    pub(super) account: &'r Raw<'r>,
}

/// What could be read of them; a required value that is missing has its error in the reader.
pub(super) struct Head {
    request_id: Option<RequestId>,
    procedure: Option<ProcedureCode>,
    purpose: Option<Purpose>,
    case: Option<CaseCode>,
    officer: Option<OfficerRef>,
}

impl Head {
    /// Reads the values and notes what is wrong with them.
    pub(super) fn read(r: &mut Reader, raw: &RawHead<'_>) -> Self {
        Self {
            request_id: r.required(raw.request_id, At::root("requestId"), fields::request_id),
            procedure: r.required(raw.procedure, At::root("procedureCode"), fields::procedure),
            purpose: r.optional(raw.purpose, At::root("purpose"), fields::purpose),
            case: r.optional(raw.case, At::root("caseCode"), fields::case_code),
            officer: r.required(raw.account, At::root("account"), fields::account),
        }
    }

    pub(super) const fn officer(&self) -> Option<&OfficerRef> {
        self.officer.as_ref()
    }

    /// The whole head if `rest` is there too and the reader found nothing wrong.
    ///
    /// # Errors
    /// What `unreadable` makes, with what could be read and everything that is wrong, by field;
    /// never a value.
    pub(super) fn with<T>(
        self,
        rest: Option<T>,
        mut reader: Reader,
        unreadable: impl FnOnce(&mut Reader) -> Unreadable,
    ) -> Result<(JobHead, T), Box<Unreadable>> {
        let Self { request_id, procedure, purpose, case, officer } = self;
        match (reader.errors.is_empty(), request_id, procedure, officer, rest) {
            (true, Some(request_id), Some(procedure), Some(officer), Some(rest)) => {
                let (unit, x_road_user) = (None, None);
                let head =
                    JobHead { request_id, officer, procedure, purpose, case, unit, x_road_user };
                Ok((head, rest))
            }
            (_, request_id, procedure, officer, _) => {
                let unreadable = unreadable(&mut reader);
                let errors = reader.errors;
                Err(Box::new(Unreadable {
                    errors,
                    request_id,
                    officer,
                    procedure,
                    case,
                    ..unreadable
                }))
            }
        }
    }
}
