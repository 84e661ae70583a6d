//! `/static/`: the files of the portal's look, out of the program itself, compressed once.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_portal::files::FILES;
use dancu_wire::rest::HttpProblem;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::handlers::problem;

/// A file asked for with the cache key of this build never changes, s: a year.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Others are asked for anew after a day: fonts and icons are named in the sheet without a key.
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// A file, ready to be sent.
struct Asset {
    path: &'static str,
    kind: HeaderValue,
    tag: HeaderValue,
    plain: Bytes,
    /// Smaller, for browsers that take gzip: all that are in use. Pages are not compressed: they
    /// hold tokens beside what was typed, and their size would tell about them.
    small: Option<Bytes>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |file: &dancu_portal::files::File| Asset {
        path: file.path,
        kind: HeaderValue::from_static(file.kind),
        tag: tag(file.bytes),
        plain: Bytes::from_static(file.bytes),
        small: if file.text { gzip(file.bytes) } else { None },
    };
    FILES.iter().map(asset).collect()
});

/// The cache key of this build: the first digits of the digest of every file.
pub static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for file in FILES {
        digest.update(file.path.as_bytes());
        digest.update(file.bytes);
    }
    format!("{}-{}", env!("CARGO_PKG_VERSION"), hex::encode(&digest.finish().as_ref()[..4]))
});

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    let small = encoder.finish().ok()?;
    (small.len() < bytes.len()).then(|| small.into())
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let text = format!("\"{}\"", hex::encode(&digest.as_ref()[..8]));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

/// `GET /static/{path}`.
pub async fn get(
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        return problem(HttpProblem::NotFound);
    };
    let gzip = says(&headers, header::ACCEPT_ENCODING, "gzip");
    let fresh = headers.get(header::IF_NONE_MATCH).is_some_and(|seen| *seen == asset.tag);
    let small = asset.small.as_ref().filter(|_| gzip);
    let body = if fresh { Bytes::new() } else { small.unwrap_or(&asset.plain).clone() };
    let mut response = Response::new(Body::from(body));
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let keyed = query.is_some_and(|query| query.strip_prefix("v=") == Some(BUILD.as_str()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, asset.kind.clone());
    out.insert(header::ETAG, asset.tag.clone());
    out.insert(header::CACHE_CONTROL, if keyed { FOREVER } else { A_DAY });
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let corp = header::HeaderName::from_static("cross-origin-resource-policy");
    out.insert(corp, HeaderValue::from_static("same-origin"));
    if small.is_some() && !fresh {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Whether a list in a header names the word.
fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let named = |part: &str| {
        let (value, quality) = part.split_once(';').unwrap_or((part, ""));
        value.trim().eq_ignore_ascii_case(word) && quality.trim() != "q=0"
    };
    let lists = headers.get_all(name);
    lists.iter().filter_map(|v| v.to_str().ok()).any(|list| list.split(',').any(named))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asked(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect()
    }

    async fn body(response: Response) -> Bytes {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }

    async fn ask(path: &str, query: Option<&str>, headers: HeaderMap) -> Response {
        get(Path(path.into()), RawQuery(query.map(Into::into)), headers).await
    }

    #[tokio::test]
    async fn texts_are_sent_small_and_come_out_the_same() {
        for file in FILES {
            let small = ask(file.path, None, asked(&[("accept-encoding", "br, gzip")])).await;
            let is_small = small.headers().contains_key(header::CONTENT_ENCODING);
            assert_eq!(is_small, file.text, "{}", file.path);
            let mut bytes = body(small).await.to_vec();
            if is_small {
                let mut out = vec![];
                flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut out).unwrap();
                bytes = out;
            }
            assert_eq!(bytes, file.bytes, "{}", file.path);
            let plain = ask(file.path, None, asked(&[("accept-encoding", "gzip;q=0")])).await;
            assert_eq!(body(plain).await, file.bytes);
        }
    }

    #[tokio::test]
    async fn a_file_with_the_key_of_the_build_is_kept_for_ever() {
        let cached = |r: &Response| r.headers()[header::CACHE_CONTROL].clone();
        let keyed = ask("js/portal.js", Some(&format!("v={}", *BUILD)), asked(&[])).await;
        assert_eq!(cached(&keyed), FOREVER);
        let tag = keyed.headers()[header::ETAG].to_str().unwrap().to_owned();
        for other in [None, Some("v=0"), Some("")] {
            let again = ask("js/portal.js", other, asked(&[("if-none-match", &tag)])).await;
            assert_eq!((again.status(), cached(&again)), (StatusCode::NOT_MODIFIED, A_DAY));
            assert!(body(again).await.is_empty());
        }
    }

    #[tokio::test]
    async fn nothing_else_is_there() {
        for path in ["", "css", "../Cargo.toml", "js/portal.js/", "%2e%2e", "css/../icons.svg"] {
            assert_eq!(ask(path, None, asked(&[])).await.status(), 404, "{path}");
        }
    }
}
