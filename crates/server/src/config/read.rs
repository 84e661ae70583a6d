//! Reads a configuration: file, then environment. Everything that is wrong is told at once, with
//! its line or variable and, for an unknown key, the nearest one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::keys::Section;
use super::{Config, SECTIONS, example};

/// Variables that are no keys: the master key and the database's password never stand in a file,
/// `DANCU_LOG` is short for `DANCU_LOG_LEVEL` and wins over it.
pub const OTHER_VARIABLES: &[&str] = &[
    dancu_store::keys::MASTER_KEY_VARIABLE,
    dancu_store::keys::MASTER_KEY_NEXT_VARIABLE,
    crate::keys::config::PIN_VARIABLE,
    super::database::PASSWORD_VARIABLE,
    "DANCU_LOG",
];
/// A variable that is this near to one of ours is a slip of the pen, not somebody else's.
const SLIP: usize = 2;

/// Where something wrong stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// 1-based line of the file.
    Line(usize),
    /// Name of an environment variable.
    Variable(String),
    /// Neither: a default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "dòng {n} (line {n})"),
            Self::Variable(name) => write!(f, "biến môi trường {name} (environment)"),
            Self::Default => write!(f, "mặc định (default)"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what is expected; Vietnamese first.
    pub text: String,
}

/// Everything that is wrong with a configuration; never empty as an error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.len();
        write!(f, "cấu hình không hợp lệ, {n} lỗi (invalid configuration, errors: {n})")?;
        self.0.iter().try_for_each(|p| write!(f, "\n  {}: {}", p.place, p.text))
    }
}

/// Reads a configuration from a file's text and the variables of the environment.
pub fn parse(text: &str, environment: &[(String, String)]) -> Result<Config, Problems> {
    let mut reader = Reader { text, ..Reader::default() };
    reader.file()?;
    reader.environment(environment);
    let config = match Config::deserialize(reader.table.clone()) {
        Ok(config) => config,
        Err(error) => {
            reader.problem(Place::Default, wrong("dancu.toml", error.message()));
            Config::default()
        }
    };
    for (path, text) in config.wrong() {
        let place = reader.places.get(&path).cloned().unwrap_or(Place::Default);
        reader.problem(place, wrong(&path, &text));
    }
    // In the order of the file, then the environment.
    reader.problems.0.sort_by(|a, b| a.place.cmp(&b.place));
    if reader.problems.0.is_empty() { Ok(config) } else { Err(reader.problems) }
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a str,
    /// Keys that were accepted one by one.
    table: Table,
    /// Where each accepted key stands, by its path.
    places: BTreeMap<String, Place>,
    problems: Problems,
}

impl Reader<'_> {
    fn problem(&mut self, place: Place, text: String) {
        self.problems.0.push(Problem { place, text });
    }

    fn line(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        Place::Line(before.matches('\n').count() + 1)
    }

    /// Every key of the file; what is no TOML at all ends the reading.
    fn file(&mut self) -> Result<(), Problems> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            for error in errors {
                let place = self.line(error.span().map_or(0, |s| s.start));
                let text = format!("không đúng cú pháp TOML (TOML syntax): {}", error.message());
                self.problem(place, text);
            }
            return Err(std::mem::take(&mut self.problems));
        }
        let whole = self.text.parse::<Table>().unwrap_or_default();
        for (name, value) in table.get_ref() {
            let section = SECTIONS.iter().find(|s| !s.name.is_empty() && s.name == name.get_ref());
            match (section, value.get_ref()) {
                (Some(section), DeValue::Table(keys)) => {
                    for (key, value) in keys {
                        let owned = whole.get(section.name).and_then(|t| t.get(&**key.get_ref()));
                        self.file_key(section, key, value, owned);
                    }
                }
                (Some(section), _) => {
                    let place = self.line(name.span().start);
                    let text = format!("`{0}` phải là bảng [{0}] (must be a table)", section.name);
                    self.problem(place, text);
                }
                (None, _) => {
                    self.file_key(&SECTIONS[0], name, value, whole.get(&**name.get_ref()));
                }
            }
        }
        Ok(())
    }

    fn file_key(
        &mut self,
        section: &Section,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        owned: Option<&Value>,
    ) {
        let (name, place) = (&**key.get_ref(), self.line(key.span().start));
        if !section.has(name) {
            let text = format!(
                "không có khóa `{}`; gần nhất là `{}` (unknown key, nearest shown)",
                section.path(name),
                nearest_key(section, name)
            );
            self.problem(place, text);
            return;
        }
        let alone = single(section.name, key.clone(), value.clone());
        if let Err(error) = Config::deserialize(toml::de::Deserializer::from(alone)) {
            let place = error.span().map_or(place, |s| self.line(s.start));
            self.problem(place, unfit(section, name, error.message()));
        } else if let Some(value) = owned {
            self.accept(section, name, value.clone(), place);
        }
    }

    fn accept(&mut self, section: &Section, name: &str, value: Value, place: Place) {
        if section.name.is_empty() {
            self.table.insert(name.to_owned(), value);
        } else {
            let empty = || Value::Table(Table::new());
            let table = self.table.entry(section.name).or_insert_with(empty);
            if let Value::Table(table) = table {
                table.insert(name.to_owned(), value);
            }
        }
        self.places.insert(section.path(name), place);
    }

    /// Variables lie over the file.
    fn environment(&mut self, variables: &[(String, String)]) {
        for (variable, text) in variables {
            let known = SECTIONS.iter().find_map(|s| {
                let key = s.keys().find(|k| s.variable(k.name) == *variable)?;
                Some((s, key.name))
            });
            let place = Place::Variable(variable.clone());
            let Some((section, name)) = known else {
                if let Some(near) = slip(variable) {
                    let text =
                        format!("không có biến này; gần nhất là {near} (unknown, nearest shown)");
                    self.problem(place, text);
                }
                continue;
            };
            match variable_value(section, name, text) {
                Ok(value) => self.accept(section, name, value, place),
                Err(message) => self.problem(place, unfit(section, name, &message)),
            }
        }
    }
}

