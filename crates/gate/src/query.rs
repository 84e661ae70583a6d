//! What callers ask and what they are told, independent of any wire format.

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::geo::AskedPlace;
use dancu_domain::ids::{
    CaseCode, OfficerRef, OldId, PersonalId, ProcedureCode, Purpose, RequestId, SubjectId, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::name::{FullName, NameQuery};
use dancu_domain::person::{
    Address, BloodGroup, Country, Dataset, HouseholdRole, MaritalStatus, Person, Relative, Sex,
    Stamp, VitalStatus,
};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::service::{Field, FieldSet, Service};
use serde::{Deserialize, Serialize};

/// One question of an authenticated system: the common head and what is asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// Mã yêu cầu.
    pub request_id: RequestId,
    /// The officer as named on the wire: TaiKhoan if sent, else MaCanBo; `account` in REST.
    pub officer: OfficerRef,
    /// MaCanBo where TaiKhoan was sent too: it must name the same account (E1).
    pub second_name: Option<OfficerRef>,
    /// Mã thủ tục (MaDVC).
    pub procedure: ProcedureCode,
    /// Purpose, where stated (REST).
    pub purpose: Option<Purpose>,
    /// Case: `caseCode`, MaHoSo or X-Road `issue`.
    pub case: Option<CaseCode>,
    /// Mã đơn vị, where stated; else the system's own unit.
    pub unit: Option<UnitCode>,
    /// X-Road `userId`, journaled where sent; at most 60 characters.
    pub x_road_user: Option<String>,
    /// The service; `ask` fits it.
    pub service: Service,
    /// About whom.
    pub subject: Subject,
    /// What.
    pub ask: Ask,
    /// Digest of the body's meaning (JSON value, XML infoset): same digest = same body.
    pub body: [u8; 16],
}

/// The three keys of a citizen. All must agree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// Số định danh or số CMND.
    pub id: SubjectId,
    /// Họ và tên, in any habit.
    pub name: NameQuery,
    /// Ngày sinh or năm sinh.
    pub birth: BirthDate,
}

/// What is asked about the subject.
#[derive(Clone)]
pub enum Ask {
    /// Exists and matches, with claims about fields.
    Verify(Vec<Claim>),
    /// Granted fields (look up, provide).
    Lookup,
    /// Of the granted fields only these (the counter): what is not shown is not delivered (A4).
    Fields(FieldSet),
    /// Granted fields of every member.
    Household,
    /// Is `other` the subject's relative of one of these kinds?
    Relation(Vec<Relation>, Box<RelativeQuery>),
    /// Does the subject live there now?
    Residence(AddressQuery),
    /// Is this the subject's marital status?
    Marital(MaritalStatus),
    /// Is this the subject's vital status (1 alive, 2 dead, 3 missing)?
    Vital(u8),
    /// Blood group.
    BloodGroup,
}

/// Relations that can be verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Relation {
    /// Cha.
    Father,
    /// Mẹ.
    Mother,
    /// Vợ hoặc chồng.
    Spouse,
    /// Người giám hộ.
    Guardian,
    /// Chủ hộ.
    HouseholdHead,
}

impl Relation {
    /// The field that a relation check needs granted.
    pub const fn field(self) -> Field {
        match self {
            Self::Father => Field::Father,
            Self::Mother => Field::Mother,
            Self::Spouse => Field::Spouse,
            Self::Guardian => Field::Guardian,
            Self::HouseholdHead => Field::HouseholdHead,
        }
    }
}

/// A relative as a caller describes one: the name, and what else is known.
#[derive(Clone, Serialize, Deserialize)]
pub struct RelativeQuery {
    /// Họ tên.
    pub name: NameQuery,
    /// Số định danh.
    pub personal_id: Option<PersonalId>,
    /// Số CMND.
    pub old_id: Option<OldId>,
    /// Ngày sinh; compared where the relative's own record can be found.
    pub birth: Option<BirthDate>,
    /// Quốc tịch.
    pub nationality: Option<Country>,
}

