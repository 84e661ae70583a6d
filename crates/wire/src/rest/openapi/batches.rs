//! Batches in the document: submission, status, results, bad rows, cancelling.

use serde_json::json;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
    PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Array, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required, ResponseBuilder};

use super::super::batches::{self, BATCHES, LISTS, PARAMETERS};
use super::super::shapes::Need;
use super::answers::{closed, correlation_id, done, nullable, text};
use super::operations::{answered, get, operation, post, problem, problems, secured};
use super::{reference, view};

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

/// Adds the paths of batches and lists.
pub(super) fn paths(builder: PathsBuilder) -> PathsBuilder {
    let one = format!("{BATCHES}/{{id}}");
    let mut collection = post(submit());
    collection.get = Some(list());
    let mut job = get(status());
    job.delete = Some(cancel());
    builder
        .path(LISTS, post(submit_list()))
        .path(BATCHES, collection)
        .path(one.clone(), job)
        .path(format!("{one}/results"), get(results()))
        .path(format!("{one}/results.csv"), file("batchResultsCsv", CSV))
        .path(format!("{one}/results.ndjson"), file("batchResultsNdjson", NDJSON))
        .path(format!("{one}/errors"), get(errors()))
}

/// Schemas of what is answered.
pub(super) fn components() -> Vec<(String, RefOr<Schema>)> {
    let pages = [
        ("BatchResult", result()),
        ("BatchResults", page("Một trang kết quả · A page of results", "results", "BatchResult")),
        ("BatchBadRow", bad_row()),
        ("BatchBadRows", page("Các dòng lỗi · A page of bad rows", "badRows", "BatchBadRow")),
    ];
    let mut all: Vec<_> = pages.map(|(name, schema)| (name.to_owned(), schema)).into();
    all.push(view::<batches::BatchJob>());
    all.push(view::<batches::BatchReason>());
    all.push(view::<batches::BatchList>());
    all.extend(batches::list_components());
    all
}

fn number(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).description(Some(description))
}

fn page(description: &str, name: &str, item: &str) -> RefOr<Schema> {
    let next =
        "from của trang sau; null = chưa có thêm · from of the next page; null = no more yet";
    let mut items = Array::new(reference(item));
    items.description = Some("Theo số dòng · By row".to_owned());
    done(
        closed(description)
            .property(name, items)
            .required(name)
            .property("next", nullable(number(next), Type::Integer))
            .required("next"),
    )
}

fn result() -> RefOr<Schema> {
    let words = ["match", "noMatch", "listed", "refused"];
    let alive = nullable(
        ObjectBuilder::new().description(Some("Còn sống; null = mất tích · Alive; null = missing")),
        Type::Boolean,
    );
    let claims = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Kết quả từng mục đã hỏi · Results of the claims"));
    done(
        closed("Kết quả của một dòng · The result of one row")
            .property("row", number("Số dòng trong tệp, từ 1 · Number of the row, from 1"))
            .required("row")
            .property("result", text("Kết quả · Result").enum_values(Some(words)))
            .required("result")
            .property("alive", alive)
            .property("precision", text("Chỉ so được năm sinh · Only the year was compared"))
            .property("claims", claims)
            .property("citizen", reference("Citizen"))
            .property("ruleId", text("Quy tắc, khi bị từ chối · Rule of a refusal"))
            .property("titleVi", text("Lý do · Reason in Vietnamese"))
            .property("title", text("Lý do, tiếng Anh · Reason in English"))
            .property("whatToDoVi", text("Cần làm gì · What to do, in Vietnamese"))
            .property("journal", reference("JournalRef"))
            .required("journal")
            .property("correlationId", correlation_id())
            .required("correlationId"),
    )
}

fn bad_row() -> RefOr<Schema> {
    done(
        closed("Một dòng không đọc được · A row that could not be read")
            .property("row", number("Số dòng · Number of the row"))
            .required("row")
            .property("field", text("Cột hoặc trường · Column or field"))
            .required("field")
            .property("reasonVi", text("Lý do · Reason in Vietnamese"))
            .required("reasonVi")
            .property("reason", text("Lý do, tiếng Anh · Reason in English"))
            .required("reason"),
    )
}

