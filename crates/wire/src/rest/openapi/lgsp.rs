//! Provincial JSON in the document: one path for every operation, its body from the members that
//! are read, its answers in the three shapes.

use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use serde_json::json;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, Object, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{RefOr, Required, ResponseBuilder};

use super::super::JSON;
use super::super::shapes::{self, or_null};
use super::answers::{closed, correlation_id, done, nullable, text};
use super::operations::{operation, problem, secured};
use super::reference;
use crate::lgsp::members::{ADDRESS, Kind, Member, RELATIVE, REQUEST};
use crate::lgsp::path_name;
use crate::soap;

/// Members without which no question is complete. The officer may be named by `taiKhoan` and the
/// birth by `ngayThangNamSinh` instead; one way is enough for a document.
const REQUIRED: [&str; 5] = ["maYeuCau", "maDVC", "maCanBo", "hoVaTen", "ngayThangNam"];

/// Statuses of refusals that come in the registered shape.
const REFUSED: [u16; 10] = [400, 403, 409, 413, 415, 422, 429, 500, 501, 503];

pub(super) fn ask() -> Operation {
    let names = soap::Operation::OFFERED.iter().map(|o| path_name(*o));
    let name = ParameterBuilder::new()
        .name("operation")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(
            "Thao tác: tên phần tử SOAP, chữ đầu viết thường · The SOAP operation in camelCase",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(names.collect::<Vec<_>>()))
                .examples([json!("traCuuThongTinCongDan")]),
        ))
        .build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(JSON, content("LgspQuestion"))
        .build();
    let mut builder = operation(
        "lgsp",
        "lgsp",
        "Giao diện JSON của nền tảng cấp tỉnh · JSON of provincial platforms",
        "Cùng thao tác, quy tắc và từ chối như SOAP; câu trả lời theo dạng đã đăng ký của hệ \
         thống: data, envelope hoặc soap · The operations, rules and refusals of SOAP; answers \
         come in the shape that the system is registered with",
    )
    .parameter(name)
    .request_body(Some(body));
    let answered = ResponseBuilder::new()
        .description("Đã trả lời và ghi nhật ký · Answered and journaled")
        .content(JSON, content("LgspAnswer"));
    builder = secured(builder).response("200", answered.build());
    builder = builder.response("401", problem(401));
    for status in REFUSED {
        // The problem is for systems that are registered without a shape, and for the HTTP layer.
        let mut response = problem(status);
        response.content.insert(JSON.to_owned(), content("LgspRefusal").into());
        builder = builder.response(status.to_string(), response);
    }
    builder.build()
}

fn content(schema: &str) -> Content {
    ContentBuilder::new().schema(Some(reference(schema))).build()
}

/// The named schemas that the operation refers to.
pub(super) fn components() -> Vec<(&'static str, RefOr<Schema>)> {
    let refused = "Từ chối theo dạng đã đăng ký · A refusal in the registered shape";
    vec![
        ("LgspQuestion", question()),
        ("LgspRelative", members("Người liên quan · The relative asked about", RELATIVE)),
        ("LgspAddress", members("Địa chỉ cần xác minh · The address to verify", ADDRESS)),
        (
            "LgspAnswer",
            one_of(
                "Câu trả lời theo dạng đã đăng ký · An answer in the registered shape",
                &["LgspData", "LgspEnvelope", "LgspMessage"],
            ),
        ),
        ("LgspRefusal", one_of(refused, &["LgspError", "LgspRefused", "LgspMessage"])),
        ("LgspData", data()),
        ("LgspEnvelope", envelope("Dạng envelope · Shape envelope", response())),
        ("LgspMessage", message()),
        ("LgspError", error()),
        (
            "LgspRefused",
            envelope("Dạng envelope, từ chối · A refused envelope", reference("LgspReason")),
        ),
        ("LgspReason", reason()),
        ("LgspCitizen", citizen()),
    ]
}

fn question() -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) =
        members("Yêu cầu; trường lạ được bỏ qua · A request; unknown members are ignored", REQUEST)
    else {
        return reference("LgspQuestion");
    };
    object.required = REQUIRED.iter().map(|name| (*name).to_owned()).collect();
    for name in REQUIRED {
        object.properties.insert(name.to_owned(), form(name));
    }
    object.examples = vec![json!({
        "maYeuCau": "YC-2026-000001", "maDVC": "1.004194", "maCanBo": "canbo.motcua",
        "soDinhDanh": "099184012345", "soCMND": "", "hoVaTen": "NGUYỄN THỊ BÌNH",
        "ngayThangNam": "19840229", "userNameService": "lgsp.tinh",
    })];
    RefOr::T(Schema::Object(object))
}

fn members(description: &str, members: &[Member]) -> RefOr<Schema> {
    let mut builder = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)));
    for member in members {
        let schema = match member.kind {
            Kind::Object(_) if member.name == "diaChi" => reference("LgspAddress"),
            Kind::Object(_) => reference("LgspRelative"),
            // The document names one way of giving a date; the other is for clients that exist.
            Kind::TextOr(_) => continue,
            Kind::Text | Kind::Whole => form(member.name),
        };
        builder = builder.property(member.name, or_null(schema));
    }
    done(builder)
}

