//! The infoset of the operation element: what stays the same in another spelling.
//!
//! Namespaces are resolved, attributes sorted; prefixes, comments, instructions, CDATA marks and
//! white space between elements are left out before anything comes here.

use std::borrow::Cow;

use super::chars::split_name;
use super::envelope::Trouble;
use super::scope::{Scope, Uri};

/// Marks between the parts. XML text holds no such characters, so different content never gives
/// the same infoset.
pub(super) mod mark {
    pub(in crate::soap) const START: char = '\u{1}';
    pub(in crate::soap) const OWN_NAMESPACE: char = '\u{2}';
    pub(in crate::soap) const NAMESPACE: char = '\u{3}';
    pub(in crate::soap) const ATTRIBUTE: char = '\u{4}';
    pub(in crate::soap) const VALUE: char = '\u{5}';
    pub(in crate::soap) const TEXT: char = '\u{6}';
    pub(in crate::soap) const END: char = '\u{7}';
    pub(in crate::soap) const KNOWN_NAMESPACE: char = '\u{8}';
}

/// Writes expanded names. A namespace name is written out where it is used first and by its place
/// among the used ones afterwards, which is the same in every spelling of one infoset.
#[derive(Default)]
pub(super) struct Names {
    /// Place of each namespace among the used ones, from 1; 0 = not used yet.
    places: Vec<u32>,
    used: u32,
}

impl Names {
    /// Appends an expanded name; `own` is the namespace of the operation.
    pub(super) fn push(
        &mut self,
        out: &mut String,
        scope: &Scope<'_>,
        own: Uri,
        name: (Uri, &str),
    ) {
        let (uri, local) = name;
        if uri == own {
            out.push(mark::OWN_NAMESPACE);
        } else {
            if self.places.len() <= uri.index() {
                self.places.resize(uri.index() + 1, 0);
            }
            let place = &mut self.places[uri.index()];
            if *place == 0 {
                self.used += 1;
                *place = self.used;
                out.push_str(scope.name(uri));
                out.push(mark::NAMESPACE);
            } else {
                out.push_str(&place.to_string());
                out.push(mark::KNOWN_NAMESPACE);
            }
        }
        out.push_str(local);
    }

    /// Appends attributes in their order.
    pub(super) fn push_attributes(
        &mut self,
        out: &mut String,
        scope: &Scope<'_>,
        own: Uri,
        attributes: &[Named<'_>],
    ) {
        for (uri, local, value) in attributes {
            out.push(mark::ATTRIBUTE);
            self.push(out, scope, own, (*uri, local));
            out.push(mark::VALUE);
            out.push_str(value);
        }
    }
}

/// An attribute by its expanded name.
pub(super) type Named<'a> = (Uri, &'a str, Cow<'a, str>);

/// Resolves attributes and sorts them by expanded name; a doubled one is not well-formed.
pub(super) fn expanded<'a>(
    scope: &Scope<'_>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
) -> Result<Vec<Named<'a>>, Trouble> {
    let mut named = Vec::with_capacity(attributes.len());
    for (key, value) in attributes {
        let (prefix, local) = split_name(key).ok_or(Trouble::Malformed)?;
        let uri = match prefix {
            "" => Uri::NONE,
            _ => scope.resolve(prefix).ok_or(Trouble::Namespace)?,
        };
        named.push((uri, local, value));
    }
    // Local names first: they are short, while namespace names may be long and alike.
    named.sort_unstable_by(|a: &Named<'_>, b: &Named<'_>| {
        a.1.cmp(b.1).then_with(|| {
            if a.0 == b.0 {
                std::cmp::Ordering::Equal
            } else {
                scope.name(a.0).cmp(scope.name(b.0))
            }
        })
    });
    if named.windows(2).any(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        return Err(Trouble::Malformed);
    }
    Ok(named)
}
