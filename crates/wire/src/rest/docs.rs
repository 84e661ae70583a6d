pub fn docs_css() -> &'static str { "" }
pub fn docs_html(_: &str) -> String { String::new() }
pub fn errors_html() -> String { String::new() }