/// The form of a member: as in REST where REST has it.
fn form(name: &str) -> RefOr<Schema> {
    match name {
        "maYeuCau" => shapes::request_id(),
        "maDVC" => shapes::procedure_code(),
        "maCanBo" => shapes::account(),
        "maHoSo" => shapes::case_code(),
        "soDinhDanh" => shapes::personal_id(),
        "soCMND" => shapes::old_id(),
        "hoVaTen" => shapes::full_name(),
        "ngayThangNam" => shapes::date_of_birth(),
        "maTinhThanh" => shapes::province_code(),
        "maPhuongXa" => shapes::commune_code(),
        "chiTiet" => shapes::address_detail(),
        "quocGia" => shapes::country(),
        "quocTich" => shapes::nationality(),
        "ngayDuLieu" => shapes::dataset_date(),
        "tinhTrang" => done(
            text(
                "Hôn nhân: 1 chưa kết hôn, 2 đang có vợ/chồng, 3 đã ly hôn hoặc góa. Sống chết: 1 \
                 còn sống, 2 đã chết, 3 mất tích · The state to verify",
            )
            .enum_values(Some(["1", "2", "3"])),
        ),
        "taiKhoan" => done(
            text("Tài khoản; có thì dùng thay maCanBo · Login; stands in for maCanBo")
                .min_length(Some(8))
                .max_length(Some(60)),
        ),
        "maTichHop" | "maDichVu" => done(
            text("Mã dịch vụ đã đăng ký; bỏ trống được · The registered service code, if sent")
                .pattern(Some("^[0-9]{1,20}$")),
        ),
        "maDonVi" => done(
            text("Mã đơn vị; mặc định của hệ thống · Agency; the system's own by default")
                .pattern(Some("^[A-Za-z0-9._-]{1,35}$")),
        ),
        "maQuanHuyen" => done(
            text("Mã huyện trước 01/07/2025 · District code of the list before 2025-07-01")
                .pattern(Some("^[0-9]{1,3}$")),
        ),
        "userNameService" => done(text(
            "Tài khoản dịch vụ của nền tảng; nhận nhưng không dùng · The platform's service \
             account; read, not used",
        )),
        _ => done(text("Số điện thoại; nhận nhưng không dùng · Telephone; read, not used")),
    }
}

fn data() -> RefOr<Schema> {
    let value = OneOfBuilder::new()
        .description(Some(
            "Xác thực, xác minh: đúng/sai. Tra cứu: công dân, null = không có hoặc không khớp. Hộ \
             gia đình: danh sách · A boolean, a citizen or null, or the members of a household",
        ))
        .item(Object::with_type(Type::Boolean))
        .item(reference("LgspCitizen"))
        .item(Array::new(reference("LgspCitizen")))
        .item(Object::with_type(Type::Null));
    done(
        closed("Dạng data · Shape data")
            .property("data", value)
            .required("data")
            .property("precision", precision()),
    )
}

fn response() -> RefOr<Schema> {
    let citizens = Array::new(reference("LgspCitizen"));
    let collection = closed("Công dân tìm thấy; rỗng = không có hoặc không khớp · Citizens")
        .property("congDan", described(citizens, "Các công dân · The citizens"))
        .required("congDan")
        .property("soCongDan", text("Số thành viên được nêu · Number of members that are told"))
        .property("ghiChu", text("Ghi chú: hộ có nhiều thành viên hơn · Of a larger household"))
        .property("precision", precision());
    let exists = || boolean("Có tồn tại và khớp · Exists and matches");
    let verified = closed("Kết quả xác thực · Answer to a verification")
        .property("tonTai", exists())
        .required("tonTai")
        .property("soLuongCongDan", text("Số công dân khớp, 0 hoặc 1 · Citizens that match"))
        .property("precision", precision());
    let pinned = closed("Kết quả xác thực, dạng đã ghim · The pinned answer")
        .property("tonTai", exists())
        .required("tonTai")
        .property("precision", precision());
    let checked = closed("Kết quả xác minh · Answer to a check")
        .property("khopDuLieu", boolean("Khớp dữ liệu · Whether it agrees"))
        .required("khopDuLieu")
        .property("precision", precision());
    done(
        closed("Nội dung trả lời, theo tên phần tử SOAP · The answer, by its SOAP element")
            .property("congdanCollection", collection)
            .property("xacThucThongTinCongDanResponse", verified)
            .property("ketQuaXacThucResponse", pinned)
            .property("ketQuaXacMinh", checked)
            .property(
                "conSong",
                nullable(
                    boolean(
                        "Còn sống; null = mất tích; chỉ khi khớp và được cấp · Alive; null = \
                         missing; on a match where it is granted",
                    ),
                    Type::Boolean,
                ),
            ),
    )
}

