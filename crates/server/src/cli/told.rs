//! Errors as people are told them: each cause once, Vietnamese first with the system's own words
//! beside it, and how to mend what an operator can mend.

use std::io::{Error as SystemError, ErrorKind};

use clap::error::ErrorKind as Misuse;

/// The text of an error with the cure where one is known, in a line of its own.
pub fn told(error: &anyhow::Error) -> String {
    let text = causes(error);
    match mend(error) {
        Some(mend) => format!("{text}\n    → {mend}"),
        None => text,
    }
}

/// The causes of an error, from the outermost to the innermost.
pub fn causes(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = vec![];
    for cause in error.chain() {
        let text = cause.to_string();
        // An error that shows its cause itself is told without it.
        if let Some(last) = parts.last_mut()
            && let Some(head) = last.strip_suffix(&text)
        {
            *last = head.trim_end_matches([':', ' ']).to_owned();
        }
        parts.push(match cause.downcast_ref::<SystemError>() {
            Some(system) => words(system).unwrap_or(text),
            None => text,
        });
    }
    parts.retain(|part| !part.is_empty());
    parts.join(": ")
}

/// What the system said, in Vietnamese with its own words; nothing where they are not known here.
fn words(error: &SystemError) -> Option<String> {
    let number = error.raw_os_error()?;
    let vi = match error.kind() {
        ErrorKind::NotFound => "không có tệp hay thư mục này",
        ErrorKind::PermissionDenied => "không có quyền",
        ErrorKind::AlreadyExists => "tên này đã có",
        ErrorKind::IsADirectory => "là thư mục, không phải tệp",
        ErrorKind::NotADirectory => "đường dẫn đi qua một tệp như thể là thư mục",
        ErrorKind::InvalidFilename => "tên quá dài hoặc không hợp lệ",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "hết chỗ trống",
        ErrorKind::ReadOnlyFilesystem => "hệ tệp chỉ cho đọc",
        ErrorKind::ConnectionRefused => "bị từ chối kết nối",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "quá thời gian chờ",
        _ => return None,
    };
    let text = error.to_string();
    let own = text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text);
    Some(format!("{vi} ({own}, os error {number})"))
}

/// How an operator mends it, where what failed says enough.
fn mend(error: &anyhow::Error) -> Option<&'static str> {
    if matches!(error.downcast_ref(), Some(dancu_store::Error::InUse(_))) {
        return Some(
            "Dừng tiến trình đó trước; dancu operate, keys và backup làm được cả khi đang phục vụ \
             (stop that process first; operate, keys and backup work beside it).",
        );
    }
    let system = error.chain().find_map(|cause| cause.downcast_ref::<SystemError>())?;
    match system.kind() {
        ErrorKind::PermissionDenied => Some(
            "Chạy bằng tài khoản sở hữu tệp đó, thường là: runuser -u dancu -- dancu …; hoặc sửa \
             quyền của tệp (run it as the account that owns the file, or mend its mode).",
        ),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => Some(
            "Kiểm tra đường dẫn; đường dẫn tương đối tính từ thư mục đang đứng (check the path; a \
             relative one begins in the current folder).",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("Giải phóng chỗ trống rồi làm lại (free some space and try again).")
        }
        _ => None,
    }
}

/// What is wrong with a command line, in Vietnamese; the parser's own text stands below it.
/// Nothing where help was asked for.
pub fn misused(error: &clap::Error) -> Option<&'static str> {
    match error.kind() {
        Misuse::DisplayHelp
        | Misuse::DisplayVersion
        | Misuse::DisplayHelpOnMissingArgumentOrSubcommand => None,
        Misuse::InvalidValue | Misuse::ValueValidation => {
            Some("giá trị của một tham số không hợp lệ (an invalid value)")
        }
        Misuse::UnknownArgument => Some("không có tham số này (an unknown argument)"),
        Misuse::InvalidSubcommand => Some("không có lệnh này (an unknown command)"),
        Misuse::MissingSubcommand => Some("thiếu lệnh con (a command is missing)"),
        Misuse::MissingRequiredArgument => {
            Some("thiếu tham số bắt buộc (a required argument is missing)")
        }
        Misuse::ArgumentConflict => {
            Some("các tham số không đi cùng nhau (arguments that exclude each other)")
        }
        _ => Some("dùng lệnh chưa đúng (bad use)"),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn each_cause_is_told_once_and_in_vietnamese() {
        let missing = || SystemError::from_raw_os_error(2);
        let inner = anyhow::Error::from(dancu_store::Error::from(missing()));
        let text = told(&inner.context("không mở được x (data folder)"));
        assert!(text.starts_with("không mở được x (data folder): tệp: không có tệp"), "{text}");
        assert_eq!(text.matches("os error 2").count(), 1, "{text}");
        assert!(text.contains("→ Kiểm tra đường dẫn"), "{text}");
        let denied = Err::<(), _>(SystemError::from_raw_os_error(13)).context("y").unwrap_err();
        assert!(told(&denied).contains("runuser"), "{}", told(&denied));
        let used = anyhow::Error::from(dancu_store::Error::InUse("7".into())).context("z");
        assert!(told(&used).contains("tiến trình 7") && told(&used).contains("→ Dừng"));
        assert_eq!(told(&anyhow::anyhow!("một câu (a sentence)")), "một câu (a sentence)");
    }
}
