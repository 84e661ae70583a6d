//! **papers**: official forms and documents, out and in (B2, B5, B6, B7, A3, A4, A7, J3): PDF/A of
//! what is registered, spreadsheets in the layout of the forms, and a first look at files that
//! units send.
//!
//! Wordings of the forms stand in `wording/`, as the letters have them; documents of the centre
//! that no regulation words are *ours* and say so on the paper ([`centre`]).
//!
//! **Invariant:** the same input gives the same bytes: no clock, no randomness.
//! **Invariant:** a file that comes in is taken for hostile: it is never believed in its name, its
//! sizes or its counts.
//!
//! To add a form: its wording, its editions in `dancu_domain::editions`, a function in [`forms`],
//! and its text in `tests/wording`, word by word.

pub mod book;
pub mod centre;
mod delimited;
mod font;
pub mod forms;
mod layout;
mod pdf;
pub mod sheet;
pub mod sniff;
mod wording;

use jiff::civil::Date;
use layout::{Block, Page};

/// A paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pdf {
    /// The file, PDF/A-2u.
    pub bytes: Vec<u8>,
    /// Its pages.
    pub pages: usize,
}

/// The file could not be made: a font or a page is not as the program knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the paper could not be made: {0}")]
pub struct Failed(pub(crate) &'static str);

fn printed(title: &str, day: Date, pages: &[Page]) -> Result<Pdf, Failed> {
    Ok(Pdf { bytes: pdf::write(title, day, pages)?, pages: pages.len() })
}

fn made(title: &str, day: Date, blocks: &[Block]) -> Result<Pdf, Failed> {
    printed(title, day, &layout::lay_out(blocks))
}
