//! The form of each value that callers send, as the OpenAPI document states it.
//!
//! Descriptions are written `Vietnamese · English`; the reference page splits them there.
//! Patterns hold only what every dialect of regular expressions reads the same way.

use dancu_domain::person::{DETAIL_MAX, HOUSEHOLD_NUMBER_MAX};
use dancu_domain::service::Field;
use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::bodies::{AddressBody, ClaimKind, RelativeBody, SubjectBody, claim_kind};

/// Name, whether required, and schema of a field.
pub(super) type FieldDoc = (&'static str, Need, fn() -> RefOr<Schema>);

/// Whether a field must be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Always.
    Required,
    /// May be missing or `null`.
    Optional,
}

const YEAR: &str = "(18[5-9][0-9]|19[0-9]{2}|20[0-9]{2})";
const MONTH_DAY: &str = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
const MONTH_DAY_COMPACT: &str = "(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])";
const NAME: &str = "^[^\\u0000-\\u001F!-&(-,/-@\\[-`{-\\u009F\\u00A1-\\u00A9\\u00AB-\\u00B4\
                    \\u00B6\\u00B8\\u00B9\\u00BB-\\u00BF\\u00D7\\u00F7]+$";
const PRINTABLE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]+$";
const REQUEST_ID: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F\\uFEFF\\uFFFE\\uFFFF]+$";
const WORD: &str = "^[A-Za-z0-9._-]{1,20}$";
const CASE: &str = "^[A-Za-z0-9._/-]{3,60}$";
const PURPOSE: &str = "^[^\\u0000-\\u001F!-,:-@\\[-^`{-\\u00A9\\u00AB-\\u00B1\\u00B4\\u00B6-\\u00B8\
                       \\u00BB\\u00BF\\u00D7\\u00F7]+$";
const COMMUNE: &str = "^([1-9][0-9]{4}|0[1-9][0-9]{3}|00[1-9][0-9]{2}|000[1-9][0-9]|0000[1-9])$";

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .examples([json!(example)])
}

fn pattern(description: &str, pattern: &str, example: &str) -> ObjectBuilder {
    text(description, example).pattern(Some(pattern))
}

fn done(builder: ObjectBuilder) -> RefOr<Schema> {
    RefOr::T(Schema::Object(builder.build()))
}

/// The same schema, `null` allowed: for fields that may be missing.
pub(super) fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            let SchemaType::Type(kind) = object.schema_type.clone() else {
                return RefOr::T(Schema::Object(object));
            };
            object.schema_type = SchemaType::from_iter([kind, Type::Null]);
            if let Some(values) = &mut object.enum_values {
                values.push(Value::Null);
            }
            RefOr::T(Schema::Object(object))
        }
        other => RefOr::T(Schema::OneOf(
            OneOfBuilder::new().item(other).item(Object::with_type(Type::Null)).build(),
        )),
    }
}

/// An object with exactly these fields; optional ones may be `null`.
pub(super) fn object(description: &str, fields: &[FieldDoc]) -> ObjectBuilder {
    let mut builder = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for (name, need, schema) in fields {
        builder = match need {
            Need::Required => builder.property(*name, schema()).required(*name),
            Need::Optional => builder.property(*name, or_null(schema())),
        };
    }
    builder
}

fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

pub(super) fn request_id() -> RefOr<Schema> {
    done(
        pattern(
            "Mã yêu cầu, duy nhất trong hệ thống, nhớ 24 giờ · Request id, unique per system, \
             remembered for 24 hours",
            REQUEST_ID,
            "YC-2026-000001",
        )
        .min_length(Some(1))
        .max_length(Some(40)),
    )
}

pub(super) fn procedure_code() -> RefOr<Schema> {
    done(pattern(
        "Mã thủ tục hành chính (MaDVC) · Code of the administrative procedure",
        WORD,
        "1.004194",
    ))
}

pub(super) fn purpose() -> RefOr<Schema> {
    done(
        pattern(
            "Mục đích sử dụng đã đăng ký; bỏ trống thì lấy theo thủ tục · Registered purpose; \
             derived from the procedure where missing",
            PURPOSE,
            "Giải quyết thủ tục hành chính",
        )
        .min_length(Some(1))
        .max_length(Some(60)),
    )
}