/// An address as a caller claims it: empty parts are not compared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressQuery {
    /// Province code; 0 = not stated.
    pub province: u8,
    /// District code of the list of 2024; 0 = not stated.
    pub district: u16,
    /// Commune code; 0 = not stated.
    pub commune: u32,
    /// House, street, hamlet; compared without accents, case and punctuation.
    pub detail: Option<String>,
    /// Quốc gia.
    pub country: Option<Country>,
    /// The list that the codes are read by.
    pub dataset: Dataset,
}

impl AddressQuery {
    /// The codes; `None` where none is stated.
    pub fn place(&self) -> Option<AskedPlace> {
        let Self { province, district, commune, dataset, .. } = *self;
        let stated = (province, district, commune) != (0, 0, 0);
        stated.then_some(AskedPlace { province, district, commune, dataset })
    }
}

/// A claim about one field of the subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Which field.
    pub field: Field,
    /// The value that the caller holds.
    pub value: ClaimValue,
}

/// The value of a claim, by kind of field.
#[derive(Clone, Serialize, Deserialize)]
pub enum ClaimValue {
    /// personalId, oldId.
    Id(SubjectId),
    /// fullName, otherName.
    Name(NameQuery),
    /// dateOfBirth.
    Birth(BirthDate),
    /// sex.
    Sex(Sex),
    /// ethnicity, religion: the code.
    Code(u8),
    /// nationality.
    Country(Country),
    /// maritalStatus.
    Marital(MaritalStatus),
    /// bloodGroup.
    Blood(BloodGroup),
    /// birthPlace … currentResidence.
    Address(AddressQuery),
    /// father … householdHead.
    Relative(Box<RelativeQuery>),
    /// householdRole.
    Role(HouseholdRole),
    /// householdNumber.
    Text(String),
    /// vitalStatus: 1 alive, 2 dead, 3 missing.
    Vital(u8),
}

/// How a claim compares with the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClaimResult {
    /// Khớp.
    Match,
    /// Không khớp.
    Mismatch,
    /// Không có dữ liệu: the registry holds nothing to compare with.
    Unknown,
}

impl ClaimResult {
    /// The word in REST answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::Unknown => "unknown",
        }
    }
}

/// What the registry says, already cut to what is granted.
#[derive(Clone)]
pub enum Answer {
    /// No such citizen, or the three keys do not agree. Never says which.
    NoMatch,
    /// The three keys agree; the claims in the order asked.
    Match {
        /// Full, or by year only.
        precision: Precision,
        /// `None` where vitalStatus is not granted; else alive, dead or (inner `None`) missing.
        alive: Option<Option<bool>>,
        /// One result per claim.
        claims: Vec<(Field, ClaimResult)>,
        /// Where what was compared comes from; told in the portal only, else empty.
        sources: Vec<(Field, Stamp)>,
    },
    /// A citizen's granted fields.
    Citizen {
        /// Full, or by year only.
        precision: Precision,
        /// The fields that may be shown.
        citizen: Box<Disclosed>,
    },
    /// A household's members, the head first.
    Household {
        /// Full, or by year only.
        precision: Precision,
        /// `None`: the citizen belongs to no household.
        household: Option<DisclosedHousehold>,
    },
    /// A relation, residence, marital or vital check; only where the keys agree.
    Checked {
        /// Full, or by year only.
        precision: Precision,
        /// Result.
        result: ClaimResult,
    },
    /// Blood group; only where the keys agree.
    Blood {
        /// Full, or by year only.
        precision: Precision,
        /// Code 00-04.
        group: BloodGroup,
    },
}

/// A record with the fields that may be shown. The record never leaves the gate without its set.
#[derive(Clone, Serialize, Deserialize)]
pub struct Disclosed {
    person: Person,
    fields: FieldSet,
    old_id_asked: Option<OldId>,
}

