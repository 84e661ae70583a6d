//! Texts for people: one fluent file per language, asked for by key.

use std::fmt::Display;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// A language of the portal; Vietnamese is the first and the one that binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Vietnamese.
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// The tag for `<html lang>` and the form of the language switch: `vi` or `en`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    /// The language whose tag this is; none for any other word.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        [Self::Vietnamese, Self::English].into_iter().find(|language| language.tag() == tag)
    }

    fn source(self) -> &'static str {
        match self {
            Self::Vietnamese => include_str!("../locales/vi.ftl"),
            Self::English => include_str!("../locales/en.ftl"),
        }
    }
}

/// A count, by value or by any depth of reference: templates hand over what their loops hold.
pub trait Count {
    /// The number.
    fn value(&self) -> u64;
}

impl Count for u64 {
    fn value(&self) -> u64 {
        *self
    }
}

impl<T: Count> Count for &T {
    fn value(&self) -> u64 {
        (*self).value()
    }
}

/// The texts of one language; cheap to clone, one per language for the whole program.
#[derive(Clone)]
pub struct Text {
    language: Language,
    bundle: Arc<FluentBundle<FluentResource>>,
}

impl Text {
    /// Reads the file of `language`. A line that fluent cannot read is left out here and found
    /// by the tests, which ask for every key.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Both languages run left to right: isolation marks would only get into copied texts.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { language, bundle: Arc::new(bundle) }
    }

    /// The language of these texts.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text of `key`; the key itself in brackets when there is none.
    #[must_use]
    pub fn get(&self, key: impl AsRef<str>) -> String {
        self.format(key.as_ref(), None)
    }

    /// The text of `key` with one argument.
    #[must_use]
    pub fn with(&self, key: &str, name: &str, value: impl Display) -> String {
        let mut args = FluentArgs::new();
        args.set(name.to_owned(), FluentValue::from(value.to_string()));
        self.format(key, Some(&args))
    }

    /// The text of `key` with two arguments.
    #[must_use]
    pub fn with_two(
        &self,
        key: &str,
        first: &str,
        one: impl Display,
        second: &str,
        two: impl Display,
    ) -> String {
        let mut args = FluentArgs::new();
        args.set(first.to_owned(), FluentValue::from(one.to_string()));
        args.set(second.to_owned(), FluentValue::from(two.to_string()));
        self.format(key, Some(&args))
    }

    /// Whether these texts have `key`.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// A count as it is written: `1.234.567` in Vietnamese, `1,234,567` in English.
    #[must_use]
    pub fn num(&self, count: impl Count) -> String {
        let mark = match self.language {
            Language::Vietnamese => '.',
            Language::English => ',',
        };
        let digits = count.value().to_string();
        let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(mark);
            }
            out.push(digit);
        }
        out
    }

    /// The digits of an id in groups of three, for reading; anything else as one piece.
    #[must_use]
    pub fn groups(&self, id: &str) -> Vec<String> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return vec![id.to_owned()];
        }
        let digits: Vec<char> = id.chars().collect();
        digits.chunks(3).map(|group| group.iter().collect()).collect()
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return format!("[{key}]");
        };
        let mut faults = Vec::new();
        self.bundle.format_pattern(pattern, args, &mut faults).into_owned()
    }
}