pub(super) fn case_code() -> RefOr<Schema> {
    done(pattern("Mã hồ sơ · Case file", CASE, "H26.001-260302-0001"))
}

pub(super) fn account() -> RefOr<Schema> {
    done(
        pattern(
            "Tài khoản, mã cán bộ hoặc số định danh của cán bộ · Login, officer code or the \
             officer's own personal id",
            PRINTABLE,
            "canbo.motcua",
        )
        .min_length(Some(1))
        .max_length(Some(60)),
    )
}

pub(super) fn personal_id() -> RefOr<Schema> {
    done(pattern(
        "Số định danh cá nhân, 12 chữ số · Personal identification number, 12 digits",
        "^[0-9]{12}$",
        "099084012345",
    ))
}

pub(super) fn login() -> RefOr<Schema> {
    let form = "^[A-Za-z0-9._@-]{8,60}$";
    done(pattern("Tài khoản đăng nhập (B6) · Login", form, "canbo.motcua"))
}

pub(super) fn officer_code() -> RefOr<Schema> {
    let code = pattern("Mã cán bộ, nếu có · Officer code", PRINTABLE, "CB-0102");
    done(code.min_length(Some(1)).max_length(Some(20)))
}

pub(super) fn phone() -> RefOr<Schema> {
    done(pattern("Số điện thoại · Telephone", "^[+]?[0-9]{7,15}$", "0900000000"))
}

pub(super) fn role() -> RefOr<Schema> {
    let role = pattern("Nhiệm vụ · Role", PRINTABLE, "Tiếp nhận hồ sơ");
    done(role.min_length(Some(1)).max_length(Some(200)))
}

pub(super) fn daily() -> RefOr<Schema> {
    done(
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("Số lần truy vấn trong ngày (D2) · Queries a day"))
            .minimum(Some(1))
            .maximum(Some(39_600))
            .examples([json!(30)]),
    )
}

pub(super) fn list_purpose() -> RefOr<Schema> {
    let purpose = pattern("Mục đích sử dụng · Purpose", PRINTABLE, "Giải quyết thủ tục hộ tịch");
    done(purpose.min_length(Some(1)).max_length(Some(200)))
}

pub(super) fn accounts() -> RefOr<Schema> {
    let mut list = utoipa::openapi::schema::Array::new(reference("AccountRow"));
    list.description = Some("Toàn bộ danh sách · The whole list".to_owned());
    (list.min_items, list.max_items) = (Some(1), Some(super::ACCOUNTS_MAX));
    RefOr::T(Schema::Array(list))
}

pub(super) fn old_id() -> RefOr<Schema> {
    done(pattern(
        "Số CMND, 9 chữ số · Old identity-card number, 9 digits",
        "^[0-9]{9}$",
        "099123456",
    ))
}

pub(super) fn full_name() -> RefOr<Schema> {
    done(
        pattern(
            "Họ và tên; có dấu thì phải đúng mọi dấu, không dấu thì không so dấu · Full name; with \
             accents all must be right, without any they are not compared",
            NAME,
            "Nguyễn Thị Bình",
        )
        .min_length(Some(1))
        .max_length(Some(100)),
    )
}

pub(super) fn date_of_birth() -> RefOr<Schema> {
    let form = format!("^{YEAR}(-{MONTH_DAY}|{MONTH_DAY_COMPACT})?$");
    done(pattern(
        "Ngày sinh YYYY-MM-DD, yyyyMMdd, hoặc chỉ năm YYYY · Date of birth, or only the year",
        &form,
        "1984-02-29",
    ))
}

pub(super) fn nationality() -> RefOr<Schema> {
    done(pattern(
        "Quốc tịch, hai chữ ISO 3166-1 · Nationality; read, not compared within a relative",
        "^[A-Za-z]{2}$",
        "VN",
    ))
}

pub(super) fn country() -> RefOr<Schema> {
    done(pattern(
        "Quốc gia, hai chữ ISO 3166-1 · Country; read, not compared within an address",
        "^[A-Za-z]{2}$",
        "VN",
    ))
}

