//! Files that are kept: papers of a dossier that its unit brings (B2, B7), and documents that the
//! centre issues by its acts (A3, A4, B3, D6).
//!
//! **Invariant:** what a browser calls a file decides nothing but what people read.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::dossier::{Mark, Part};
use crate::moment::Moment;
use crate::people::PersonId;
use crate::text::{composed, is_storable};

/// Characters of a file's name that are kept: what a line of a list holds (*ours*).
pub const NAME_MAX: usize = 80;
/// Bytes of all files that the papers of one dossier name: some ten of the largest size (*ours*).
pub const DOSSIER_BYTES_MAX: u64 = 200 << 20;

/// The number of a kept file, never given twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FileId(pub i64);

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What the scanner of the centre said of a file. What it refused is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Scan {
    /// There is no scanner.
    Unasked,
    /// Nothing was found.
    Clean,
    /// It gave no answer.
    Undecided,
}

impl Scan {
    /// The word in entries of the journal and in the keys of texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Clean => "clean",
            Self::Undecided => "undecided",
        }
    }
}

/// What a file belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Role {
    /// A paper of a dossier that its unit brought.
    Paper(Part),
    /// A list of individual commitments, signed by the head (B7).
    Commitments,
    /// A document of the centre.
    Document(DocumentKind),
}

/// What is known of a kept file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Its name ([`named`]).
    pub name: String,
    /// What it is by its content, e.g. `pdf`.
    pub kind: String,
    /// What it belongs to.
    pub role: Role,
    /// What the scanner said.
    pub scan: Scan,
    /// Who brought it, or whose act issued it; 0: the program's.
    pub by: PersonId,
    /// When.
    pub at: Moment,
}

/// A file's name as it is kept: without folders, without what hides or turns letters around, not
/// longer than [`NAME_MAX`]. Empty where nothing is left.
#[must_use]
pub fn named(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let text = composed(last);
    let clean: String = text.chars().filter(|c| is_storable(*c) && !is_hidden(*c)).collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    clean.chars().take(NAME_MAX).collect::<String>().trim_end().to_owned()
}

/// Marks of direction, joiners and other letters that nobody sees.
const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A document that the centre issues by an act. Numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum DocumentKind {
    /// Giấy tiếp nhận (B3).
    Receipt = 0,
    /// Văn bản từ chối (A3, J3).
    Refusal = 1,
    /// Văn bản chấp thuận kết nối (A4, B3).
    Consent = 2,
    /// Thông báo khóa, tạm ngừng (D6).
    Lock = 3,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Receipt, Self::Refusal, Self::Consent, Self::Lock];

    /// From its number in the store.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The word in entries of the journal and in the keys of texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Refusal => "refusal",
            Self::Consent => "consent",
            Self::Lock => "lock",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Receipt => "giấy tiếp nhận",
            Self::Refusal => "văn bản từ chối",
            Self::Consent => "văn bản chấp thuận kết nối",
            Self::Lock => "thông báo khóa",
        }
    }

    /// Number and sign of the `number`-th of its year (Decree 30/2020/NĐ-CP): `12/TTDLDC-TN`.
    #[must_use]
    pub fn sign(self, number: u32) -> String {
        let sign = match self {
            Self::Receipt => "TN",
            Self::Refusal => "TC",
            Self::Consent => "CT",
            Self::Lock => "TBK",
        };
        format!("{number}/TTDLDC-{sign}")
    }
}

/// A paper copy of a dossier (B7): where it lies, and whether the centre has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PaperCopy {
    /// Of which part.
    pub part: Part,
    /// Number of the paper, e.g. `12/CK-UBND`.
    pub number: String,
    /// Its day.
    pub date: Date,
    /// Where the unit keeps its copy.
    pub kept: String,
    /// Who told of it, and when.
    pub told: Mark,
    /// Who received it at the centre, when, and where it lies there.
    pub received: Option<(Mark, String)>,
}

/// A list of individual commitments that a head confirmed with one signature (B7).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitmentList {
    /// Edition of the wording.
    pub edition: String,
    /// How many officers it names.
    pub officers: u32,
    /// Who confirmed, and when.
    pub mark: Mark,
    /// The signed list as a file; none: the electronic form alone.
    pub file: Option<FileId>,
}

/// The number of a list of commitments as people write it.
#[must_use]
pub fn list_number(id: i64) -> String {
    format!("CK-{id:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_letters_and_nothing_else() {
        for (raw, kept) in [
            ("Biên bản kiểm tra.pdf", "Biên bản kiểm tra.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\bản.pdf", "bản.pdf"),
            // Shown, it would end in `.pdf` and be a program.
            ("van\u{202e}fdp.exe", "vanfdp.exe"),
            ("a\u{200b}\u{2066}b\0\r\n\u{feff}.pdf", "ab.pdf"),
            ("..", ""),
            (" \u{200f} ", ""),
            (".htaccess", "htaccess"),
        ] {
            assert_eq!(named(raw), kept, "{raw:?}");
        }
        assert_eq!(named(&"ế".repeat(500)).chars().count(), NAME_MAX);
        // Two letters that make one count as one.
        assert_eq!(named("e\u{302}\u{301}.pdf"), "ế.pdf");
    }

    #[test]
    fn documents_keep_their_numbers() {
        for (at, kind) in DocumentKind::ALL.into_iter().enumerate() {
            assert_eq!(DocumentKind::from_number(at as u8), Some(kind));
        }
        assert_eq!(DocumentKind::from_number(4), None);
        assert_eq!(DocumentKind::Receipt.sign(12), "12/TTDLDC-TN");
    }
}
