//! The reference page, written on the server from the OpenAPI document: no script, no style of
//! its own inside the page, so that the content-security policy can forbid both.
//!
//! Vietnamese stands first, English beside it: texts of the form `Vietnamese · English` are split.

mod errors;
mod tree;

use std::fmt::Write;

use dancu_domain::refusal::Reason;

use super::HttpProblem;
pub use errors::error_html;
use tree::Tree;

/// Where the server serves [`docs_css`].
const CSS_PATH: &str = "/docs/style.css";

/// Deepest nesting of objects that a table shows; ours have four.
const LEVELS_MAX: usize = 6;

/// The style of both pages, to be served at `/docs/style.css`.
pub fn docs_css() -> &'static str {
    include_str!("style.css")
}

/// The reference page of a document made by [`super::openapi`].
pub fn docs_html(openapi: &str) -> String {
    let document = serde_json::from_str::<Tree>(openapi).unwrap_or(Tree::Null);
    let out = String::with_capacity(128 * 1024);
    let mut page = Page { document: &document, out, shown: vec![] };
    page.head("Tài liệu API", "API reference");
    page.contents();
    page.operations();
    page.catalogue();
    page.out.push_str("</main></body></html>\n");
    page.out
}

/// The catalogue of refusals alone: where the `type` of a problem points.
pub fn errors_html() -> String {
    let mut page = Page { document: &NULL, out: String::with_capacity(32 * 1024), shown: vec![] };
    page.head("Danh mục từ chối", "Catalogue of refusals");
    page.catalogue();
    page.out.push_str("</main></body></html>\n");
    page.out
}

/// What stands where the document says nothing.
static NULL: Tree = Tree::Null;

struct Page<'t> {
    document: &'t Tree,
    out: String,
    /// Answers that stand on the page already, by reference, with the operation they stand at.
    shown: Vec<(&'t str, &'t str)>,
}

