//! Schemas of what is answered.

use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_domain::service::Field;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use super::super::bodies::{ClaimKind, claim_kind};
use super::super::{access, conformance, views};
use super::{RefusalJson, ServiceWord, WindowWord, field_names, reference, view};

/// Schemas of the structs that serialize themselves.
pub(super) fn derived() -> Vec<(String, RefOr<Schema>)> {
    vec![
        view::<views::UsageView>(),
        view::<super::super::AccountChangesView>(),
        view::<super::super::StatementsView>(),
        view::<super::super::StatementRef>(),
        view::<views::LineUse>(),
        view::<views::LockView>(),
        view::<views::OffHoursTotal>(),
        view::<views::AccountUse>(),
        view::<views::JournalRef>(),
        view::<RefusalJson>(),
        view::<views::JournalPage>(),
        view::<views::JournalEntryView>(),
        view::<views::EntryDecision>(),
        view::<views::EntryAnswer>(),
        view::<access::TokenView>(),
        view::<access::OauthError>(),
        view::<access::OauthErrorView>(),
        view::<access::ClockView>(),
        view::<access::Health>(),
        view::<conformance::PersonaView>(),
        view::<conformance::ConformanceView>(),
        view::<conformance::ConformanceCase>(),
        view::<conformance::OtherRefusal>(),
        view::<ServiceWord>(),
        view::<WindowWord>(),
    ]
}

/// Schemas of what the writer of answers writes.
pub(super) fn components() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("VerifyAnswer", verify()),
        ("LookupAnswer", lookup()),
        ("HouseholdAnswer", household_answer()),
        ("RelationAnswer", relation()),
        ("Citizen", citizen()),
        ("Household", household()),
        ("Address", address()),
        ("Relative", relative()),
        ("LineLeft", line_left()),
        ("FieldError", field_error()),
        ("Problem", problem()),
    ]
}