pub(super) fn province_code() -> RefOr<Schema> {
    done(pattern("Mã tỉnh, thành phố, 2 chữ số · Province code", "^(0[1-9]|[1-9][0-9])$", "01"))
}

pub(super) fn commune_code() -> RefOr<Schema> {
    done(pattern("Mã phường, xã, 5 chữ số · Commune code", COMMUNE, "00004"))
}

pub(super) fn address_detail() -> RefOr<Schema> {
    done(
        pattern(
            "Số nhà, đường, thôn, tổ · House, street, hamlet",
            PRINTABLE,
            "Số 12, ngõ 5, phố Hàng Bông",
        )
        .min_length(Some(1))
        .max_length(Some(DETAIL_MAX)),
    )
}

pub(super) fn dataset_date() -> RefOr<Schema> {
    done(pattern(
        "Ngày của danh mục hành chính dùng để đọc mã; mặc định hôm nay · Date of the list of \
         units that the codes are read by; today where missing",
        &format!("^(19|20)[0-9]{{2}}-{MONTH_DAY}$"),
        "2026-04-30",
    ))
}

pub(super) fn now() -> RefOr<Schema> {
    done(
        text(
            "Giờ mới của sản phẩm, RFC 3339 · The product's new time",
            "2026-03-02T18:00:00+07:00",
        )
        .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
            utoipa::openapi::KnownFormat::DateTime,
        ))),
    )
}

pub(super) fn relation() -> RefOr<Schema> {
    done(text("Quan hệ · Relation", "father").enum_values(Some([
        "father",
        "mother",
        "spouse",
        "guardian",
        "householdHead",
    ])))
}

pub(super) fn subject() -> RefOr<Schema> {
    reference("Subject")
}

pub(super) fn other() -> RefOr<Schema> {
    reference("RelativeAsked")
}

pub(super) fn claims() -> RefOr<Schema> {
    reference("Claims")
}

/// The components that the functions above refer to.
pub(super) fn components() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![
        ("Subject", subject_object()),
        ("RelativeAsked", done(object("Người thân được hỏi · The relative asked about", &asked()))),
        (
            "RelativeClaim",
            done(object("Người thân · A relative as the caller holds it", RelativeBody::FIELDS)),
        ),
        ("AddressClaim", address_object()),
        ("Claims", claims_object()),
    ]
}

/// The fields of the relative in a relation check: as in a claim, without the nationality.
pub(super) fn asked() -> Vec<FieldDoc> {
    RelativeBody::FIELDS.iter().copied().filter(|(name, ..)| *name != "nationality").collect()
}

fn subject_object() -> RefOr<Schema> {
    let one_of = |used: &str, unused: &str, description: &str| {
        let mut builder = object(description, &[]);
        for (name, _, schema) in SubjectBody::FIELDS {
            builder = if *name == unused {
                builder.property(*name, Object::with_type(Type::Null))
            } else {
                builder.property(*name, schema()).required(*name)
            };
        }
        builder.title(Some(format!("Subject by {used}"))).build()
    };
    RefOr::T(Schema::OneOf(
        OneOfBuilder::new()
            .description(Some(
                "Công dân được hỏi: đúng một trong hai số, họ tên và ngày sinh · The citizen asked \
                 about: exactly one of the two ids, name and date of birth",
            ))
            .item(one_of("personalId", "oldId", "Hỏi theo số định danh · By personal id"))
            .item(one_of("oldId", "personalId", "Hỏi theo số CMND · By old id"))
            .build(),
    ))
}

/// An address with at least one part to compare.
fn address_object() -> RefOr<Schema> {
    let with = |part: &str| {
        let mut builder =
            object("", &[]).description(None::<String>).title(Some(format!("By {part}")));
        for (name, _, schema) in AddressBody::FIELDS {
            builder = if *name == part {
                builder.property(*name, schema()).required(*name)
            } else {
                builder.property(*name, or_null(schema()))
            };
        }
        builder.build()
    };
    RefOr::T(Schema::AnyOf(
        AnyOfBuilder::new()
            .description(Some(
                "Địa chỉ; mọi phần có gửi, kể cả quốc gia, phải khớp; phần bỏ trống không so; chỉ \
                 gửi detail thì so riêng detail, không xét dấu, chữ hoa và dấu câu · An address; \
                 every part that is sent, country included, must agree; missing parts are not \
                 compared, a detail is compared alone where no code is sent; at least one of \
                 province, commune and detail is needed",
            ))
            .item(with("provinceCode"))
            .item(with("communeCode"))
            .item(with("detail"))
            .build(),
    ))
}

