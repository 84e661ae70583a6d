//! Why an event is not taken: one sentence in Vietnamese with the rule, and the same in English.

use crate::forms::refusals;

refusals! {
    /// Why an event does not go with what else happened.
    UnitRefusal;

    /// The code is nobody's.
    Unknown: B4 "unit"
        "Không có đơn vị mang mã này.",
        "No unit has this code.";
    /// The code is or was another's.
    Taken: B4 "unit"
        "Mã này đã thuộc một đơn vị khác; mã không dùng lại.",
        "The code belongs to another unit; codes are not used again.";
    /// Before the unit was there.
    BeforeFounding: B4 "day"
        "Ngày hiệu lực trước ngày đơn vị được thành lập.",
        "The day is before the unit was founded.";
    /// The unit is no more.
    Ended: B4 "day"
        "Đơn vị đã sáp nhập, chia tách hoặc giải thể trước ngày này.",
        "The unit was merged, split or dissolved before that day.";
    /// Its day has come: it is history.
    Happened: B4 "event"
        "Việc này đã có hiệu lực nên không hủy được; ghi một việc mới.",
        "It is in force already and cannot be annulled; write down what happens next.";
    /// Nothing to annul.
    NotAhead: B4 "event"
        "Việc này không có, hoặc đã hủy.",
        "There is no such event, or it was annulled already.";
    /// A second name on one day.
    NameTwice: B4 "name"
        "Đơn vị đã có một tên có hiệu lực từ chính ngày này.",
        "The unit has a name already that begins on that very day.";
    /// The same name again.
    SameName: B4 "name"
        "Tên mới giống tên đang dùng.",
        "The new name is the one in use.";
    /// It would stand above itself.
    Cycle: B4 "parent"
        "Đơn vị cấp trên đang trực thuộc chính đơn vị này.",
        "The unit above would stand below this very unit.";
    /// The unit above is not there on that day.
    NoParent: B4 "parent"
        "Đơn vị cấp trên chưa có hoặc đã chấm dứt vào ngày này.",
        "The unit above is not there on that day.";
    /// Who takes over is not there on that day.
    NoHeir: B4 "heir"
        "Đơn vị tiếp nhận chưa có hoặc đã chấm dứt vào ngày này.",
        "The unit that takes over is not there on that day.";
    /// It would take over from itself.
    OwnHeir: B4 "heir"
        "Một đơn vị không sáp nhập, chia tách vào chính nó.",
        "A unit is not merged or split into itself.";
    /// Too few or too many parts, or the heir is none of them.
    Parts: B4 "parts"
        "Chia tách cần từ 2 đến 12 đơn vị khác nhau, trong đó có đơn vị tiếp nhận.",
        "A split needs 2 to 12 different units, and the heir is one of them.";
    /// Others would hang in the air.
    HasChildren: B4 "unit"
        "Đơn vị còn đơn vị trực thuộc; chuyển các đơn vị đó trước.",
        "Units stand below it; move them first.";
    /// Too many focal points, or one that is not there.
    FocalPoints: B8 "focal"
        "Đầu mối tổng hợp phải là đơn vị đang hoạt động khác, tối đa 2.",
        "Focal points are other living units, at most 2.";
    /// Too many contacts.
    TooManyContacts: J2 "contacts"
        "Tối đa 12 đầu mối liên hệ.",
        "At most 12 contacts.";
    /// A name of a unit.
    Name: B1 "name"
        "Tên đơn vị có từ 3 đến 200 ký tự.",
        "The name of a unit has 3 to 200 characters.";
    /// A name of a person.
    PersonName: B7 "person"
        "Họ tên có từ 2 đến 100 ký tự.",
        "A name has 2 to 100 characters.";
    /// A position.
    Position: B7 "position"
        "Chức vụ có từ 2 đến 100 ký tự.",
        "A position has 2 to 100 characters.";
    /// A telephone number.
    Phone: J2 "phone"
        "Số điện thoại có từ 7 đến 15 chữ số, có thể có dấu + ở đầu.",
        "A telephone number has 7 to 15 digits, with a + in front or none.";
    /// An e-mail address.
    Email: J2 "email"
        "Thư điện tử có dạng ten@mien, tối đa 100 ký tự.",
        "An e-mail address is name@domain, at most 100 characters.";
    /// An identifier of an agency.
    Agency: B1 "agency"
        "Mã định danh cơ quan có dạng H26.01.02: chữ, số, dấu chấm, tối đa 35 ký tự, tối đa 8 mã.",
        "An agency's identifier is like H26.01.02: letters, digits, dots, at most 35; at most 8.";
    /// A place that is on no list.
    Seat: B4 "commune"
        "Mã tỉnh, mã xã không có trong danh mục hành chính, hoặc xã không thuộc tỉnh đó.",
        "The codes of province and commune are on no list, or do not belong together.";
}

impl std::fmt::Display for UnitRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text();
        write!(f, "{} ({} {})", text.text_vi, text.text, text.rule)
    }
}

impl std::error::Error for UnitRefusal {}
