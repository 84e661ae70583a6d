//! One place for each key: name, type, default and explanation. The struct that parses it, the
//! commented example and the environment variable all come from the same line.

/// A key of the configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name in its section, in camel case.
    pub name: &'static str,
    /// A TOML literal to show where the default is "not set"; otherwise empty.
    pub example: &'static str,
    /// Explanation in Vietnamese.
    pub vi: &'static str,
    /// Explanation in English.
    pub en: &'static str,
}

/// A [`Key`] as a section declares it: name, example, Vietnamese, English.
pub type Row = (&'static str, &'static str, &'static str, &'static str);

/// A table of the configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Name; empty for the keys above the first table.
    pub name: &'static str,
    /// What it is about, in Vietnamese.
    pub vi: &'static str,
    /// What it is about, in English.
    pub en: &'static str,
    /// Its keys, in the order of the example.
    pub rows: &'static [Row],
}

impl Section {
    /// Its keys, in the order of the example.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.rows.iter().map(|&(name, example, vi, en)| Key { name, example, vi, en })
    }

    /// Whether it has a key.
    pub fn has(&self, name: &str) -> bool {
        self.rows.iter().any(|row| row.0 == name)
    }

    /// `log.level`, or `listen` above the first table.
    pub fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The environment variable of a key: `DANCU_LOG_LEVEL`, `DANCU_BASE_URL`.
    pub fn variable(&self, key: &str) -> String {
        let mut out = String::from("DANCU_");
        for c in self.path(key).chars() {
            if c.is_uppercase() {
                out.push('_');
            }
            out.push(if c == '.' { '_' } else { c.to_ascii_uppercase() });
        }
        out
    }
}

/// Declares a section: its struct with serde and defaults, and its documented keys.
macro_rules! section {
    (
        $(#[$meta:meta])*
        $section:ident {
            $($field:ident = $name:literal: $kind:ty = $default:expr, $example:literal,
                $vi:literal, $en:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $section {
            $(
                #[doc = $en]
                #[serde(rename = $name)]
                pub $field: $kind,
            )*
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $section {
            /// The documented keys, in the order of the example.
            pub const ROWS: &'static [$crate::config::keys::Row] =
                &[$(($name, $example, $vi, $en),)*];
        }
    };
}
pub(crate) use section;