fn claims_object() -> RefOr<Schema> {
    let mut builder = object(
        "Thông tin cần đối khớp, theo tên trường; mỗi trường phải được cấp · Claims by field; each \
         field must be granted",
        &[],
    )
    .max_properties(Some(Field::ALL.len()));
    for field in Field::ALL {
        builder = builder.property(field.code(), claim_schema(*field));
    }
    done(builder)
}

/// The value of one claim.
fn claim_schema(field: Field) -> RefOr<Schema> {
    match claim_kind(field) {
        ClaimKind::Address => return reference("AddressClaim"),
        ClaimKind::Relative => return reference("RelativeClaim"),
        ClaimKind::Scalar => {}
    }
    match field {
        Field::PersonalId => personal_id(),
        Field::OldId => old_id(),
        Field::OtherName => full_name_of("Tên gọi khác · Other name"),
        Field::DateOfBirth => date_of_birth(),
        Field::Nationality => {
            done(pattern("Quốc tịch, hai chữ ISO 3166-1 · Nationality", "^[A-Za-z]{2}$", "VN"))
        }
        Field::Sex => code("Giới tính: 1 nam, 2 nữ, 3 khác, 0 không rõ · Sex", 1, 3),
        Field::MaritalStatus => code(
            "Hôn nhân: 1 chưa kết hôn, 2 đang có vợ/chồng, 3 đã ly hôn hoặc góa, 0 không rõ · \
             Marital status",
            1,
            3,
        ),
        Field::BloodGroup => {
            code("Nhóm máu: 00 không rõ, 01 A, 02 B, 03 AB, 04 O · Blood group", 2, 4)
        }
        Field::Ethnicity => code("Dân tộc, mã hai chữ số (QĐ 121-TCTK/PPCĐ) · Ethnicity", 2, 99),
        Field::Religion => code("Tôn giáo, mã hai chữ số · Religion", 2, 99),
        Field::VitalStatus => vital(),
        Field::HouseholdRole => {
            let description = "Quan hệ với chủ hộ, CH01 = chủ hộ · Household role";
            done(pattern(description, "^CH[0-9]{2}$", "CH01"))
        }
        Field::HouseholdNumber => done(
            pattern("Số sổ hộ khẩu, số hộ · Household number", PRINTABLE, "HK-0001")
                .min_length(Some(1))
                .max_length(Some(HOUSEHOLD_NUMBER_MAX)),
        ),
        _ => full_name(),
    }
}

fn full_name_of(description: &str) -> RefOr<Schema> {
    done(pattern(description, NAME, "Bình").min_length(Some(1)).max_length(Some(100)))
}

/// A code of `digits` digits from 0 to `last`, as text or as a whole number.
fn code(description: &str, digits: usize, last: u8) -> RefOr<Schema> {
    codes(description, digits, 0, last)
}

fn vital() -> RefOr<Schema> {
    codes("Tình trạng: 1 còn sống, 2 đã chết, 3 mất tích · Vital status", 1, 1, 3)
}

fn codes(description: &str, digits: usize, first: u8, last: u8) -> RefOr<Schema> {
    let string = if last == 99 {
        Object::builder().schema_type(Type::String).pattern(Some("^[0-9]{2}$"))
    } else {
        let values: Vec<_> = (first..=last).map(|n| format!("{n:0digits$}")).collect();
        Object::builder().schema_type(Type::String).enum_values(Some(values))
    };
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(usize::from(first)))
        .maximum(Some(usize::from(last)));
    RefOr::T(Schema::OneOf(
        OneOfBuilder::new()
            .description(Some(description))
            .item(string.build())
            .item(number.build())
            .build(),
    ))
}