fn envelope(description: &str, response: RefOr<Schema>) -> RefOr<Schema> {
    let code = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(200))
        .maximum(Some(599))
        .description(Some("Mã trạng thái HTTP · The HTTP status"));
    done(
        closed(description)
            .property("code", code)
            .required("code")
            .property(
                "status",
                text("Mã xử lý: 000 = đã trả lời, còn lại như mã lỗi SOAP · Processing code")
                    .pattern(Some("^[0-9]{3}$")),
            )
            .required("status")
            .property("correlationId", correlation_id())
            .required("correlationId")
            .property("response", response)
            .required("response"),
    )
}

fn message() -> RefOr<Schema> {
    done(
        closed("Dạng soap, cả khi từ chối · Shape soap, refusals as well")
            .property("message", text("Phong bì SOAP: trả lời hoặc Fault · The SOAP envelope"))
            .required("message"),
    )
}

fn error() -> RefOr<Schema> {
    done(
        closed("Dạng data, từ chối: không có data · Shape data, refused: there is no data")
            .property("error", reference("LgspReason"))
            .required("error"),
    )
}

fn reason() -> RefOr<Schema> {
    let rules: Vec<_> = RuleId::ALL.iter().map(|r| r.code()).collect();
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .description(Some("Gửi lại sau số giây · Seconds to wait"));
    let example = Reason::LineUsedUp.text();
    let mut builder = closed("Lý do từ chối (A3) · Why it was refused")
        .property("code", text("Mã lỗi như trên SOAP · The code of SOAP faults"))
        .property("ruleId", text("Quy tắc · Rule").enum_values(Some(rules)))
        .property("correlationId", correlation_id())
        .property("titleVi", text("Lý do · Reason in Vietnamese"))
        .property("title", text("Lý do, tiếng Anh · Reason in English"))
        .property("whatToDoVi", text("Cần làm gì · What to do"));
    for name in ["code", "ruleId", "correlationId", "titleVi", "title", "whatToDoVi"] {
        builder = builder.required(name);
    }
    let errors = described(Array::new(reference("FieldError")), "Các mục sai · What was wrong");
    done(builder.property("retryAfter", seconds).property("errors", errors).examples([json!({
        "code": example.soap_code, "ruleId": example.rule.code(),
        "correlationId": "0123456789abcdef0123456789abcdef", "titleVi": example.title_vi,
        "title": example.title, "whatToDoVi": example.what_to_do_vi,
    })]))
}

/// The fields of a CongDan, all there; what is not granted or not known is `null`.
fn citizen() -> RefOr<Schema> {
    let mut builder = closed("Công dân, như CongDan của SOAP · A citizen, as SOAP's CongDan");
    for (name, description) in [
        ("soDinhDanh", "Số định danh · Personal id"),
        ("soCMND", "Số CMND · Old id"),
        ("gioiTinh", "Giới tính, mã · Sex, code"),
        ("danToc", "Dân tộc, mã · Ethnicity, code"),
        ("tonGiao", "Tôn giáo, mã · Religion, code"),
        ("tinhTrangHonNhan", "Hôn nhân, mã · Marital status, code"),
        ("nhomMau", "Nhóm máu, mã · Blood group, code"),
        ("quocTich", "Quốc tịch · Nationality"),
        ("soSoHoKhau", "Số hộ · Household number"),
    ] {
        builder = builder.property(name, nullable(text(description), Type::String)).required(name);
    }
    let address: &[&str] = &["maTinhThanh", "maQuanHuyen", "maPhuongXa", "chiTiet", "quocGia"];
    let relative: &[&str] = &["hoVaTen", "quocTich", "soDinhDanh", "soCMND"];
    for (name, description, parts) in [
        ("hoVaTen", "Họ và tên: cả tên ở ten · Name, whole in ten", &["ho", "chuDem", "ten"][..]),
        ("ngayThangNamSinh", "Ngày sinh · Birth", &["nam", "ngayThangNam"]),
        ("noiDangKyKhaiSinh", "Nơi đăng ký khai sinh · Birth registration", address),
        ("queQuan", "Quê quán · Place of origin", address),
        ("thuongTru", "Thường trú · Permanent residence", address),
        ("noiOHienTai", "Nơi ở hiện tại · Current residence", address),
        ("cha", "Cha · Father", relative),
        ("me", "Mẹ · Mother", relative),
        ("voChong", "Vợ/chồng · Spouse", relative),
        ("nguoiDaiDien", "Người đại diện · Guardian", relative),
        ("chuHo", "Chủ hộ · Head of household", &["quanHe", "soDinhDanh", "soCMND", "hoVaTen"]),
    ] {
        let mut object = closed(description);
        for part in parts {
            object = object.property(*part, nullable(ObjectBuilder::new(), Type::String));
        }
        builder = builder.property(name, nullable(object, Type::Object)).required(name);
    }
    done(builder)
}

fn boolean(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(Some(description))
}

fn precision() -> ObjectBuilder {
    text("Chỉ so được năm sinh · Only the year could be compared").enum_values(Some(["year"]))
}

fn described(mut array: Array, description: &str) -> Array {
    array.description = Some(description.to_owned());
    array
}

fn one_of(description: &str, names: &[&str]) -> RefOr<Schema> {
    let mut builder = OneOfBuilder::new().description(Some(description));
    for name in names {
        builder = builder.item(reference(name));
    }
    RefOr::T(Schema::OneOf(builder.build()))
}