/// An object with these properties and no others.
pub(super) fn closed(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// A text.
pub(super) fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn words(description: &str, words: &[&str]) -> ObjectBuilder {
    text(description).enum_values(Some(words.iter().copied()))
}

/// A value that may be null.
pub(super) fn nullable(builder: ObjectBuilder, kind: Type) -> ObjectBuilder {
    builder.schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn or_null(name: &str, description: &str) -> Schema {
    Schema::OneOf(
        OneOfBuilder::new()
            .description(Some(description))
            .item(reference(name))
            .item(Object::with_type(Type::Null))
            .build(),
    )
}

/// The schema of a finished object.
pub(super) fn done(builder: ObjectBuilder) -> RefOr<Schema> {
    RefOr::T(Schema::Object(builder.build()))
}

/// The correlation id of a reply.
pub(super) fn correlation_id() -> ObjectBuilder {
    text("Mã tra cứu của lần hỏi · Correlation id, 32 hex digits").pattern(Some("^[0-9a-f]{32}$"))
}

/// The fields that every answer ends with.
fn answered(builder: ObjectBuilder) -> ObjectBuilder {
    builder
        .property(
            "precision",
            words("Chỉ so được năm sinh · Only the year could be compared", &["year"]),
        )
        .property("journal", reference("JournalRef"))
        .required("journal")
        .property("correlationId", correlation_id())
        .required("correlationId")
        .property("usage", reference("LineLeft"))
        .required("usage")
}

fn answer(description: &str) -> ObjectBuilder {
    closed(description)
        .property("requestId", text("Mã yêu cầu đã gửi · The request id as sent"))
        .required("requestId")
}

fn verify() -> RefOr<Schema> {
    let result = words("Kết quả · Whether the three keys agree", &["match", "noMatch"]);
    let alive = nullable(
        ObjectBuilder::new().description(Some(
            "Còn sống; null = mất tích; chỉ có khi khớp và được cấp vitalStatus · Alive; null = \
             missing; only on a match where vitalStatus is granted",
        )),
        Type::Boolean,
    );
    let mut claims = closed(
        "Kết quả từng mục đã hỏi, chỉ có khi khớp; unknown = hồ sơ không có dữ liệu để so; không \
         ghi vợ/chồng hay người giám hộ nghĩa là không có, nên là mismatch · Results of the \
         claims; unknown = the record has nothing to compare with; no spouse or guardian on \
         record means there is none, hence mismatch",
    );
    for name in field_names() {
        claims = claims.property(
            name,
            words("", &["match", "mismatch", "unknown"]).description(None::<String>),
        );
    }
    done(answered(
        answer("Kết quả xác thực · Answer to a verify request")
            .property("result", result)
            .required("result")
            .property("alive", alive)
            .property("claims", claims),
    ))
}

fn lookup() -> RefOr<Schema> {
    let citizen = or_null(
        "Citizen",
        "Thông tin được cấp; null = không có hoặc ba khóa không khớp · Granted fields; null = no \
         such citizen, or the three keys do not agree",
    );
    done(answered(
        answer("Kết quả tra cứu · Answer to a look-up request")
            .property("citizen", citizen)
            .required("citizen"),
    ))
}

fn household_answer() -> RefOr<Schema> {
    let household = or_null(
        "Household",
        "Hộ gia đình; null = không có hoặc không khớp · The household; null = none, or no match",
    );
    done(answered(
        answer("Kết quả hộ gia đình · Answer to a household request")
            .property("household", household)
            .required("household"),
    ))
}

fn relation() -> RefOr<Schema> {
    let result = words(
        "Khớp, không khớp (quan hệ hoặc ba khóa), không có dữ liệu · Whether the relation holds, \
         by the same rule as a claim; noMatch = it does not, no spouse or guardian is on record, \
         or the subject's three keys do not agree; unknown = the record has nothing to compare \
         with",
        &["match", "noMatch", "unknown"],
    );
    done(answered(
        answer("Kết quả xác minh quan hệ · Answer to a relation check")
            .property("result", result)
            .required("result"),
    ))
}

fn household() -> RefOr<Schema> {
    done(
        closed("Hộ gia đình · A household, the head first")
            .property(
                "number",
                nullable(text("Số hộ, nếu được cấp · Number, if granted"), Type::String),
            )
            .required("number")
            .property(
                "members",
                listed(
                    "Citizen",
                    "Thành viên, chủ hộ trước, tối đa 50 · Members, the head first, at most 50",
                ),
            )
            .required("members")
            .property(
                "membersTotal",
                ObjectBuilder::new().schema_type(Type::Integer).description(Some(
                    "Số thành viên của hộ, chỉ có khi hộ trên 50 người · Members on record, only \
                     where there are more than 50",
                )),
            ),
    )
}

/// A list of a named schema, with its description.
fn listed(name: &str, description: &str) -> Array {
    let mut array = Array::new(reference(name));
    array.description = Some(description.to_owned());
    array
}

/// Granted fields only, hence none is required.
fn citizen() -> RefOr<Schema> {
    let mut builder = closed(
        "Trường được cấp; trường không có dữ liệu là null, trường không được cấp thì vắng · \
         Granted fields; null without data, absent if not granted",
    );
    for field in Field::ALL {
        builder = builder.property(field.code(), value(*field));
    }
    done(builder)
}

fn value(field: Field) -> Schema {
    match claim_kind(field) {
        ClaimKind::Address => return or_null("Address", vietnamese(field)),
        ClaimKind::Relative => return or_null("Relative", vietnamese(field)),
        ClaimKind::Scalar => {}
    }
    let builder = nullable(text(vietnamese(field)), Type::String);
    let builder = match field {
        Field::PersonalId => builder.pattern(Some("^[0-9]{12}$")),
        Field::OldId => builder.pattern(Some("^[0-9]{9}$")),
        Field::DateOfBirth => builder.pattern(Some("^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$")),
        Field::Sex | Field::MaritalStatus => builder.pattern(Some("^[0-3]$")),
        Field::VitalStatus => builder.pattern(Some("^[1-3]$")),
        Field::BloodGroup => builder.pattern(Some("^0[0-4]$")),
        Field::Ethnicity | Field::Religion => builder.pattern(Some("^[0-9]{2,3}$")),
        Field::Nationality => builder.pattern(Some("^[A-Z]{2}$")),
        Field::HouseholdRole => builder.pattern(Some("^CH[0-9]{2}$")),
        _ => builder,
    };
    Schema::Object(builder.build())
}

/// What a field is, in both languages.
fn vietnamese(field: Field) -> &'static str {
    match field {
        Field::PersonalId => "Số định danh cá nhân · Personal id",
        Field::OldId => "Số CMND · Old id",
        Field::FullName => "Họ, chữ đệm và tên · Full name",
        Field::OtherName => "Tên gọi khác · Other name",
        Field::DateOfBirth => "Ngày sinh, hoặc chỉ năm · Date of birth, or only the year",
        Field::Sex => "Giới tính: 1 nam, 2 nữ, 3 khác, 0 không rõ · Sex",
        Field::Ethnicity => "Dân tộc, mã hai chữ số · Ethnicity",
        Field::Religion => "Tôn giáo, mã hai chữ số · Religion",
        Field::Nationality => "Quốc tịch, ISO 3166-1 · Nationality",
        Field::MaritalStatus => {
            "Hôn nhân: 1 chưa kết hôn, 2 đang có vợ/chồng, 3 đã ly hôn hoặc góa, 0 không rõ · \
             Marital status"
        }
        Field::BloodGroup => "Nhóm máu: 00 không rõ, 01 A, 02 B, 03 AB, 04 O · Blood group",
        Field::BirthPlace => "Nơi sinh · Place of birth",
        Field::BirthRegistration => "Nơi đăng ký khai sinh · Place of birth registration",
        Field::Origin => "Quê quán · Place of origin",
        Field::PermanentResidence => "Nơi thường trú · Permanent residence",
        Field::TemporaryResidence => "Nơi tạm trú · Temporary residence",
        Field::CurrentResidence => "Nơi ở hiện tại · Current residence",
        Field::Father => "Cha · Father",
        Field::Mother => "Mẹ · Mother",
        Field::Spouse => "Vợ hoặc chồng · Spouse",
        Field::Guardian => "Người đại diện, người giám hộ · Guardian",
        Field::HouseholdHead => "Chủ hộ · Head of household",
        Field::HouseholdRole => "Quan hệ với chủ hộ, CH01 = chủ hộ · Household role",
        Field::HouseholdNumber => "Số sổ hộ khẩu, số hộ · Household number",
        Field::VitalStatus => "1 còn sống, 2 đã chết, 3 mất tích · Vital status",
    }
}

fn address() -> RefOr<Schema> {
    let province = text("Mã tỉnh, 2 chữ số; null = không rõ hoặc nước ngoài · Province code");
    let commune = text("Mã phường, xã, 5 chữ số; null = không rõ · Commune code");
    done(
        closed("Địa chỉ · An address; codes mean nothing without the date of their list")
            .property("provinceCode", nullable(province.pattern(Some("^[0-9]{2}$")), Type::String))
            .required("provinceCode")
            .property("communeCode", nullable(commune.pattern(Some("^[0-9]{5}$")), Type::String))
            .required("communeCode")
            .property("detail", text("Số nhà, đường, thôn · House, street, hamlet"))
            .required("detail")
            .property("country", text("Quốc gia · Country").pattern(Some("^[A-Z]{2}$")))
            .required("country")
            .property(
                "datasetDate",
                text("Ngày của danh mục hành chính · Date of the list of units")
                    .pattern(Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")),
            )
            .required("datasetDate"),
    )
}

fn relative() -> RefOr<Schema> {
    let personal = text("Số định danh, nếu có · Personal id, where known");
    let old = text("Số CMND, nếu có · Old id, where known");
    done(
        closed("Người thân · A relative as written in the record")
            .property("fullName", text("Họ tên · Full name"))
            .required("fullName")
            .property("personalId", nullable(personal.pattern(Some("^[0-9]{12}$")), Type::String))
            .required("personalId")
            .property("oldId", nullable(old.pattern(Some("^[0-9]{9}$")), Type::String))
            .required("oldId")
            .property("nationality", text("Quốc tịch · Nationality").pattern(Some("^[A-Z]{2}$")))
            .required("nationality"),
    )
}

fn line_left() -> RefOr<Schema> {
    let remaining = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .description(Some("Còn lại của dòng · Left on the line"));
    done(
        closed("Số lượt còn lại (D2) · What is left of the line")
            .property("remaining", remaining)
            .required("remaining")
            .property("resetsAt", date_time("Giờ tính lại · When the count begins anew"))
            .required("resetsAt"),
    )
}

fn date_time(description: &str) -> ObjectBuilder {
    text(description).format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
        utoipa::openapi::KnownFormat::DateTime,
    )))
}

