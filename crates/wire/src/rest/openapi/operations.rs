//! Every operation with its statuses.

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, Paths,
    PathsBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Object, RefOr, Required, Response, ResponseBuilder};

use super::super::{Endpoint, JSON, PROBLEM_JSON};
use super::{accounts, batches, lgsp, question, reference, sandbox, statements};

pub(super) fn paths() -> Paths {
    let mut builder = PathsBuilder::new();
    for endpoint in Endpoint::ALL {
        builder = builder.path(endpoint.path(), post(ask(endpoint)));
    }
    let builder = statements::paths(accounts::paths(batches::paths(builder)))
        .path(crate::lgsp::PATH, post(lgsp::ask()))
        .path("/api/v1/usage", get(usage()))
        .path("/api/v1/refusals/{correlationId}", get(refusal()))
        .path("/api/v1/journal", get(journal()))
        .path("/oauth/token", post(token()))
        .path("/openapi.json", get(document()))
        .path("/healthz", get(health("healthz", "Chương trình đang chạy · The program runs")))
        .path("/readyz", get(health("readyz", "Sẵn sàng phục vụ · Ready to serve")));
    sandbox::paths(builder).build()
}

pub(super) fn post(operation: Operation) -> PathItem {
    PathItem::new(HttpMethod::Post, operation)
}

pub(super) fn get(operation: Operation) -> PathItem {
    PathItem::new(HttpMethod::Get, operation)
}

pub(super) fn operation(id: &str, tag: &str, summary: &str, description: &str) -> OperationBuilder {
    OperationBuilder::new()
        .operation_id(Some(id))
        .tag(tag)
        .summary(Some(summary))
        .description(Some(description))
}

fn json_content(schema: &str) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(reference(schema))).build()
}

pub(super) fn answered(
    builder: OperationBuilder,
    description: &str,
    schema: &str,
) -> OperationBuilder {
    let response = ResponseBuilder::new().description(description);
    builder.response("200", response.content(JSON, json_content(schema)).build())
}

/// Adds the problems that an operation may answer with.
pub(super) fn problems(mut builder: OperationBuilder, statuses: &[u16]) -> OperationBuilder {
    for status in statuses {
        builder = builder.response(status.to_string(), problem(*status));
    }
    builder
}

pub(super) fn problem(status: u16) -> Response {
    let description = match status {
        400 => "Yêu cầu HTTP không đúng dạng · Malformed request",
        401 => "Chưa xác thực · Who are you",
        403 => "Không được cấp, hoặc đang bị khóa · Not granted, or locked",
        404 => "Không có, hoặc không thuộc hệ thống gọi · Not yours to know",
        409 => "Mã yêu cầu đã dùng cho nội dung khác · Request id with another body",
        413 => "Nội dung quá 64 KiB · Body over 64 KiB",
        415 => "Kiểu nội dung không hỗ trợ · Unsupported media type",
        422 => "Nội dung không hợp lệ, xem errors · Bad input, see errors",
        429 => "Hết lượt hoặc quá nhịp · Over a count or pace",
        503 => "Không ghi được nhật ký nên không trả lời · Cannot be journaled, nothing answered",
        501 => "Thao tác chưa được cung cấp · Not offered yet",
        _ => "Lỗi của hệ thống · Our fault",
    };
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, json_content("Problem"));
    if status == 401 {
        response =
            response.header("WWW-Authenticate", header("Cách xác thực · Challenge", Type::String));
    }
    if status == 429 || status == 503 {
        let text = "Số giây nên chờ, khi có · Seconds to wait, where one applies";
        response = response.header("Retry-After", header(text, Type::Integer));
    }
    response.build()
}

fn header(description: &str, kind: Type) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(kind)))
        .description(Some(description))
        .build()
}

pub(super) fn secured(builder: OperationBuilder) -> OperationBuilder {
    builder
        .security(SecurityRequirement::new("bearer", [""; 0]))
        .security(SecurityRequirement::new("oauth2", [""; 0]))
}

fn json_body(schema: &str) -> RequestBody {
    RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(JSON, json_content(schema))
        .build()
}

fn ask(endpoint: Endpoint) -> Operation {
    let (id, summary, description, answer) = match endpoint {
        Endpoint::Verify => (
            "verifyCitizen",
            "Xác thực thông tin công dân · Verify a citizen",
            "Ba khóa (số, họ tên, ngày sinh) phải cùng khớp; các mục trong claims chỉ được so khi \
             khớp · The three keys must all agree; claims are compared only then",
            "VerifyAnswer",
        ),
        Endpoint::Lookup => (
            "lookupCitizen",
            "Tra cứu thông tin công dân · Look up a citizen",
            "Trả các trường được cấp khi ba khóa khớp · Answers the granted fields when the three \
             keys agree",
            "LookupAnswer",
        ),
        Endpoint::Household => (
            "lookupHousehold",
            "Tra cứu hộ gia đình · Look up a household",
            "Trả thành viên hộ của công dân, mỗi người theo các trường được cấp · Answers the \
             members of the citizen's household with the granted fields",
            "HouseholdAnswer",
        ),
        Endpoint::Relation => (
            "verifyRelation",
            "Xác minh quan hệ nhân thân · Verify a relation",
            "Người kia có phải cha, mẹ, vợ/chồng, người giám hộ hoặc chủ hộ của công dân không · \
             Whether the other is the citizen's relative of this kind",
            "RelationAnswer",
        ),
    };
    let builder = operation(id, "citizens", summary, description)
        .request_body(Some(json_body(question(endpoint).0)));
    let builder =
        answered(secured(builder), "Đã trả lời và ghi nhật ký · Answered and journaled", answer);
    problems(builder, &[400, 401, 403, 409, 413, 415, 422, 429, 500, 503]).build()
}

