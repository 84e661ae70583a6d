//! The conformance run of a client on the sandbox (B3): what it has to show, and a pure step that
//! ticks it off from entries of the journal. What no entry can show is not asked for.

mod report;
#[cfg(test)]
mod tests;

pub use self::report::{FORMAT, Report, ReportCase};
use crate::moment::MINUTE_MS;
use crate::refusal::Reason;
use crate::rule::RuleId;
use crate::service::{Service, ServiceSet, Window};

/// How long a run lasts by the machine's clock, ms (*ours*): the sandbox's own clock is moved
/// during it.
pub const RUN_MS: i64 = 30 * MINUTE_MS;
/// Entries that are kept as evidence of one case.
pub const EVIDENCE_MAX: usize = 3;
/// Refusals that nobody asked for, told at most: enough to see what a client does wrong.
pub const UNEXPECTED_MAX: usize = 20;
/// Request ids of questions that were cut off, remembered at most.
pub const CUT_OFF_MAX: usize = 64;

macro_rules! cases {
    ($($(#[$doc:meta])* $case:ident: $code:literal, $vi:literal, $en:literal, $do_vi:literal,
        $do_en:literal;)*) => {
        /// What a client has to show.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Case { $($(#[$doc])* $case,)* }

        impl Case {
            /// Every case, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$case),*];

            /// The word in reports.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$case => $code,)* }
            }

            /// Name, and what is still to be sent, in Vietnamese and in English.
            #[must_use]
            pub const fn text(self) -> Text {
                match self {
                    $(Self::$case => Text {
                        name_vi: $vi,
                        name: $en,
                        send_vi: $do_vi,
                        send: $do_en,
                    },)*
                }
            }
        }
    };
}

/// The texts of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    /// Name in Vietnamese.
    pub name_vi: &'static str,
    /// Name in English.
    pub name: &'static str,
    /// What to send, in Vietnamese.
    pub send_vi: &'static str,
    /// What to send, in English.
    pub send: &'static str,
}

cases! {
    /// A verification that agrees.
    Match: "match", "Xác thực khớp", "Verification that agrees",
        "Xác thực người mẫu “thường” với đủ họ tên và ngày sinh đúng.",
        "Verify the persona “ordinary” with the right name and date of birth.";
    /// A verification that does not agree.
    NoMatch: "noMatch", "Xác thực không khớp", "Verification that does not agree",
        "Xác thực người mẫu “thường” với họ tên sai.",
        "Verify the persona “ordinary” with a wrong name.";
    /// A look-up that is answered.
    LookUp: "lookUp", "Tra cứu có kết quả", "Look-up with an answer",
        "Tra cứu người mẫu “thường”.", "Look up the persona “ordinary”.";
    /// A person of whom the year of birth alone is known.
    YearOnly: "yearOnly", "Chỉ có năm sinh", "Year of birth only",
        "Xác thực người mẫu “chỉ có năm sinh” với năm sinh bốn chữ số.",
        "Verify the persona “year only” with a year of four digits.";
    /// A person who has died.
    Deceased: "deceased", "Người đã mất", "Deceased person",
        "Xác thực người mẫu “đã mất”; kết quả khớp, báo không còn sống.",
        "Verify the persona “deceased”; it agrees and says not alive.";
    /// Nobody has the id.
    NotFound: "notFound", "Không có trong dữ liệu", "Nobody found",
        "Xác thực hoặc tra cứu người mẫu “không có”.",
        "Verify or look up the persona “nobody”.";
    /// What is not granted is refused (A4).
    NotGranted: "notGranted", "Trường hoặc dịch vụ không được cấp", "Field or service not granted",
        "Hỏi một dịch vụ hoặc trường không có trong danh sách được cấp; bị từ chối theo A4.",
        "Ask for a service or field that is not granted; it is refused by A4.";
    /// The count is used up (D2).
    OverCount: "overCount", "Hết số lượt", "Count used up",
        "Hỏi bằng tài khoản thứ hai cho đến khi bị từ chối theo D2.",
        "Ask with the second account until it is refused by D2.";
    /// The same request once more.
    Repeat: "repeat", "Gửi lại cùng mã yêu cầu", "Same request id, same body",
        "Gửi lại nguyên một yêu cầu đã được trả lời; không bị tính thêm lượt.",
        "Send a request that was answered once more; it is not counted again.";
    /// The same request id with another body.
    OtherBody: "otherBody", "Cùng mã yêu cầu, nội dung khác", "Same request id, other body",
        "Gửi nội dung khác với mã yêu cầu đã được trả lời; bị từ chối 409.",
        "Send another body with an answered request id; it is refused with 409.";
    /// Answered in hours (D1).
    InHours: "inHours", "Trong giờ hành chính", "In office hours",
        "Hỏi trong giờ hành chính theo đồng hồ môi trường thử.",
        "Ask in office hours by the sandbox clock.";
    /// Answered off hours (D1).
    OffHours: "offHours", "Ngoài giờ hành chính", "Off office hours",
        "Chỉnh đồng hồ môi trường thử sang ngoài giờ rồi hỏi.",
        "Move the sandbox clock off hours, then ask.";
    /// Cut off with 503, asked again with the same request id.
    Outage: "outage", "Gián đoạn 503", "Outage (503)",
        "Hỏi người mẫu “gián đoạn”: lần đầu nhận 503; gửi lại đúng yêu cầu đó với cùng mã yêu cầu.",
        "Ask about the persona “outage”: 503 at first; send the same request with the same id.";
}