fn submit() -> Operation {
    let rows: Content = ContentBuilder::new()
        .schema(Some(text(
            "Tệp CSV UTF-8 có dòng tiêu đề: personalId hoặc oldId, fullName, dateOfBirth, thêm các \
             cột cần đối chiếu · A CSV file, UTF-8, with a header",
        )))
        .example(Some(json!(
            "personalId,fullName,dateOfBirth\r\n099184012345,Nguyễn Thị Bình,1984-02-29\r\n"
        )))
        .build();
    // Of each line.
    let lines: Content = ContentBuilder::new()
        .schema(Some(reference("BatchRow")))
        .example(Some(json!(
            "{\"personalId\":\"099184012345\",\"fullName\":\"Nguyễn Thị Bình\",\
             \"dateOfBirth\":\"1984-02-29\"}\n"
        )))
        .build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .description(Some(
            "Tối đa 1.000.000 dòng, 512 MiB, mỗi dòng 8 KiB · At most 1,000,000 rows, 512 MiB, \
             8 KiB a row",
        ))
        .content(CSV, rows)
        .content(NDJSON, lines)
        .build();
    let mut builder = operation(
        "submitBatch",
        "batches",
        "Gửi một lô xác thực · Submit a batch to verify",
        "Chỉ tài khoản có kế hoạch chạy tự động đã duyệt (D5). Mỗi dòng là một lượt, được quyết \
         định, tính lượt và ghi nhật ký khi đến phiên; dòng lỗi không làm hỏng lô. Gửi lại cùng \
         requestId và cùng nội dung thì nhận lại chính lô đó (200). Mục đối chiếu chưa được cấp \
         thì cả tệp bị từ chối (A4). Mỗi lúc nhận một tệp của một hệ thống; dưới 32 KiB mỗi giây \
         thì ngừng nhận (400); dữ liệu đang giữ của mọi lô tối đa 1 GiB (429) · Only for \
         accounts with an approved job plan. Each row is one question, decided, counted and \
         journaled when its turn comes; bad rows are listed and do not fail the batch. The same \
         request again is the same job (200). A claim that is not granted refuses the whole file \
         (A4). One file of a system at a time, at 32 KiB/s or more, and 1 GiB kept of all its \
         jobs",
    )
    .request_body(Some(body));
    for (name, need, schema) in PARAMETERS {
        builder = builder.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(if matches!(need, Need::Required) {
                    Required::True
                } else {
                    Required::False
                })
                .schema(Some(schema()))
                .build(),
        );
    }
    let builder = taken(builder);
    let mut too_large = problem(413);
    "Tệp quá lớn · The file is too large".clone_into(&mut too_large.description);
    problems(builder, &[400, 401, 403, 409, 415, 422, 429, 500, 503])
        .response("413", too_large)
        .build()
}

/// What a submission comes to.
fn taken(builder: OperationBuilder) -> OperationBuilder {
    let taken = ResponseBuilder::new().description("Đã nhận · Taken").content(
        super::super::JSON,
        ContentBuilder::new().schema(Some(reference("BatchJob"))).build(),
    );
    let builder = secured(builder).response("202", taken.build());
    answered(builder, "Yêu cầu đã gửi trước đó · The same job as before", "BatchJob")
}

fn submit_list() -> Operation {
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(
            super::super::JSON,
            ContentBuilder::new().schema(Some(reference("ListQuestion"))).build(),
        )
        .build();
    let builder = operation(
        "submitList",
        "batches",
        "Yêu cầu lập danh sách · Ask for a list",
        "Chỉ tài khoản có kế hoạch chạy tự động đã duyệt (D5). Danh sách được lập dần; mỗi người \
         là một lượt và một mục nhật ký (D2, F1). Theo dõi và lấy kết quả tại \
         /api/v1/batches/{id} · Only for accounts with an approved job plan. Each person told is \
         one question, counted and journaled; watch it and read it under /api/v1/batches/{id}",
    )
    .request_body(Some(body));
    problems(taken(builder), &[400, 401, 403, 409, 413, 415, 422, 429, 500, 503]).build()
}