fn field_error() -> RefOr<Schema> {
    done(
        closed("Lỗi của một trường · An input error")
            .property("field", text("Đường dẫn của trường · Path of the field"))
            .required("field")
            .property("messageVi", text("Sai ở đâu · What is wrong, in Vietnamese"))
            .required("messageVi"),
    )
}

fn problem() -> RefOr<Schema> {
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(400))
        .maximum(Some(599))
        .description(Some("Mã trạng thái HTTP · HTTP status"));
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .description(Some("Gửi lại sau số giây · Seconds to wait"));
    let rules: Vec<_> = RuleId::ALL.iter().map(|r| r.code()).collect();
    let refused = Reason::LineUsedUp.text();
    let example = json!({
        "type": "/docs/errors#D2", "title": refused.title, "titleVi": refused.title_vi,
        "status": 429, "ruleId": "D2", "code": refused.soap_code,
        "whatToDoVi": refused.what_to_do_vi, "correlationId": "0123456789abcdef0123456789abcdef",
        "usage": { "remaining": 0, "resetsAt": "2026-03-03T07:00:00+07:00" },
    });
    done(
        closed("Từ chối theo RFC 9457 · A refusal (RFC 9457)")
            .property("type", text("Loại: mục trong danh mục lỗi, hoặc about:blank · Type"))
            .required("type")
            .property("title", text("Lý do, tiếng Anh · Reason in English"))
            .required("title")
            .property("titleVi", text("Lý do · Reason in Vietnamese"))
            .required("titleVi")
            .property("status", status)
            .required("status")
            .property("ruleId", words("Quy tắc · Rule", &rules))
            .property("code", text("Mã lỗi như trên SOAP · The code of SOAP faults"))
            .property("whatToDoVi", text("Cần làm gì · What to do, in Vietnamese"))
            .required("whatToDoVi")
            .property("correlationId", correlation_id())
            .property("retryAfter", seconds)
            .property("usage", reference("LineLeft"))
            .property("journal", reference("JournalRef"))
            .property(
                "errors",
                listed("FieldError", "Các mục sai · What was wrong, field by field"),
            )
            .examples([example]),
    )
}
