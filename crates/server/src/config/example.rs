//! `dancu config example`: every key with its default and explanation, Vietnamese first.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::keys::Section;
use super::{Config, SECTIONS};

/// Columns of the comments.
const COLUMNS: usize = 92;

/// What stands above the first key.
const HEAD: [&str; 2] = [
    "Cấu hình của dancu. Mọi khóa đều có ở đây với giá trị mặc định; khóa lạ bị từ chối. Mỗi khóa \
     có thể được thay bằng biến môi trường ghi bên cạnh. Kiểm tra bằng: dancu doctor --config TỆP",
    "Configuration of dancu. Every key stands here with its default; unknown keys are refused. \
     Each key can be overlaid by the environment variable named with it. Check: dancu doctor \
     --config FILE",
];

/// The commented example; it parses to the defaults.
pub fn render() -> String {
    let mut out = String::new();
    for text in HEAD {
        comment(&mut out, text);
    }
    for section in SECTIONS {
        if !section.name.is_empty() {
            out.push('\n');
            comment(&mut out, section.vi);
            comment(&mut out, section.en);
            let _ = writeln!(out, "[{}]", section.name);
        }
        for key in section.keys() {
            out.push('\n');
            comment(&mut out, key.vi);
            comment(&mut out, key.en);
            let _ = writeln!(out, "# {}", section.variable(key.name));
            let unset = default(section, key.name).is_none();
            let mark = if unset { "# " } else { "" };
            let _ = writeln!(out, "{mark}{} = {}", key.name, literal(section, key.name));
        }
    }
    out
}

/// The TOML literal of a key's default, or its example where nothing is set by default.
pub fn literal(section: &Section, name: &str) -> String {
    default(section, name).map_or_else(
        || section.keys().find(|k| k.name == name).map_or("", |k| k.example).to_owned(),
        |value| value.to_string(),
    )
}

fn default(section: &Section, name: &str) -> Option<Value> {
    let table = Table::try_from(Config::default()).unwrap_or_default();
    if section.name.is_empty() {
        return table.get(name).cloned();
    }
    table.get(section.name)?.get(name).cloned()
}

fn comment(out: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let n = word.chars().count();
        if width > 0 && width + 1 + n > COLUMNS {
            out.push('\n');
            width = 0;
        }
        out.push_str(if width == 0 { "# " } else { " " });
        width += if width == 0 { 2 } else { 1 } + n;
        out.push_str(word);
    }
    out.push('\n');
}
