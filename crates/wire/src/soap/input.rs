//! What is wrong with an input, in Vietnamese. Never with the value itself.

use dancu_domain::birth::BirthError;
use dancu_domain::ids::IdError;
use dancu_domain::name::NameError;
use dancu_gate::query::FieldError;

use super::envelope::Trouble;
use super::jobs::JobOperation;
use super::operation::Operation;

pub(super) fn error(field: &str, message_vi: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message_vi: message_vi.into() }
}

/// An envelope that could not be read to its end.
pub(super) fn trouble(trouble: Trouble) -> FieldError {
    let (field, message) = match trouble {
        Trouble::NotUtf8 => ("Envelope", "Nội dung không phải UTF-8 hợp lệ."),
        Trouble::Charset => ("Envelope", "Bảng mã phải là UTF-8."),
        Trouble::Malformed => {
            ("Envelope", "XML không đúng cú pháp, bị cắt cụt hoặc có nội dung thừa.")
        }
        Trouble::DocumentType => ("Envelope", "Không được có khai báo DOCTYPE (DTD)."),
        Trouble::Entity => ("Envelope", "Chỉ được dùng năm thực thể định sẵn của XML."),
        Trouble::Character => ("Envelope", "Có ký tự mà XML không cho phép."),
        Trouble::TooDeep => ("Envelope", "Các phần tử lồng nhau quá 32 mức."),
        Trouble::TooMany => ("Envelope", "Một phần tử có quá nhiều thuộc tính."),
        Trouble::Namespace => {
            ("Envelope", "Có tiền tố không gian tên chưa khai báo hoặc khai báo sai.")
        }
        Trouble::NoEnvelope => ("Envelope", "Phần tử gốc phải là soap:Envelope của SOAP 1.1."),
        Trouble::Soap12 => ("Envelope", "Dịch vụ dùng SOAP 1.1; phong bì gửi đến là SOAP 1.2."),
    };
    error(field, message)
}

/// No operation, an unknown one, or several.
pub(super) fn no_operation(why: &str) -> FieldError {
    let citizens = Operation::OFFERED.iter().map(|o| o.name());
    let names = citizens.chain(JobOperation::ALL.iter().map(|o| o.name()));
    let names = names.collect::<Vec<_>>().join(", ");
    error("Body", format!("{why} Các thao tác: {names}."))
}

pub(super) fn required(field: &str) -> FieldError {
    error(field, "Bắt buộc phải có.")
}

pub(super) fn doubled(field: &str) -> FieldError {
    error(field, "Chỉ được có một lần.")
}

/// An identifier of `shape`, e.g. "12 chữ số".
pub(super) fn id(field: &str, problem: IdError, shape: &str) -> FieldError {
    let message = match problem {
        IdError::Length => format!("Sai độ dài; phải là {shape}."),
        IdError::Character => format!("Có ký tự không được phép; phải là {shape}."),
    };
    error(field, message)
}

pub(super) fn name(field: &str, problem: NameError) -> FieldError {
    let message = match problem {
        NameError::Empty => "Bắt buộc phải có.",
        NameError::Length => "Họ và tên dài quá 100 ký tự.",
        NameError::Character => "Họ và tên có ký tự không được phép.",
    };
    error(field, message)
}

pub(super) fn birth(field: &str, problem: BirthError) -> FieldError {
    let message = match problem {
        BirthError::Format => "Sai dạng; ngày sinh viết yyyyMMdd hoặc yyyy-MM-dd, năm sinh yyyy.",
        BirthError::Impossible => "Ngày không có trong lịch.",
        BirthError::Future => "Ngày ở tương lai.",
        BirthError::TooOld => "Năm sinh phải từ 1850.",
    };
    error(field, message)
}
