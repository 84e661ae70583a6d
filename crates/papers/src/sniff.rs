//! What a file that a unit sends is, by its content: its name and what a browser says of it decide
//! nothing. A first look, not a virus scanner: it refuses what a dossier has no use for (scripts,
//! encryption, hundreds of pages) and what cannot be read.

mod image;
mod pdf;
mod signed;
#[cfg(test)]
mod tests;

pub use self::signed::Signature;

use crate::sheet::{self, Unreadable};

/// Bytes of a PDF: 200 scanned pages of 100 KB (*ours*).
pub const PDF_BYTES_MAX: usize = 20 << 20;
/// Bytes of a picture: a page by a telephone's camera has 3 to 8 MB (*ours*).
pub const IMAGE_BYTES_MAX: usize = 10 << 20;
/// Pages of a document: the longest of a dossier, the minutes of a check, have some dozen (*ours*).
pub const PAGES_MAX: usize = 200;
/// Pixels of a side, and of a picture: A4 at 600 dpi has 4,960 × 7,016.
pub const SIDE_MAX: u32 = 12_000;
/// The same.
pub const PIXELS_MAX: u64 = 80_000_000;
/// The largest file that is any kind.
pub const BYTES_MAX: usize = PDF_BYTES_MAX;

/// What a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A document.
    Pdf(Document),
    /// A photograph.
    Jpeg(Pixels),
    /// A picture.
    Png(Pixels),
    /// A spreadsheet without macros.
    Xlsx,
}

impl Kind {
    /// As it is sent to a browser.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Pdf(_) => "application/pdf",
            Self::Jpeg(_) => "image/jpeg",
            Self::Png(_) => "image/png",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Width and height of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pixels {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// What is known of a PDF.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Pages; one that was changed after it was signed may count twice.
    pub pages: usize,
    /// Digital signatures: who they name. **Whether they are valid and to be trusted is not
    /// judged.**
    pub signatures: Vec<Signature>,
}

/// Why a file is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing in it.
    #[error("empty")]
    Empty,
    /// None of the kinds.
    #[error("of no known kind")]
    Unknown,
    /// Larger than its kind may be; MiB.
    #[error("larger than {0} MiB")]
    TooLarge(usize),
    /// More pages than are read.
    #[error("{0} pages")]
    TooManyPages(usize),
    /// More pixels than are shown.
    #[error("too many pixels")]
    TooManyPixels,
    /// Protected by a password.
    #[error("encrypted")]
    Encrypted,
    /// It runs programs or opens others.
    #[error("holds scripts")]
    Scripted,
    /// It cannot be read.
    #[error("damaged")]
    Damaged,
    /// A spreadsheet that is not read.
    #[error(transparent)]
    Sheet(#[from] Unreadable),
}

impl Refusal {
    /// One sentence that says what to do, in Vietnamese and in English.
    #[must_use]
    pub fn sentence(&self) -> (String, String) {
        let (vi, en) = match self {
            Self::Empty => ("Tệp rỗng; chọn lại tệp.", "The file is empty; choose it again."),
            Self::Unknown => (
                "Chỉ nhận tệp PDF, JPEG, PNG hoặc XLSX; chuyển văn bản sang PDF rồi gửi lại.",
                "Only PDF, JPEG, PNG or XLSX is taken; make the document a PDF.",
            ),
            Self::TooLarge(most) => {
                return (
                    format!("Tệp lớn hơn {most} MB; quét lại ở 200-300 dpi hoặc chia tệp."),
                    format!("The file is larger than {most} MB; scan at 200-300 dpi or divide it."),
                );
            }
            Self::TooManyPages(pages) => {
                return (
                    format!(
                        "Tệp có {pages} trang, nhiều hơn {PAGES_MAX} trang; chia thành nhiều tệp."
                    ),
                    format!("The file has {pages} pages, more than {PAGES_MAX}; divide it."),
                );
            }
            Self::TooManyPixels => (
                "Ảnh quá lớn; chụp hoặc quét lại với độ phân giải thấp hơn.",
                "The picture is too large; take it with fewer pixels.",
            ),
            Self::Encrypted => (
                "Tệp PDF có mật khẩu hoặc bị mã hóa; bỏ mật khẩu rồi gửi lại.",
                "The PDF has a password or is encrypted; remove it.",
            ),
            Self::Scripted => (
                "Tệp PDF có mã lệnh, tệp kèm hoặc biểu mẫu động; in lại thành PDF rồi gửi.",
                "The PDF holds scripts, files or a dynamic form; print it into a new PDF.",
            ),
            Self::Damaged => (
                "Tệp bị hỏng hoặc không đọc được; lưu lại rồi gửi.",
                "The file is damaged or cannot be read; save it again.",
            ),
            Self::Sheet(unreadable) => return unreadable.sentence(),
        };
        (vi.to_owned(), en.to_owned())
    }
}

/// What a file is, and whether it is taken.
///
/// # Errors
/// Why it is not taken.
pub fn sniff(bytes: &[u8]) -> Result<Kind, Refusal> {
    let within = |most: usize| {
        if bytes.len() > most { Err(Refusal::TooLarge(most >> 20)) } else { Ok(()) }
    };
    match bytes {
        [] => Err(Refusal::Empty),
        [b'%', b'P', b'D', b'F', b'-', ..] => {
            within(PDF_BYTES_MAX)?;
            pdf::read(bytes).map(Kind::Pdf)
        }
        [0xff, 0xd8, 0xff, ..] => {
            within(IMAGE_BYTES_MAX)?;
            image::jpeg(bytes).and_then(shown).map(Kind::Jpeg)
        }
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            within(IMAGE_BYTES_MAX)?;
            image::png(bytes).and_then(shown).map(Kind::Png)
        }
        // A package, or the compound file of an old or encrypted spreadsheet.
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            within(sheet::FILE_BYTES_MAX)?;
            match sheet::look(bytes) {
                Err(Unreadable::NotASpreadsheet) => Err(Refusal::Unknown),
                looked => Ok(looked.map(|()| Kind::Xlsx)?),
            }
        }
        _ => Err(Refusal::Unknown),
    }
}

fn shown(pixels: Pixels) -> Result<Pixels, Refusal> {
    let Pixels { width, height } = pixels;
    if width == 0 || height == 0 {
        return Err(Refusal::Damaged);
    }
    let most = u64::from(width) * u64::from(height);
    if width.max(height) > SIDE_MAX || most > PIXELS_MAX {
        return Err(Refusal::TooManyPixels);
    }
    Ok(pixels)
}