/// What is asked and answered about a person never stands in debug output; its kind does.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
redacted!(RelativeQuery, AddressQuery, ClaimValue, DisclosedHousehold);

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Verify(claims) => return f.debug_tuple("Verify").field(claims).finish(),
            Self::Lookup => "Lookup",
            Self::Fields(fields) => return f.debug_tuple("Fields").field(fields).finish(),
            Self::Household => "Household",
            Self::Relation(kinds, _) => return write!(f, "Relation({kinds:?}, ***)"),
            Self::Residence(_) => "Residence(***)",
            Self::Marital(_) => "Marital(***)",
            Self::Vital(_) => "Vital(***)",
            Self::BloodGroup => "BloodGroup",
        })
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoMatch => "NoMatch",
            Self::Match { .. } => "Match(***)",
            Self::Citizen { .. } => "Citizen(***)",
            Self::Household { .. } => "Household(***)",
            Self::Checked { .. } => "Checked(***)",
            Self::Blood { .. } => "Blood(***)",
        })
    }
}

impl std::fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Disclosed(***, {:?})", self.fields)
    }
}

macro_rules! shown {
    ($($(#[$doc:meta])* $name:ident: $field:ident -> $type:ty = |$p:ident| $value:expr;)*) => {
        impl Disclosed {
            $($(#[$doc])*
            pub fn $name(&self) -> Option<$type> {
                let $p = &self.person;
                if self.fields.contains(Field::$field) { $value } else { None }
            })*
        }
    };
}
shown! {
    /// Số định danh, if granted.
    personal_id: PersonalId -> PersonalId = |p| Some(p.personal_id);
    /// Họ tên, if granted.
    full_name: FullName -> &str = |p| Some(p.full_name.as_str());
    /// Tên gọi khác, if granted and known.
    other_name: OtherName -> &str = |p| p.other_name.as_ref().map(FullName::as_str);
    /// Ngày sinh, if granted.
    birth: DateOfBirth -> BirthDate = |p| Some(p.birth);
    /// Giới tính, if granted.
    sex: Sex -> Sex = |p| Some(p.sex);
    /// Dân tộc, if granted.
    ethnicity: Ethnicity -> u8 = |p| Some(p.ethnicity);
    /// Tôn giáo, if granted.
    religion: Religion -> u8 = |p| Some(p.religion);
    /// Quốc tịch, if granted.
    nationality: Nationality -> &str = |p| Some(p.nationality.as_str());
    /// Tình trạng hôn nhân, if granted.
    marital: MaritalStatus -> MaritalStatus = |p| Some(p.marital);
    /// Nhóm máu, if granted.
    blood: BloodGroup -> BloodGroup = |p| Some(p.blood);
    /// Nơi sinh, if granted and known.
    birth_place: BirthPlace -> &Address = |p| p.birth_place.as_ref();
    /// Nơi đăng ký khai sinh, if granted and known.
    birth_registration: BirthRegistration -> &Address = |p| p.birth_registration.as_ref();
    /// Quê quán, if granted and known.
    origin: Origin -> &Address = |p| p.origin.as_ref();
    /// Thường trú, if granted and known.
    permanent: PermanentResidence -> &Address = |p| p.permanent.as_ref();
    /// Tạm trú, if granted and known.
    temporary: TemporaryResidence -> &Address = |p| p.temporary.as_ref();
    /// Nơi ở hiện tại, if granted and known.
    current: CurrentResidence -> &Address = |p| p.current.as_ref();
    /// Cha, if granted and known.
    father: Father -> &Relative = |p| p.father.as_ref();
    /// Mẹ, if granted and known.
    mother: Mother -> &Relative = |p| p.mother.as_ref();
    /// Vợ/chồng, if granted and known.
    spouse: Spouse -> &Relative = |p| p.spouse.as_ref();
    /// Người giám hộ, if granted and known.
    guardian: Guardian -> &Relative = |p| p.guardian.as_ref();
    /// Chủ hộ, if granted and known.
    household_head: HouseholdHead -> &Relative = |p| p.household.as_ref().map(|h| &h.head);
    /// Quan hệ với chủ hộ, if granted and known.
    household_role: HouseholdRole -> HouseholdRole = |p| p.household.as_ref().map(|h| h.role);
    /// Số sổ hộ khẩu, if granted and known.
    household_number: HouseholdNumber -> &str =
        |p| p.household.as_ref().map(|h| h.number.as_str());
    /// Sống, chết, mất tích, if granted.
    vital: VitalStatus -> VitalStatus = |p| Some(p.vital);
}

impl Disclosed {
    /// Cuts a record to the granted fields.
    pub fn new(person: Person, fields: FieldSet, old_id_asked: Option<OldId>) -> Self {
        Self { person, fields, old_id_asked }
    }

    /// Số CMND, if granted: the one asked by, else the current one.
    pub fn old_id(&self) -> Option<OldId> {
        let known = self.old_id_asked.filter(|id| self.person.old_ids.contains(id));
        let id = known.or_else(|| self.person.old_ids.first().copied());
        if self.fields.contains(Field::OldId) { id } else { None }
    }

    /// The fields that may be shown.
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// Where a field comes from, if it is granted.
    pub fn stamp(&self, field: Field) -> Option<Stamp> {
        self.fields.contains(field).then(|| self.person.sources.of(field))
    }

    /// Shows nothing any more but these fields: what was granted once may be withdrawn (A4).
    pub(crate) fn cut(&mut self, fields: FieldSet) {
        self.fields = self.fields.and(fields);
    }
}

/// A household as it may be shown.
#[derive(Clone)]
pub struct DisclosedHousehold {
    /// Số hộ, if granted.
    pub number: Option<String>,
    /// Members, the head first, each cut to the granted fields.
    pub members: Vec<Disclosed>,
    /// Members of the household on record; of more than 50 only the first 50 are told.
    pub size: usize,
}

/// What every reply tells about the line (D2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Left on the line after this question.
    pub remaining: u32,
    /// When the line's count begins anew.
    pub resets_at: Moment,
}

/// A 16-byte id under which the refusal or answer can be asked for later; 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CorrelationId(pub [u8; 16]);

impl std::fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// The reply to a question. It exists only after its journal entry is durable.
#[derive(Clone, Debug)]
pub struct Reply {
    /// To ask about this reply later.
    pub correlation: CorrelationId,
    /// Index of the journal entry; `None` only where nothing could be journaled (503).
    pub journal_index: Option<u64>,
    /// Left on the line, where the line could be determined.
    pub usage: Option<Usage>,
    /// The answer or the refusal.
    pub result: Result<Answer, Denied>,
}

/// A refusal with what the caller sent wrong, where that is the reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    /// Reason, rule, retry time.
    pub refusal: Refusal,
    /// Input errors; empty for other reasons.
    pub errors: Vec<FieldError>,
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self { refusal: reason.into(), errors: vec![] }
    }
}

/// One input that could not be read. Never holds the value itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldError {
    /// Path of the field as the caller names it, e.g. `subject.personalId` or `SoDinhDanh`.
    pub field: String,
    /// What is wrong, in Vietnamese.
    pub message_vi: String,
}

/// A question that could not be read: refused as input and journaled with what could be read.
#[derive(Clone, Debug, Default)]
pub struct Unreadable {
    /// What is wrong; never empty.
    pub errors: Vec<FieldError>,
    /// [`Reason::InvalidInput`] where `None`; else TooLarge or NotOffered.
    pub reason: Option<Reason>,
    /// The service, where known.
    pub service: Option<Service>,
    /// Mã yêu cầu, where readable.
    pub request_id: Option<RequestId>,
    /// The officer, where readable.
    pub officer: Option<OfficerRef>,
    /// Procedure, where readable.
    pub procedure: Option<ProcedureCode>,
    /// Case, where readable.
    pub case: Option<CaseCode>,
    /// X-Road `userId`, where readable.
    pub x_road_user: Option<String>,
}