fn wrong(path: &str, message: &str) -> String {
    format!("giá trị của `{path}` không hợp lệ (invalid value): {}", message.trim())
}

/// A value of another kind than the key's, with one that would do.
fn unfit(section: &Section, name: &str, message: &str) -> String {
    let example = example::literal(section, name);
    format!("{}; ví dụ (for example): {name} = {example}", wrong(&section.path(name), message))
}

/// A document with one key, at the places it has in the whole one.
fn single<'a>(
    section: &'a str,
    key: Spanned<std::borrow::Cow<'a, str>>,
    value: Spanned<DeValue<'a>>,
) -> Spanned<DeTable<'a>> {
    let span = value.span();
    let mut table = DeTable::new();
    table.insert(key, value);
    if section.is_empty() {
        return Spanned::new(span, table);
    }
    let mut outer = DeTable::new();
    let value = Spanned::new(span.clone(), DeValue::Table(table));
    outer.insert(Spanned::new(span.clone(), section.into()), value);
    Spanned::new(span, outer)
}

/// A variable's text as the key's kind: texts need no quotes, lists are split at commas.
fn variable_value(section: &Section, name: &str, text: &str) -> Result<Value, String> {
    let shown = example::literal(section, name);
    let literal = match shown.chars().next() {
        Some('"') => Value::from(text).to_string(),
        Some('[') if !text.trim_start().starts_with('[') => {
            let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
            Value::from(parts.map(Value::from).collect::<Vec<_>>()).to_string()
        }
        _ => text.to_owned(),
    };
    let head =
        if section.name.is_empty() { String::new() } else { format!("[{}]\n", section.name) };
    let document = format!("{head}{name} = {literal}\n");
    toml::from_str::<Config>(&document).map_err(|e| e.message().to_owned())?;
    let table: Table = document.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let table = if section.name.is_empty() { Some(&table) } else { table[section.name].as_table() };
    table.and_then(|t| t.get(name)).cloned().ok_or_else(|| "không đọc được".to_owned())
}

/// The name that somebody meant: in the section, or the whole path of one in another.
fn nearest_key(section: &Section, name: &str) -> String {
    let here = section.keys().map(|k| (distance(k.name, name), 0, section.path(k.name)));
    let elsewhere = SECTIONS.iter().filter(|s| s.name != section.name).flat_map(|s| {
        s.keys().map(|k| {
            let path = s.path(k.name);
            (distance(k.name, name).min(distance(&path, name)), 1, path)
        })
    });
    let names = SECTIONS.iter().filter(|s| !s.name.is_empty()).map(|s| {
        // A table's name is told as a table.
        (distance(s.name, name), 1, format!("[{}]", s.name))
    });
    here.chain(elsewhere).chain(names).min().map_or_else(String::new, |(_, _, path)| path)
}

/// The variable that was probably meant; `None` where the name is somebody else's affair.
fn slip(variable: &str) -> Option<String> {
    if OTHER_VARIABLES.contains(&variable) {
        return None;
    }
    let ours = SECTIONS.iter().flat_map(|s| s.keys().map(|k| s.variable(k.name)));
    let (near, name) = ours
        .chain(OTHER_VARIABLES.iter().map(|v| (*v).to_owned()))
        .map(|v| (distance(&v, variable), v))
        .min()?;
    let inside = |s: &Section| {
        !s.name.is_empty() && variable.starts_with(&format!("DANCU_{}_", s.name.to_uppercase()))
    };
    (near <= SLIP || SECTIONS.iter().any(inside)).then_some(name)
}

/// Edits between two names (Levenshtein), upper and lower case alike.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
