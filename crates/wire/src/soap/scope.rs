//! Namespace declarations in scope.
//!
//! **Invariant:** a namespace name is compared and kept once, where it is declared; elements and
//! attributes carry its number. So the cost of a document grows with its length, however long its
//! namespace names are.

use std::borrow::Cow;
use std::collections::HashMap;

use super::chars::push_escaped;

/// Declarations in scope at once. Requests of known clients have under ten; the limit keeps the
/// search for a prefix short.
const MAX_BINDINGS: usize = 64;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A namespace name by its number: equal names, equal numbers within one document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Uri(u32);

impl Uri {
    /// No namespace.
    pub(super) const NONE: Self = Self(0);
    const XML: Self = Self(1);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Declarations, the innermost last.
pub(super) struct Scope<'a> {
    bindings: Vec<Binding<'a>>,
    /// Every namespace name that was declared, by its number.
    uris: Vec<Cow<'a, str>>,
    numbers: HashMap<Cow<'a, str>, Uri>,
}

struct Binding<'a> {
    depth: usize,
    /// Empty: the default namespace.
    prefix: &'a str,
    /// [`Uri::NONE`]: none, or no longer any.
    uri: Uri,
}

impl<'a> Scope<'a> {
    pub(super) fn new() -> Self {
        Self {
            bindings: Vec::with_capacity(8),
            uris: vec![Cow::Borrowed(""), Cow::Borrowed(XML)],
            numbers: HashMap::from([
                (Cow::Borrowed(""), Uri::NONE),
                (Cow::Borrowed(XML), Uri::XML),
            ]),
        }
    }

    /// The name behind a number.
    pub(super) fn name(&self, uri: Uri) -> &str {
        self.uris.get(uri.index()).map_or("", |name| name)
    }

    fn number(&mut self, uri: Cow<'a, str>) -> Uri {
        if let Some(known) = self.numbers.get(&uri) {
            return *known;
        }
        let number = Uri(self.uris.len() as u32);
        self.uris.push(uri.clone());
        self.numbers.insert(uri, number);
        number
    }

    /// Declares a prefix for the element at this depth; `None` where that is not allowed.
    pub(super) fn declare(
        &mut self,
        depth: usize,
        prefix: &'a str,
        uri: Cow<'a, str>,
    ) -> Option<()> {
        let reserved = match prefix {
            "xml" => uri != XML,
            "xmlns" => true,
            "" => uri == XML || uri == XMLNS,
            _ => uri.is_empty() || uri == XML || uri == XMLNS,
        };
        let here = self.bindings.iter().rev().take_while(|b| b.depth == depth);
        let doubled = here.into_iter().any(|b| b.prefix == prefix);
        if reserved || doubled || self.bindings.len() >= MAX_BINDINGS {
            return None;
        }
        let uri = self.number(uri);
        self.bindings.push(Binding { depth, prefix, uri });
        Some(())
    }

    /// The namespace of a prefix, empty for none; `None` for a prefix that is not declared.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Uri> {
        // No prefix is the common case; comparing no bytes at all is slow on some processors.
        let same = |b: &&Binding<'_>| {
            b.prefix.len() == prefix.len() && (prefix.is_empty() || b.prefix == prefix)
        };
        match self.bindings.iter().rev().find(same) {
            Some(binding) => Some(binding.uri),
            None if prefix.is_empty() => Some(Uri::NONE),
            None if prefix == "xml" => Some(Uri::XML),
            None => None,
        }
    }

    /// Forgets what the element at this depth declared.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|b| b.depth >= depth) {
            self.bindings.pop();
        }
    }

    /// Writes the declarations in force at a depth as attributes.
    pub(super) fn write(&self, depth: usize, out: &mut String) {
        let outer = self.bindings.iter().filter(|b| b.depth <= depth).collect::<Vec<_>>();
        for (at, binding) in outer.iter().enumerate() {
            let hidden = outer[at + 1..].iter().any(|later| later.prefix == binding.prefix);
            if hidden || binding.prefix == "xml" {
                continue;
            }
            out.push_str(if binding.prefix.is_empty() { " xmlns" } else { " xmlns:" });
            out.push_str(binding.prefix);
            out.push_str("=\"");
            push_escaped(out, self.name(binding.uri));
            out.push('"');
        }
    }
}
