//! The OpenAPI 3.1 document. What may be sent comes from the structs that parse it, what is
//! answered from the structs and codes that render it.
//!
//! Descriptions are written `Vietnamese · English`.

mod accounts;
mod answers;
mod batches;
mod lgsp;
mod operations;
mod sandbox;
mod statements;

use dancu_domain::service::Field;
use serde_json::json;
use utoipa::openapi::schema::{ComponentsBuilder, Schema};
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApiBuilder, Ref, RefOr, ServerBuilder};

use super::accounts::{AccountBody, AccountsBody};
use super::bodies::{Body, ClockBody};
use super::shapes::{self, FieldDoc};
use super::{Endpoint, views};

/// The document of an installation reached under `base_url` (without a slash at its end).
pub fn openapi(base_url: &str) -> String {
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("dancu – Cơ sở dữ liệu quốc gia về dân cư")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Xác thực và tra cứu công dân theo quy định; mỗi câu trả lời đã được ghi nhật \
                     ký trước khi gửi · Verify and look up citizens under the rules; every answer \
                     is journaled before it leaves",
                ))
                .license(Some(
                    LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url(base_url.trim_end_matches('/')).build()]))
        .tags(Some(tags()))
        .paths(operations::paths())
        .components(Some(components(base_url.trim_end_matches('/'))))
        .build();
    // A document built from plain values always serializes.
    document.to_json().unwrap_or_default()
}

fn tags() -> Vec<utoipa::openapi::Tag> {
    [
        ("citizens", "Khai thác thông tin · Questions about citizens"),
        ("batches", "Lô xác thực và danh sách · Batches and lists inside an approved plan"),
        ("lgsp", "Nền tảng tích hợp cấp tỉnh · Provincial integration platforms"),
        ("own", "Thông tin của hệ thống gọi · About the caller's own use"),
        ("access", "Truy cập · Access"),
        ("operations", "Vận hành · Operations"),
        ("sandbox", "Môi trường thử · Sandbox"),
    ]
    .map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
    .into()
}

fn components(base_url: &str) -> utoipa::openapi::Components {
    let mut builder = ComponentsBuilder::new();
    for endpoint in Endpoint::ALL {
        let (name, text) = question(endpoint);
        let object = shapes::object(text, &fields(endpoint)).examples([example(endpoint)]);
        builder = builder.schema(name, object.build());
    }
    let clock = shapes::object("Giờ mới · The new time", ClockBody::FIELDS)
        .examples([json!({"now": "2026-03-02T18:00:00+07:00"})]);
    builder = builder.schema("ClockQuestion", clock.build());
    let list = "Danh sách tài khoản · The account list";
    let account = "Một tài khoản, theo các cột của mẫu · An account, by the columns of the form";
    builder = builder
        .schema("AccountList", shapes::object(list, AccountsBody::FIELDS).build())
        .schema("AccountRow", shapes::object(account, AccountBody::FIELDS).build());
    let row = "Một dòng của tệp NDJSON · One line of an NDJSON file of a batch";
    builder = builder.schema("BatchRow", shapes::object(row, super::row::members()).build());
    let (name, begins) = sandbox::question();
    builder = builder.schema(name, begins);
    let named = [shapes::components(), answers::components(), lgsp::components()];
    for (name, schema) in named.into_iter().flatten() {
        builder = builder.schema(name, schema);
    }
    builder
        .schemas_from_iter(answers::derived())
        .schemas_from_iter(batches::components())
        .security_scheme("oauth2", oauth2(base_url))
        .security_scheme(
            "bearer",
            SecurityScheme::Http(
                Http::builder()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("Mã truy cập của /oauth/token · A token of /oauth/token"))
                    .build(),
            ),
        )
        .security_scheme(
            "client",
            SecurityScheme::Http(
                Http::builder()
                    .scheme(HttpAuthScheme::Basic)
                    .description(Some(
                        "client_id và client_secret (client_secret_basic) · Client authentication \
                         at the token endpoint",
                    ))
                    .build(),
            ),
        )
        .build()
}

fn oauth2(base_url: &str) -> SecurityScheme {
    SecurityScheme::OAuth2(OAuth2::with_description(
        [Flow::ClientCredentials(ClientCredentials::new(
            format!("{base_url}/oauth/token"),
            Scopes::new(),
        ))],
        "OAuth 2.0 client credentials: client_secret_basic, client_secret_post, private_key_jwt",
    ))
}

/// Name and description of an endpoint's body.
fn question(endpoint: Endpoint) -> (&'static str, &'static str) {
    match endpoint {
        Endpoint::Verify => ("VerifyQuestion", "Yêu cầu xác thực · A verify request"),
        Endpoint::Lookup => ("LookupQuestion", "Yêu cầu tra cứu · A look-up request"),
        Endpoint::Household => {
            ("HouseholdQuestion", "Yêu cầu thông tin hộ gia đình · A household request")
        }
        Endpoint::Relation => {
            ("RelationQuestion", "Yêu cầu xác minh quan hệ · A relation check request")
        }
    }
}

/// The fields that an endpoint reads.
fn fields(endpoint: Endpoint) -> Vec<FieldDoc> {
    let reads = |name: &str| match name {
        "claims" => endpoint == Endpoint::Verify,
        "relation" | "other" => endpoint == Endpoint::Relation,
        _ => true,
    };
    Body::FIELDS.iter().copied().filter(|(name, ..)| reads(name)).collect()
}

/// A whole body of synthetic people, accepted by the parser.
fn example(endpoint: Endpoint) -> serde_json::Value {
    let mut body = json!({
        "requestId": "YC-2026-000001",
        "procedureCode": "1.004194",
        "caseCode": "H26.001-260302-0001",
        "account": "canbo.motcua",
        "subject": {
            "personalId": "099184012345",
            "fullName": "Nguyễn Thị Bình",
            "dateOfBirth": "1984-02-29",
        },
    });
    match endpoint {
        Endpoint::Verify => {
            body["claims"] = json!({
                "maritalStatus": "2",
                "permanentResidence": { "provinceCode": "01", "communeCode": "00004" },
            });
        }
        Endpoint::Relation => {
            body["relation"] = json!("father");
            body["other"] = json!({ "personalId": "099054000001", "fullName": "Nguyễn Văn An" });
        }
        Endpoint::Lookup | Endpoint::Household => {}
    }
    body
}

fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// Every field name that grants, claims and answers know.
fn field_names() -> impl Iterator<Item = &'static str> {
    Field::ALL.iter().map(|f| f.code())
}

/// The schema of a derived view by its name in the document.
fn view<T: utoipa::ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

pub(super) use views::{RefusalJson, ServiceWord, WindowWord};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_accepted() {
        let today = jiff::civil::date(2026, 3, 10);
        for endpoint in Endpoint::ALL {
            let body = example(endpoint).to_string();
            assert!(crate::rest::parse(endpoint, body.as_bytes(), today).is_ok(), "{body}");
        }
    }
}
