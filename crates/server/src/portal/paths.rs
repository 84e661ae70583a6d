//! Paths that come back from a browser: where one wanted to go, where a form stood. Only paths of
//! this portal are followed, so that no link of ours leads elsewhere.

use std::fmt::Write as _;

/// Longest path with its query: what servers and proxies in use take as well.
const PATH_MAX: usize = 2_000;
/// Pages that nobody wants to return to: they ask, lock or end.
const NEVER: [&str; 6] = ["/sign-in", "/sign-out", "/lock", "/unlock", "/confirm", "/pace"];

/// The path, if it is one of this portal: it begins with one slash, and holds nothing that a
/// browser reads as the beginning of another host (`//evil`, `/\evil`, a tab in between).
pub fn local(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (plain && !rest.starts_with('/') && text.len() <= PATH_MAX).then_some(text)
}

/// The same, for coming back to after signing in or unlocking.
pub fn back(text: &str) -> Option<&str> {
    let path = local(text)?;
    let bare = path.split(['?', '#']).next().unwrap_or(path);
    let never = |page: &str| {
        bare.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    (!NEVER.iter().any(|page| never(page))).then_some(path)
}

/// A path as a value in a query: everything but letters, digits and `/-_.~` is escaped.
pub fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_portal_are_followed() {
        for good in ["/", "/counter", "/unit/officers?page=2&q=a%20b", "/a/../b", "/./x"] {
            assert_eq!(local(good), Some(good));
        }
        let long = format!("/{}", "a".repeat(PATH_MAX));
        for evil in [
            "",
            "counter",
            "//evil.vn",
            "/\\evil.vn",
            "\\\\evil",
            "https://evil.vn",
            "https:evil",
            "/\t/evil.vn",
            "/\n/evil",
            "/ /evil",
            "javascript:alert(1)",
            "/x\r\nset-cookie:a",
            "/ạ",
            "/x\\y",
            &long,
        ] {
            assert_eq!(local(evil), None, "{evil}");
        }
    }

    #[test]
    fn nobody_comes_back_to_a_page_that_ends_or_asks() {
        for page in ["/sign-in", "/sign-in?next=/x", "/sign-in/factor", "/sign-out", "/unlock/key"]
        {
            assert_eq!(back(page), None, "{page}");
        }
        assert_eq!(back("/sign-in-history"), Some("/sign-in-history"));
        assert_eq!(back("/lockers"), Some("/lockers"));
    }

    #[test]
    fn escaped_paths_stay_one_value() {
        assert_eq!(escaped("/a?b=c&d=e#f"), "/a%3Fb%3Dc%26d%3De%23f");
    }
}
