//! Monthly statements (A7).

use serde_json::json;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, Required};

use super::operations::{answered, get, operation, problems, secured};
use crate::rest::JSON;

pub(super) fn paths(builder: PathsBuilder) -> PathsBuilder {
    builder
        .path("/api/v1/statements", get(list()))
        .path("/api/v1/statements/{month}", get(document()))
        .path("/api/v1/statements/{month}/note", get(note()))
        .path("/log/key", get(key()))
}

fn list() -> Operation {
    let builder = operation(
        "statements",
        "own",
        "Các bản xác nhận hằng tháng · Monthly statements",
        "Trung tâm xác nhận dịch vụ đã cung cấp, mỗi tháng một bản · The centre confirms the \
         services it provided, one statement a month (A7)",
    );
    let builder = answered(secured(builder), "Danh sách · The list", "StatementsView");
    problems(builder, &[401, 403, 429, 500, 503]).build()
}

fn month() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("month")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Tháng · Month of duty days"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-9]{4}-[0-9]{2}$"))
                .examples([json!("2026-03")]),
        ))
        .build()
}

fn document() -> Operation {
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("docs/statements.md"))
        .property("format", Object::with_type(Type::String))
        .property("number", Object::with_type(Type::String))
        .property("month", Object::with_type(Type::String))
        .required("format")
        .required("number")
        .required("month")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)));
    let content = ContentBuilder::new().schema(Some(Schema::Object(schema.build()))).build();
    let response = ResponseBuilder::new()
        .description("Đúng từng byte như đã ký · Byte for byte as it was signed")
        .content(JSON, content);
    let builder = operation(
        "statement",
        "own",
        "Bản xác nhận của một tháng · The statement of a month",
        "Bản mới nhất của tháng; 404 khi chưa có · The newest one; 404 while there is none",
    )
    .parameter(month());
    let builder = secured(builder).response("200", response.build());
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}

fn note() -> Operation {
    let builder = operation(
        "statementNote",
        "own",
        "Chữ ký của bản xác nhận · The signed note of a statement",
        "C2SP signed-note: số và SHA-256 của tệp JSON · The number and the SHA-256 of the JSON",
    )
    .parameter(month());
    let builder = secured(builder).response("200", text("Văn bản có ký · The signed note"));
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}

fn key() -> Operation {
    operation(
        "logKey",
        "operations",
        "Khóa công khai của nhật ký · The public key of the log",
        "Dòng khóa theo C2SP signed-note; ai cũng đọc được · The key line, for anybody",
    )
    .response("200", text("Dòng khóa · The key line"))
    .response("503", super::operations::problem(503))
    .build()
}

fn text(description: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Object::with_type(Type::String))).build();
    ResponseBuilder::new().description(description).content("text/plain", content).build()
}