fn id() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Mã lô · Id of the job"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-9a-f]{32}$"))
                .examples([json!("0123456789abcdef0123456789abcdef")]),
        ))
        .build()
}

fn own(name: &str, summary: &str, description: &str) -> OperationBuilder {
    secured(operation(name, "batches", summary, description)).parameter(id())
}

fn list() -> Operation {
    let builder = operation(
        "listBatches",
        "batches",
        "Các lô của hệ thống gọi · The caller's jobs",
        "Mọi lô đang giữ, mới nhất trước · All jobs that are kept, the newest first",
    );
    let builder = answered(secured(builder), "Các lô · Jobs", "BatchList");
    problems(builder, &[400, 401, 403, 429, 500, 503]).build()
}

fn status() -> Operation {
    let builder = own(
        "batchStatus",
        "Trạng thái của một lô · Where a job stands",
        "Chỉ hệ thống đã gửi xem được · To the system it belongs to; 404 to others",
    );
    let builder = answered(builder, "Trạng thái · Status", "BatchJob");
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}

fn cancel() -> Operation {
    let builder = own(
        "cancelBatch",
        "Hủy hoặc xóa một lô · Cancel or delete a job",
        "Lô chưa xong: hủy, giữ kết quả đã có (200). Lô đã xong hoặc đã hủy, hoặc phần đầu đã \
         hỏng: xóa cùng kết quả (204) · A job that is not over is cancelled and keeps its results \
         (200); one that is over, or whose head is damaged, is deleted (204)",
    );
    let deleted = ResponseBuilder::new().description("Đã xóa · Deleted").build();
    let builder = answered(builder, "Đã hủy · Cancelled", "BatchJob").response("204", deleted);
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}

fn paged(builder: OperationBuilder) -> OperationBuilder {
    let parameter = |name: &str, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .schema(Some(schema))
            .build()
    };
    let from = number("Từ dòng này; mặc định 1 · From this row on").maximum(Some(99_999_999));
    let limit = number("Tối đa; mặc định 1.000 · At most").maximum(Some(1_000));
    builder.parameter(parameter("from", from)).parameter(parameter("limit", limit))
}

fn results() -> Operation {
    let builder = paged(own(
        "batchResults",
        "Kết quả theo trang · Results by page",
        "Theo số dòng; đọc được cả khi lô đang chạy. Mỗi lần lấy là một mục nhật ký (F1); chỉ khi \
         kết nối, dịch vụ, tài khoản và thủ tục còn hiệu lực, và chỉ các trường còn được cấp · By \
         row; also while the job runs. Each request is journaled, needs what the job was asked by \
         to be still in force, and tells the fields that are still granted",
    ));
    let builder = answered(builder, "Một trang · A page", "BatchResults");
    problems(builder, &[400, 401, 403, 404, 422, 429, 500, 503]).build()
}

fn errors() -> Operation {
    let builder = paged(own(
        "batchErrors",
        "Các dòng lỗi · Rows that could not be read",
        "Tối đa 10.000 dòng đầu, kèm lý do; không nhắc lại giá trị · The first 10,000 with their \
         reason, never the value",
    ));
    let builder = answered(builder, "Một trang · A page", "BatchBadRows");
    problems(builder, &[400, 401, 403, 404, 422, 429, 500, 503]).build()
}

fn file(name: &str, kind: &str) -> PathItem {
    let content = ContentBuilder::new().schema(Some(text("Mỗi dòng một kết quả · One per line")));
    let response = ResponseBuilder::new()
        .description("Tệp kết quả · The file")
        .content(kind, content.build())
        .build();
    let builder = own(
        name,
        "Kết quả dạng tệp · Results as a file",
        "Mọi kết quả đã có, theo số dòng; điều kiện như lấy theo trang · Every result so far, by \
         row, on the terms of pages",
    );
    let builder = builder.response("200", response);
    PathItem::new(HttpMethod::Get, problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build())
}
