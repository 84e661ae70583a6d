//! The account list that a system sends (B6).

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Required, ResponseBuilder};

use super::operations::{answered, get, operation, problem, problems, secured};
use super::reference;
use crate::rest::JSON;

pub(super) fn paths(builder: PathsBuilder) -> PathsBuilder {
    builder
        .path("/api/v1/accounts", PathItem::new(HttpMethod::Put, send()))
        .path("/api/v1/accounts/changes/{id}", get(changes()))
}

fn send() -> Operation {
    let content = ContentBuilder::new().schema(Some(reference("AccountList"))).build();
    let body = RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, content);
    let waits = ContentBuilder::new().schema(Some(reference("AccountChangesView"))).build();
    let waits = ResponseBuilder::new()
        .description("Có khác biệt, chờ thủ trưởng duyệt · It differs, and waits for the head")
        .content(JSON, waits)
        .build();
    let builder = operation(
        "sendAccounts",
        "own",
        "Gửi danh sách tài khoản · Send the account list",
        "Toàn bộ danh sách cán bộ của hệ thống, theo các cột của mẫu. Gửi lại không thay đổi gì \
         thêm; danh sách mới thay danh sách đang chờ. Chỉ có hiệu lực sau khi thủ trưởng đơn vị \
         duyệt; tài khoản không có trong danh sách được đề nghị thu hồi · The whole list of the \
         system's officers, by the columns of the form. Sending it again changes nothing more; a \
         newer list replaces the one that waits. Nothing is in force before the head of the unit \
         approves it; accounts missing from it are proposed for revocation",
    )
    .request_body(Some(body.build()));
    let builder = answered(
        secured(builder).response("202", waits),
        "Không có gì khác · Nothing differs",
        "AccountChangesView",
    );
    let mut too_large = problem(413);
    "Danh sách quá lớn · The list is too large".clone_into(&mut too_large.description);
    problems(builder, &[400, 401, 403, 415, 422, 429, 500, 503]).response("413", too_large).build()
}

fn changes() -> Operation {
    let id = ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("Số của danh sách đã gửi · The number of a list that was sent"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(999_999_999)),
        ))
        .build();
    let builder = operation(
        "accountChanges",
        "own",
        "Danh sách đã gửi đang ở đâu · Where a list stands",
        "Chỉ hệ thống đã gửi xem được · To the system that sent it; 404 to others",
    )
    .parameter(id);
    let builder = answered(secured(builder), "Trạng thái · State", "AccountChangesView");
    problems(builder, &[400, 401, 403, 404, 429, 500, 503]).build()
}