impl<'t> Page<'t> {
    fn tag(&mut self, tag: &str, class: &str, text: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "<{tag} class=\"{class}\">");
        escape(&mut self.out, text);
        let _ = write!(self.out, "</{tag}>");
    }

    /// A text in both languages.
    fn both(&mut self, tag: &str, text: &str) {
        let (vi, en) = text.split_once(" · ").unwrap_or((text, ""));
        let _ = write!(self.out, "<{tag}>");
        escape(&mut self.out, vi);
        if !en.is_empty() {
            self.out.push_str(" <span class=\"en\" lang=\"en\">");
            escape(&mut self.out, en);
            self.out.push_str("</span>");
        }
        let _ = write!(self.out, "</{tag}>");
    }

    fn head(&mut self, title_vi: &str, title: &str) {
        let _ = write!(
            self.out,
            "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title_vi} – dancu</title>\
             <link rel=\"stylesheet\" href=\"{CSS_PATH}\"></head><body><header>\
             <p class=\"mark\">dancu</p>\
             <h1>{title_vi} <span class=\"en\" lang=\"en\">{title}</span></h1>",
        );
        let info = self.document.get("info");
        if let Some(text) = info.and_then(|i| i.get("description")).and_then(Tree::text) {
            self.both("p", text);
        }
        self.out.push_str(
            "<p class=\"links\"><a href=\"/openapi.json\">openapi.json</a> <a href=\"/docs\">Tài \
             liệu</a> <a href=\"/docs/errors\">Danh mục từ chối</a> <a href=\"/docs/changes\">Thay \
             đổi</a></p></header><main>",
        );
    }

    fn each(&mut self, mut show: impl FnMut(&mut Self, &'t str, &'t str, &'t Tree)) {
        for (path, item) in self.document.get("paths").map(Tree::entries).unwrap_or_default() {
            for (method, operation) in item.entries() {
                show(self, path, method, operation);
            }
        }
    }

    fn contents(&mut self) {
        self.out.push_str(
            "<nav aria-label=\"Mục lục\"><h2>Mục lục <span class=\"en\" lang=\"en\">Contents\
             </span></h2><ul>",
        );
        self.each(|page, path, method, operation| {
            let id = operation.get("operationId").and_then(Tree::text).unwrap_or_default();
            let _ = write!(page.out, "<li><a href=\"#{id}\">");
            page.method(method);
            page.tag("code", "path", path);
            page.out.push_str("</a> ");
            page.both("span", operation.text_of("summary"));
            page.out.push_str("</li>");
        });
        self.out.push_str("<li><a href=\"#errors\">Danh mục từ chối</a></li></ul></nav>");
    }

    fn method(&mut self, method: &str) {
        let _ = write!(
            self.out,
            "<span class=\"method {method}\">{}</span> ",
            method.to_ascii_uppercase()
        );
    }

    fn operations(&mut self) {
        self.each(|page, path, method, operation| {
            let _ = write!(page.out, "<section id=\"{}\"><h2>", operation.text_of("operationId"));
            page.method(method);
            page.tag("code", "path", path);
            page.out.push_str("</h2>");
            page.both("h3", operation.text_of("summary"));
            page.both("p", operation.text_of("description"));
            page.parameters(operation);
            page.request(operation);
            page.responses(operation);
            page.out.push_str("</section>");
        });
    }

    fn parameters(&mut self, operation: &'t Tree) {
        let parameters = operation.get("parameters").map(Tree::items).unwrap_or_default();
        if parameters.is_empty() {
            return;
        }
        self.table_head("Tham số", "Parameters");
        for parameter in parameters {
            let required = parameter.get("required").is_some_and(Tree::is_true);
            let schema = parameter.get("schema").unwrap_or(&NULL);
            let text = parameter.text_of("description");
            self.row(parameter.text_of("name"), schema, text, required, 0);
        }
        self.out.push_str("</tbody></table></div>");
    }

    fn request(&mut self, operation: &'t Tree) {
        let content = operation.get("requestBody").and_then(|b| b.get("content"));
        for (kind, media) in content.map(Tree::entries).unwrap_or_default() {
            let schema = self.resolve(media.get("schema").unwrap_or(&NULL));
            self.table_head("Nội dung gửi", &format!("Request body, {kind}"));
            self.rows(schema, 0);
            self.out.push_str("</tbody></table></div>");
            self.example(schema);
        }
    }

    fn example(&mut self, schema: &'t Tree) {
        let example = schema.get("examples").and_then(|e| e.items().first());
        if let Some(example) = example {
            let mut text = String::new();
            example.print(&mut text, 0);
            self.out.push_str("<h4>Ví dụ <span class=\"en\" lang=\"en\">Example</span></h4>");
            self.out.push_str("<pre tabindex=\"0\"><code>");
            escape(&mut self.out, &text);
            self.out.push_str("</code></pre>");
        }
    }

    fn responses(&mut self, operation: &'t Tree) {
        let responses = operation.get("responses").map(Tree::entries).unwrap_or_default();
        for (_, response) in responses.iter().filter(|(status, _)| status == "200") {
            for (kind, media) in response.get("content").map(Tree::entries).unwrap_or_default() {
                let schema = media.get("schema").unwrap_or(&NULL);
                if self.shown_before(schema, operation.text_of("operationId")) {
                    continue;
                }
                self.table_head("Câu trả lời 200", &format!("Answer, {kind}"));
                self.rows(self.resolve(schema), 0);
                self.out.push_str("</tbody></table></div>");
            }
        }
        self.out.push_str(
            "<h4>Trạng thái <span class=\"en\" lang=\"en\">Statuses</span></h4>\
             <ul class=\"statuses\">",
        );
        for (status, response) in responses {
            let class = if status == "200" { "good" } else { "bad" };
            self.out.push_str("<li>");
            self.tag("code", class, status);
            self.out.push(' ');
            self.both("span", response.text_of("description"));
            self.out.push_str("</li>");
        }
        self.out.push_str("</ul>");
    }

    /// Points to where an answer stands, if it stands on the page; else it will stand at this
    /// operation.
    fn shown_before(&mut self, schema: &'t Tree, operation: &'t str) -> bool {
        let Some(reference) = schema.get("$ref").and_then(Tree::text) else { return false };
        let Some((_, there)) = self.shown.iter().find(|(r, _)| *r == reference) else {
            self.shown.push((reference, operation));
            return false;
        };
        let _ = write!(
            self.out,
            "<h4>Câu trả lời 200 <span class=\"en\" lang=\"en\">Answer</span></h4><p>Như ở \
             <a href=\"#{there}\">{there}</a> <span class=\"en\" lang=\"en\">The same as \
             there</span></p>",
        );
        true
    }

    fn table_head(&mut self, title_vi: &str, title: &str) {
        let _ = write!(
            self.out,
            "<h4>{title_vi} <span class=\"en\" lang=\"en\">{title}</span></h4><div \
             class=\"scroll\" tabindex=\"0\"><table><thead><tr>\
             <th scope=\"col\">Trường <span class=\"en\" lang=\"en\">Field</span></th>\
             <th scope=\"col\">Kiểu <span class=\"en\" lang=\"en\">Type</span></th>\
             <th scope=\"col\">Ý nghĩa <span class=\"en\" lang=\"en\">Meaning</span></th>\
             </tr></thead><tbody>",
        );
    }

    /// The properties of an object, and of the objects within. Of several forms of one object,
    /// each property is shown once, as required where every form requires it.
    fn rows(&mut self, schema: &'t Tree, level: usize) {
        let forms = self.forms(schema);
        let Some(first) = forms.first() else { return };
        for (name, property) in first.entries_of("properties") {
            let in_forms = forms.iter().filter_map(|f| f.get("properties")?.get(name));
            let property = in_forms.into_iter().find(|p| !is_null(p)).unwrap_or(property);
            let requires = |form: &&Tree| {
                form.get("required").is_some_and(|r| r.items().iter().any(|r| r.is(name)))
            };
            let resolved = self.resolve(property);
            let inner = self.forms(resolved);
            let text = [property, resolved]
                .into_iter()
                .chain(inner.first().copied())
                .map(|s| s.text_of("description"))
                .find(|text| !text.is_empty())
                .unwrap_or_default();
            self.row(name, property, text, forms.iter().all(requires), level);
            // The same relative and address recur in 25 claims: one line each is enough there.
            let listed = matches!(name.as_str(), "claims" | "citizen" | "members");
            if level < LEVELS_MAX && (level == 0 || listed || resolved.get("items").is_some()) {
                self.rows(resolved.get("items").unwrap_or(resolved), level + 1);
            }
        }
    }

    fn row(&mut self, name: &str, schema: &'t Tree, text: &str, required: bool, level: usize) {
        let _ = write!(self.out, "<tr class=\"level{level}\"><td>");
        self.tag("code", "field", name);
        if required {
            self.out.push_str(" <span class=\"required\">bắt buộc</span>");
        }
        self.out.push_str("</td><td>");
        let kind = self.kind(schema);
        self.tag("span", "kind", &kind);
        let schema = self.resolve(schema);
        if let Some(pattern) = schema.get("pattern").and_then(Tree::text)
            && pattern.len() <= 40
            && !pattern.contains("\\u")
        {
            self.tag("code", "pattern", pattern);
        }
        self.out.push_str("</td>");
        self.both("td", text);
        self.out.push_str("</tr>");
    }

    /// The type in a few words.
    fn kind(&self, schema: &'t Tree) -> String {
        let name = schema.get("$ref").and_then(Tree::text).and_then(|r| r.rsplit('/').next());
        let schema = self.resolve(schema);
        if let Some(values) = schema.get("enum") {
            let words: Vec<_> = values.items().iter().filter_map(Tree::text).collect();
            return words.join(" | ");
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(key) {
                let mut words: Vec<_> = choices.items().iter().map(|c| self.kind(c)).collect();
                words.dedup();
                return words.join(" | ");
            }
        }
        match schema.get("type") {
            Some(Tree::Text(kind)) if kind == "object" => name.unwrap_or("object").to_owned(),
            Some(Tree::Text(kind)) if kind == "array" => {
                format!("[{}]", self.kind(schema.get("items").unwrap_or(&NULL)))
            }
            Some(Tree::Text(kind)) => match schema.get("format").and_then(Tree::text) {
                Some(format) if format.starts_with("date") => format!("{kind} ({format})"),
                _ => kind.clone(),
            },
            Some(kinds) => {
                let words: Vec<_> = kinds.items().iter().filter_map(Tree::text).collect();
                words.join(" | ")
            }
            None => String::new(),
        }
    }

    /// Follows a reference within the document.
    fn resolve(&self, schema: &'t Tree) -> &'t Tree {
        let name = schema.get("$ref").and_then(Tree::text).and_then(|r| r.rsplit('/').next());
        let schemas = self.document.get("components").and_then(|c| c.get("schemas"));
        name.and_then(|name| schemas?.get(name)).unwrap_or(schema)
    }

    /// The objects that a schema allows, `null` left out.
    fn forms(&self, schema: &'t Tree) -> Vec<&'t Tree> {
        let schema = self.resolve(schema);
        match schema.get("oneOf").or_else(|| schema.get("anyOf")) {
            Some(choices) => choices.items().iter().flat_map(|c| self.forms(c)).collect(),
            None if schema.get("properties").is_some() => vec![schema],
            None => vec![],
        }
    }

    fn catalogue(&mut self) {
        self.out.push_str(
            "<section id=\"errors\"><h2>Danh mục từ chối <span class=\"en\" lang=\"en\">Catalogue \
             of refusals</span></h2><p>Mỗi lần từ chối nêu quy tắc, lý do, việc cần làm và mã tra \
             cứu. <span class=\"en\" lang=\"en\">Each refusal names its rule, the reason, what to \
             do and a correlation id.</span></p><div class=\"scroll\" tabindex=\"0\"><table><thead>\
             <tr><th scope=\"col\">Quy tắc</th><th scope=\"col\">HTTP</th><th scope=\"col\">Mã</th>\
             <th scope=\"col\">Lý do</th><th scope=\"col\">Việc cần làm</th></tr></thead><tbody>",
        );
        let mut anchored = vec![];
        let mut shown = vec![];
        for reason in Reason::ALL {
            let text = reason.text();
            // Reasons that must look alike to callers are one line.
            if shown.contains(&text) {
                continue;
            }
            shown.push(text);
            self.out.push_str("<tr");
            if !anchored.contains(&text.rule) {
                anchored.push(text.rule);
                let _ = write!(self.out, " id=\"{}\"", text.rule);
            }
            self.out.push_str("><td>");
            self.tag("code", "rule", text.rule.code());
            let _ = write!(self.out, "</td><td>{}</td><td>", text.kind.http_status());
            let _ = write!(self.out, "<a href=\"/docs/errors/{0}\">{0}</a></td>", text.soap_code);
            self.both("td", &format!("{} · {}", text.title_vi, text.title));
            self.tag("td", "do", text.what_to_do_vi);
            self.out.push_str("</tr>");
        }
        for kind in HttpProblem::ALL {
            let [title, title_vi, what] = kind.texts();
            let _ = write!(self.out, "<tr><td>–</td><td>{}</td><td>–</td>", kind.status());
            self.both("td", &format!("{title_vi} · {title}"));
            self.tag("td", "do", what);
            self.out.push_str("</tr>");
        }
        self.out.push_str("</tbody></table></div></section>");
    }
}

fn is_null(schema: &Tree) -> bool {
    schema.get("type").is_some_and(|kind| kind.is("null"))
}

/// Text inside HTML, quotes too.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}
