//! What a sandbox has beside a centre (B3). Every operation here is absent elsewhere.

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required, ResponseBuilder};

use super::operations::{answered, get, operation, post, problems, secured};
use super::reference;
use crate::rest::JSON;

pub(super) fn paths(builder: PathsBuilder) -> PathsBuilder {
    builder
        .path("/sandbox/clock", PathItem::new(HttpMethod::Put, only(clock())))
        .path("/sandbox/personas.json", get(only(personas())))
        .path("/sandbox/conformance", post(only(begin())))
        .path("/sandbox/conformance", get(only(look())))
}

/// Marks an operation as the sandbox's alone.
fn only(mut operation: Operation) -> Operation {
    let mark = ExtensionsBuilder::default().add("x-sandbox-only", true).build();
    operation.extensions = Some(mark);
    operation
}

/// The body that begins a run.
pub(super) fn question() -> (&'static str, RefOr<Schema>) {
    let text = |description: &str, most: usize| {
        let object = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        object.max_length(Some(most)).build()
    };
    let client = "Tên và phiên bản phần mềm · Name and version of the software";
    let system = "Mã hệ thống ghi trong hồ sơ; bỏ trống: hồ sơ mới nhất của đơn vị · System code \
                  of the dossier; left out: that of the unit's newest dossier";
    let body = ObjectBuilder::new()
        .description(Some("Bắt đầu lượt kiểm thử · Begins a run"))
        .property("client", text(client, 80))
        .property("system", text(system, 35))
        .required("client")
        .examples([json!({"client": "Một cửa điện tử 4.2", "system": "HANOI_DVC"})]);
    ("ConformanceQuestion", RefOr::T(Schema::Object(body.build())))
}

fn clock() -> Operation {
    let content = ContentBuilder::new().schema(Some(reference("ClockQuestion"))).build();
    let body = RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, content);
    let builder = operation(
        "sandboxClock",
        "sandbox",
        "Chỉnh giờ môi trường thử · Move the sandbox clock",
        "Chỉ chỉnh tới; nơi khác không có đường dẫn này · Forward only (409); absent outside the \
         sandbox (404)",
    )
    .request_body(Some(body.build()));
    let builder = answered(builder, "Giờ mới · The new time", "ClockView");
    problems(builder, &[400, 404, 409, 413, 415, 422, 500, 503]).build()
}

fn personas() -> Operation {
    let all = ArrayBuilder::new().items(reference("PersonaView")).build();
    let content = ContentBuilder::new().schema(Some(Schema::Array(all))).build();
    let response = ResponseBuilder::new()
        .description("Mỗi trường hợp một người mẫu · Persons for every edge")
        .content(JSON, content);
    let builder = operation(
        "sandboxPersonas",
        "sandbox",
        "Người mẫu cho mọi trường hợp · Personas for every edge",
        "Chỉ có ở môi trường thử; đều là dữ liệu giả, giữ nguyên khi khởi động lại · In the \
         sandbox only; made up, the same over restarts",
    );
    problems(builder.response("200", response.build()), &[400, 404, 500]).build()
}

fn begin() -> Operation {
    let content = ContentBuilder::new().schema(Some(reference("ConformanceQuestion"))).build();
    let body = RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, content);
    let run = ContentBuilder::new().schema(Some(reference("ConformanceView"))).build();
    let run = ResponseBuilder::new().description("Đã bắt đầu · It has begun").content(JSON, run);
    let builder = operation(
        "beginConformance",
        "sandbox",
        "Bắt đầu lượt kiểm thử · Begin a conformance run",
        "Chỉ có ở môi trường thử, cho hệ thống thử; lượt trước của hệ thống kết thúc · In the \
         sandbox only, for test systems (404 to others); the caller's run before ends",
    )
    .request_body(Some(body.build()));
    let builder = secured(builder).response("201", run.build());
    problems(builder, &[400, 401, 404, 413, 415, 422, 429, 500, 503]).build()
}

fn look() -> Operation {
    let builder = operation(
        "conformance",
        "sandbox",
        "Lượt kiểm thử đang ở đâu · Where the conformance run stands",
        "Chỉ có ở môi trường thử; kèm báo cáo đã ký khi đạt · In the sandbox only; with the signed \
         report once it is passed",
    );
    let builder = answered(secured(builder), "Lượt kiểm thử · The run", "ConformanceView");
    problems(builder, &[400, 401, 404, 429, 500, 503]).build()
}
