//! The infoset of the operation element: what stays the same in another spelling.
//!
//! Namespaces are resolved, attributes sorted; prefixes, comments, instructions, CDATA marks and
//! white space between elements are left out before anything comes here.

use std::borrow::Cow;

use super::chars::split_name;
use super::envelope::Trouble;
use super::scope::Scope;

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
}

/// Appends an expanded name; `own` is the namespace of the operation.
pub(super) fn push_name(out: &mut String, uri: &str, own: &str, local: &str) {
    if uri == own {
        out.push(mark::OWN_NAMESPACE);
    } else {
        out.push_str(uri);
        out.push(mark::NAMESPACE);
    }
    out.push_str(local);
}

/// Appends attributes in the order of their expanded names; a doubled one is not well-formed.
pub(super) fn push_attributes(
    out: &mut String,
    scope: &Scope<'_>,
    own: &str,
    attributes: &mut Vec<(&str, Cow<'_, str>)>,
) -> Result<(), Trouble> {
    if attributes.is_empty() {
        return Ok(());
    }
    let mut named = Vec::with_capacity(attributes.len());
    for (key, value) in attributes.drain(..) {
        let (prefix, local) = split_name(key).ok_or(Trouble::Malformed)?;
        let uri = match prefix {
            "" => "",
            _ => scope.resolve(prefix).ok_or(Trouble::Namespace)?,
        };
        named.push((uri, local, value));
    }
    named.sort_unstable();
    for (at, (uri, local, value)) in named.iter().enumerate() {
        if at > 0 && (named[at - 1].0, named[at - 1].1) == (*uri, *local) {
            return Err(Trouble::Malformed);
        }
        out.push(mark::ATTRIBUTE);
        push_name(out, uri, own, local);
        out.push(mark::VALUE);
        out.push_str(value);
    }
    Ok(())
}
