//! What can go wrong in the store.

use crate::engine::Fault;

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the store. Texts carry no personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine refused or failed.
    #[error("cơ sở dữ liệu: {0}")]
    Engine(#[from] Fault),
    /// A file could not be read or written.
    #[error("tệp: {0}")]
    File(#[from] std::io::Error),
    /// Missing, wrong or unprotected master key.
    #[error("khóa chủ: {0}")]
    MasterKey(String),
    /// The device that holds the master key refused its PIN: each further try brings it nearer to
    /// locking itself, so that nobody should try again before the PIN was looked at.
    #[error("khóa chủ: {0}")]
    Pin(String),
    /// A cryptographic step failed: damage or a wrong key.
    #[error("mật mã: {0}")]
    Crypto(&'static str),
    /// A stored value does not fit its type.
    #[error("dữ liệu hỏng: {0}")]
    Damaged(&'static str),
    /// The folder is in use by another process.
    #[error("thư mục dữ liệu đang được tiến trình {0} sử dụng (the data folder is in use)")]
    InUse(String),
    /// The schema is newer than this program, or not migrated.
    #[error(
        "phiên bản lược đồ {found} của {file}, chương trình cần {wanted}: chạy `dancu migrate` \
         (the schema is of another version than this program needs)"
    )]
    Schema {
        /// Which file.
        file: &'static str,
        /// Version found.
        found: u32,
        /// Version needed.
        wanted: u32,
    },
    /// The database server is not fit to be trusted with counts and journal.
    #[error("máy chủ cơ sở dữ liệu chưa đạt (the database server is not fit): {0}")]
    Unfit(String),
    /// A final state does not end: a closed connection, a revoked account.
    #[error("trạng thái cuối cùng, không đổi được nữa: {0}")]
    Final(&'static str),
    /// What is registered when the act is carried out does not allow it; it is undone. The text
    /// says why, and may name systems, services and figures, never persons.
    #[error("{0}")]
    Refused(String),
    /// A backup could not be made, read or restored. The text says why and what to do.
    #[error("sao lưu: {0}")]
    Backup(String),
    /// The data is an older copy, or one that was not restored to its end: it is not served as if
    /// nothing had happened. The text says what was found and the way out.
    #[error("bản dữ liệu cũ (an older copy): {0}")]
    OlderCopy(String),
    /// A rotation of keys cannot begin or go on. The text says why.
    #[error("xoay khóa (rotation): {0}")]
    Rotation(String),
    /// The ledger cannot take more now, or could not commit: nothing was journaled.
    #[error("không ghi được nhật ký: {0}")]
    Unavailable(&'static str),
    /// The answer to a commit was lost and could not be asked for: it may be journaled or not.
    /// Whoever asks again with the same request id finds out, and is counted once.
    #[error("không biết chắc đã ghi nhật ký hay chưa (it may be journaled or not)")]
    InDoubt,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(Fault::from(&error))
    }
}