fn usage() -> Operation {
    let builder = operation(
        "usage",
        "own",
        "Số lượt đã dùng · Usage of the duty day",
        "Các dòng của cả hai khung giờ, tổng ngoài giờ, các tài khoản · Lines of both windows, the \
         off-hours total, the accounts",
    );
    let builder = answered(secured(builder), "Số lượt · Usage", "UsageView");
    problems(builder, &[400, 401, 403, 429, 500, 503]).build()
}

fn refusal() -> Operation {
    let id = ParameterBuilder::new()
        .name("correlationId")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Mã tra cứu trong lần từ chối · The correlation id of the refusal"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-9a-f]{32}$"))
                .examples([json!("0123456789abcdef0123456789abcdef")]),
        ))
        .build();
    let builder = operation(
        "refusal",
        "own",
        "Vì sao bị từ chối · Why it was refused",
        "Chỉ hệ thống đã hỏi đọc được · To the system it belonged to; 404 to others",
    )
    .parameter(id);
    let builder =
        answered(secured(builder), "Lý do và cách xử lý · Why, and what to do", "Refusal");
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}

fn journal() -> Operation {
    let from = ParameterBuilder::new()
        .name("from")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some("Từ số thứ tự này; mặc định 0 · From this index on; 0 by default"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0))
                .maximum(Some(999_999_999_999_999_999_u64)),
        ))
        .build();
    let builder = operation(
        "journal",
        "own",
        "Nhật ký của chính mình · The caller's own journal",
        "Các mục của hệ thống gọi, không có dữ liệu cá nhân, để lưu và đối chiếu (F1) · The \
         caller's own entries without personal data, to keep and compare",
    )
    .parameter(from);
    let builder = answered(secured(builder), "Một trang nhật ký · A page", "JournalPage");
    problems(builder, &[400, 401, 403, 422, 429, 500, 503]).build()
}

fn token() -> Operation {
    let content = ContentBuilder::new().schema(Some(token_form())).build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content)
        .build();
    let builder = operation(
        "token",
        "access",
        "Lấy mã truy cập · Get an access token",
        "RFC 6749 client credentials; xác thực bằng client_secret_basic, client_secret_post hoặc \
         private_key_jwt · Client authentication by any of the three",
    )
    .request_body(Some(body))
    .security(SecurityRequirement::new("client", [""; 0]))
    .security(SecurityRequirement::default());
    let mut builder = answered(builder, "Mã truy cập · A token", "TokenView");
    for (status, text) in
        [("400", "Yêu cầu sai · Bad request"), ("401", "Sai thông tin · Bad client")]
    {
        let mut response =
            ResponseBuilder::new().description(text).content(JSON, json_content("OauthErrorView"));
        if status == "401" {
            response = response.header("WWW-Authenticate", header("Challenge", Type::String));
        }
        builder = builder.response(status, response.build());
    }
    problems(builder, &[413, 415, 429, 500, 503]).build()
}

fn token_form() -> RefOr<Schema> {
    let text = |description: &str| {
        ObjectBuilder::new().schema_type(Type::String).description(Some(description))
    };
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .property(
            "grant_type",
            text("client_credentials").enum_values(Some(["client_credentials"])),
        )
        .required("grant_type")
        .property("client_id", text("client_secret_post"))
        .property("client_secret", text("client_secret_post"))
        .property(
            "client_assertion_type",
            text("private_key_jwt")
                .enum_values(Some(["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"])),
        )
        .property("client_assertion", text("private_key_jwt"));
    RefOr::T(Schema::Object(object.build()))
}

fn document() -> Operation {
    let schema = ObjectBuilder::new().schema_type(Type::Object).build();
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description("OpenAPI 3.1").content(JSON, content).build();
    operation(
        "openapi",
        "operations",
        "Tài liệu này dạng máy đọc · This document",
        "OpenAPI 3.1 · OpenAPI 3.1",
    )
    .response("200", response)
    .build()
}

fn health(id: &str, summary: &str) -> Operation {
    let builder = operation(id, "operations", summary, "Cho giám sát · For monitoring");
    let unavailable = ResponseBuilder::new()
        .description("Chưa hoặc không còn phục vụ · Not yet, or not any more")
        .content(JSON, json_content("Health"));
    answered(builder, "Tốt · Fine", "Health").response("503", unavailable.build()).build()
}