/// Whom a question was about, as far as a run has to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    /// Year of birth alone is known.
    YearOnly,
    /// Has died.
    Deceased,
    /// Nobody has the id.
    Nobody,
    /// Anybody else.
    Other,
}

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Answered: the three keys agree.
    Match,
    /// Answered: they do not.
    NoMatch,
    /// Answered with data, or that there are none.
    Data,
    /// Answered otherwise.
    Other,
    /// Answered once more, not counted.
    Repeat,
    /// Refused.
    Refused(Reason),
}

/// An entry of the journal, as far as a run looks at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Position in the journal.
    pub index: u64,
    /// Request id.
    pub request_id: String,
    /// Service; none: it could not be read.
    pub service: Option<Service>,
    /// Window of its arrival.
    pub window: Window,
    /// About whom.
    pub whom: Whom,
    /// What became of it.
    pub outcome: Outcome,
}

/// A case of a run, with the entries that show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The case.
    pub case: Case,
    /// Indexes of entries, at most [`EVIDENCE_MAX`]; none: still to be shown.
    pub entries: Vec<u64>,
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    cases: Vec<Shown>,
    unexpected: Vec<(u64, Reason)>,
    cut_off: Vec<String>,
}

impl Run {
    /// A run of a system with these services and a line in these windows, in hours and off hours:
    /// what it cannot show is left out.
    #[must_use]
    pub fn new(granted: ServiceSet, [in_hours, off_hours]: [bool; 2]) -> Self {
        let asked = |case: &Case| match case {
            Case::Match | Case::NoMatch | Case::YearOnly | Case::Deceased => {
                granted.contains(Service::CitizenVerify)
            }
            Case::LookUp => granted.contains(Service::CitizenLookup),
            Case::NotGranted => granted != ServiceSet::ALL,
            Case::InHours => in_hours,
            Case::OffHours => off_hours,
            _ => true,
        };
        let cases = Case::ALL.iter().copied().filter(asked);
        let cases = cases.map(|case| Shown { case, entries: vec![] }).collect();
        Self { cases, unexpected: vec![], cut_off: vec![] }
    }

    /// The cases with what shows them.
    #[must_use]
    pub fn cases(&self) -> &[Shown] {
        &self.cases
    }

    /// Refusals that no case asks for: what the client does wrong.
    #[must_use]
    pub fn unexpected(&self) -> &[(u64, Reason)] {
        &self.unexpected
    }

    /// How many cases are shown.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|shown| !shown.entries.is_empty()).count()
    }

    /// Whether all are.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.passed() == self.cases.len()
    }

    /// Whether a question is to be cut off with 503: the first time that its request id comes.
    /// Beyond [`CUT_OFF_MAX`] ids nothing is cut off any more.
    pub fn cut_off(&mut self, request_id: &str) -> bool {
        let is_new = self.cut_off.iter().all(|known| known != request_id);
        let cut = is_new && self.cut_off.len() < CUT_OFF_MAX;
        if cut {
            self.cut_off.push(request_id.to_owned());
        }
        cut
    }

    /// Whether an entry shows a case.
    fn shows(&self, case: Case, e: &Entry) -> bool {
        use Outcome::{Data, Match, NoMatch, Refused, Repeat};
        let answered = !matches!(e.outcome, Refused(_) | Repeat);
        let verify = e.service == Some(Service::CitizenVerify);
        match case {
            Case::Match => verify && e.outcome == Match,
            Case::NoMatch => verify && e.outcome == NoMatch && e.whom != Whom::Nobody,
            Case::LookUp => {
                e.service == Some(Service::CitizenLookup)
                    && e.outcome == Data
                    && e.whom != Whom::Nobody
            }
            Case::YearOnly => verify && e.outcome == Match && e.whom == Whom::YearOnly,
            Case::Deceased => verify && e.outcome == Match && e.whom == Whom::Deceased,
            Case::NotFound => answered && e.whom == Whom::Nobody,
            Case::NotGranted => matches!(e.outcome, Refused(r) if r.text().rule == RuleId::A4),
            Case::OverCount => matches!(e.outcome, Refused(r) if r.text().rule == RuleId::D2),
            Case::Repeat => e.outcome == Repeat,
            Case::OtherBody => e.outcome == Refused(Reason::RequestIdConflict),
            Case::InHours => answered && e.window == Window::InHours,
            Case::OffHours => answered && e.window == Window::OffHours,
            Case::Outage => answered && self.cut_off.contains(&e.request_id),
        }
    }
}

/// Looks at the next entry of the run's system and ticks off what it shows.
pub fn step(run: &mut Run, entry: &Entry) {
    let shown: Vec<bool> = run.cases.iter().map(|shown| run.shows(shown.case, entry)).collect();
    let expected = shown.contains(&true);
    for (case, shows) in run.cases.iter_mut().zip(shown) {
        if shows && case.entries.len() < EVIDENCE_MAX {
            case.entries.push(entry.index);
        }
    }
    if let Outcome::Refused(reason) = entry.outcome {
        // D7: whoever is too fast waits and goes on.
        let told = !expected && reason.text().rule != RuleId::D7;
        if told && run.unexpected.len() < UNEXPECTED_MAX {
            run.unexpected.push((entry.index, reason));
        }
    }
}
