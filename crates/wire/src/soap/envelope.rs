//! One pass over an envelope: its operation, the texts of known elements, the infoset of the
//! operation element, the X-Road headers.
//!
//! **Invariant:** no entity but the five predefined ones is ever replaced, no document type is
//! ever read, and every name and character was checked before anything is echoed.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attribute;
use quick_xml::name::QName;

use super::chars::{all_xml, is_blank, is_xml, push_lines, split_name};
use super::infoset::{Names, expanded, mark};
use super::jobs::JobOperation;
use super::markup::{Pairs, declaration, instruction, text_ends_no_section};
use super::operation::Operation;
use super::scope::{Scope, Uri};
use super::slots::{Group, Slot, Slots};
use super::{NS_REQUEST, NS_REQUEST_OLD, NS_SOAP, XRoadEcho};

/// Deepest nesting that is read; the requests of known clients go six deep.
const MAX_DEPTH: usize = 32;
/// Attributes of one element, declarations included; known clients send under ten.
const MAX_ATTRIBUTES: usize = 64;
/// Longest X-Road `userId` that is journaled, in characters.
const MAX_USER: usize = 60;

const NS_SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// Why reading stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// Not UTF-8, by its bytes.
    NotUtf8,
    /// Not UTF-8, by declaration, content type or byte order mark.
    Charset,
    /// Not well-formed, or cut off.
    Malformed,
    /// A document type declaration.
    DocumentType,
    /// An entity that is not predefined.
    Entity,
    /// A character that XML does not allow.
    Character,
    /// Nested too deep.
    TooDeep,
    /// Too many attributes or declarations.
    TooMany,
    /// A prefix without a declaration, or a declaration that is not allowed.
    Namespace,
    /// The root is no SOAP envelope.
    NoEnvelope,
    /// A SOAP 1.2 envelope.
    Soap12,
}

/// What stands under soap:Body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Called {
    /// No element.
    Nothing,
    /// An operation.
    Operation(Operation),
    /// An element that is none.
    Unknown,
    /// More than one element.
    Several,
}

/// What one pass found.
pub(super) struct Envelope<'a> {
    /// Why reading stopped early; the rest is what was read until then.
    pub(super) trouble: Option<Trouble>,
    pub(super) called: Called,
    /// Which operation of lists and jobs was called, where it is one.
    pub(super) job: Option<JobOperation>,
    pub(super) slots: Slots,
    /// Known single elements that came more than once, and parts of the envelope that did.
    pub(super) doubled: Vec<&'static str>,
    /// The operation element, marked as in [`super::infoset`].
    pub(super) infoset: String,
    /// X-Road `userId`, cut to 60 characters.
    pub(super) user: Option<String>,
    /// X-Road `issue`.
    pub(super) issue: Option<String>,
    /// The X-Road headers inside a Header element of the caller's own making.
    echo: String,
    header: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads a whole document.
    pub(super) fn read(text: &'a str) -> Self {
        let mut pass = Pass::new(text);
        if let Err(trouble) = pass.run() {
            pass.found.trouble = Some(trouble);
        }
        pass.found
    }

    /// The text of a known element.
    pub(super) fn text(&self, slot: Slot) -> Option<&str> {
        self.slots.text(slot, &self.infoset)
    }

    /// The X-Road headers, if any.
    pub(super) fn take_echo(&mut self) -> Option<XRoadEcho> {
        let name = self.header.filter(|_| !self.echo.is_empty())?;
        let mut echo = std::mem::take(&mut self.echo);
        echo.push_str("</");
        echo.push_str(name);
        echo.push('>');
        Some(XRoadEcho(echo))
    }
}

/// Where an element stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Envelope,
    Header,
    /// An X-Road header and which of the two that are read.
    Block(Option<Block>),
    Body,
    /// The operation or a known element with children.
    Group(Group),
    /// A known element.
    Leaf(Slot),
    /// Inside the operation, not known.
    Inside,
    /// Anywhere else, not known.
    Outside,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    User,
    Issue,
}

struct Level {
    place: Place,
    /// The slot of a group or leaf.
    slot: Option<Slot>,
    /// Whether an element stood inside.
    children: bool,
    /// Where its tag begins in the document.
    start: usize,
}

struct Pass<'a> {
    text: &'a str,
    scope: Scope<'a>,
    levels: Vec<Level>,
    /// Where the run of text that is being read begins in the infoset, its mark included.
    run: Option<usize>,
    names: Names,
    /// The namespace of the operation.
    own: Uri,
    /// The text of a `userId` or `issue` that is being read.
    block: String,
    body: bool,
    root_ended: bool,
    found: Envelope<'a>,
}

impl<'a> Pass<'a> {
    fn new(text: &'a str) -> Self {
        let found = Envelope {
            trouble: None,
            called: Called::Nothing,
            job: None,
            slots: Slots::default(),
            doubled: vec![],
            infoset: String::with_capacity(text.len()),
            user: None,
            issue: None,
            echo: String::new(),
            header: None,
        };
        Self {
            text,
            scope: Scope::new(),
            levels: Vec::with_capacity(8),
            run: None,
            names: Names::default(),
            own: Uri::NONE,
            block: String::new(),
            body: false,
            root_ended: false,
            found,
        }
    }

    fn run(&mut self) -> Result<(), Trouble> {
        if !all_xml(self.text) {
            return Err(Trouble::Character);
        }
        let mut xml = quick_xml::Reader::from_str(self.text);
        xml.config_mut().enable_all_checks(true);
        let mut first = true;
        loop {
            let event = xml.read_event();
            let at = xml.buffer_position() as usize;
            match event {
                Ok(Event::Start(tag)) => {
                    let content = at - 1 - tag.len()..at - 1;
                    self.open(content, tag.name().0.len())?;
                }
                Ok(Event::Empty(tag)) => {
                    let content = at - 2 - tag.len()..at - 2;
                    self.open(content, tag.name().0.len())?;
                    self.close(at);
                }
                Ok(Event::End(_)) => self.close(at),
                // White space before the declaration is an old client's habit.
                Ok(Event::Text(text)) if first && is_blank(&text) => continue,
                Ok(Event::Text(text)) => {
                    text_ends_no_section(&text)?;
                    self.text(&text)?;
                }
                Ok(Event::CData(text)) if !self.levels.is_empty() => self.text(&text)?,
                Ok(Event::GeneralRef(name)) if !self.levels.is_empty() => self.reference(&name)?,
                Ok(Event::Decl(declared)) if first => declaration(&declared)?,
                Ok(Event::PI(pi)) => instruction(&pi)?,
                Ok(Event::DocType(_)) => return Err(Trouble::DocumentType),
                Ok(Event::Comment(_)) => {}
                Ok(Event::CData(_) | Event::GeneralRef(_) | Event::Decl(_)) => {
                    return Err(Trouble::Malformed);
                }
                Ok(Event::Eof) => break,
                Err(_) => return Err(Trouble::Malformed),
            }
            first = false;
        }
        if self.root_ended { Ok(()) } else { Err(Trouble::Malformed) }
    }

    fn open(&mut self, content: std::ops::Range<usize>, name: usize) -> Result<(), Trouble> {
        if self.root_ended {
            return Err(Trouble::Malformed);
        }
        if self.levels.len() >= MAX_DEPTH {
            return Err(Trouble::TooDeep);
        }
        let start = content.start - 1;
        let tag: &'a str = self.text.get(content).ok_or(Trouble::Malformed)?;
        let qualified: &'a str = tag.get(..name).ok_or(Trouble::Malformed)?;
        let (prefix, local) = split_name(qualified).ok_or(Trouble::Malformed)?;
        let depth = self.levels.len() + 1;
        let attributes = self.attributes(tag, name, depth)?;
        self.end_run(false);
        if let Some(parent) = self.levels.last_mut() {
            parent.children = true;
        }
        let attributes = expanded(&self.scope, attributes)?;
        let uri = self.scope.resolve(prefix).ok_or(Trouble::Namespace)?;
        let parent = self.levels.last().map(|l| l.place);
        let (place, slot) = place(parent, self.scope.name(uri), local)?;
        if matches!(place, Place::Group(_) | Place::Leaf(_) | Place::Inside) {
            let (infoset, scope) = (&mut self.found.infoset, &self.scope);
            infoset.push(mark::START);
            self.names.push(infoset, scope, self.own, (uri, local));
            if parent == Some(Place::Body) {
                self.own = uri;
            }
            self.names.push_attributes(infoset, scope, self.own, &attributes);
        }
        self.levels.push(Level { place, slot, children: false, start });
        self.enter(place, slot, qualified, local);
        Ok(())
    }

    /// Declares the namespaces of a tag and collects its other attributes.
    fn attributes(
        &mut self,
        tag: &'a str,
        name: usize,
        depth: usize,
    ) -> Result<Vec<(&'a str, Cow<'a, str>)>, Trouble> {
        let mut own = vec![];
        let pairs = Pairs::new(tag.get(name..).ok_or(Trouble::Malformed)?);
        for (count, pair) in pairs.enumerate() {
            let (key, raw) = pair?;
            if count >= MAX_ATTRIBUTES {
                return Err(Trouble::TooMany);
            }
            let value = attribute_value(raw)?;
            let declared = match key.strip_prefix("xmlns") {
                Some("") => Some(""),
                Some(rest) => rest.strip_prefix(':'),
                None => None,
            };
            match declared {
                Some(prefix) if prefix.is_empty() != (key.len() > 5) => {
                    if !prefix.is_empty() && split_name(prefix) != Some(("", prefix)) {
                        return Err(Trouble::Malformed);
                    }
                    self.scope.declare(depth, prefix, value).ok_or(Trouble::Namespace)?;
                }
                Some(_) => return Err(Trouble::Malformed),
                None => own.push((key, value)),
            }
        }
        Ok(own)
    }

    /// What an element means for the envelope.
    fn enter(&mut self, place: Place, slot: Option<Slot>, qualified: &'a str, local: &str) {
        match place {
            Place::Header if self.found.header.is_some() => self.double("Header"),
            Place::Header => self.found.header = Some(qualified),
            Place::Body if self.body => self.double("Body"),
            Place::Body => self.body = true,
            Place::Block(_) => self.block.clear(),
            Place::Group(Group::Operation) => {
                self.found.called = match self.found.called {
                    Called::Nothing => {
                        Operation::from_name(local).map_or(Called::Unknown, Called::Operation)
                    }
                    _ => Called::Several,
                };
                self.found.job = JobOperation::from_name(local);
                if ![NS_REQUEST, NS_REQUEST_OLD].contains(&self.scope.name(self.own))
                    && self.found.called != Called::Several
                {
                    self.found.called = Called::Unknown;
                }
            }
            _ => {}
        }
        if let Some(slot) = slot
            && !self.found.slots.see(slot)
        {
            self.double(slot.path());
        }
    }

    /// Notes once what came more than once.
    fn double(&mut self, path: &'static str) {
        if !self.found.doubled.contains(&path) {
            self.found.doubled.push(path);
        }
    }

    fn close(&mut self, at: usize) {
        let depth = self.levels.len();
        let Some(level) = self.levels.pop() else {
            return;
        };
        if matches!(level.place, Place::Group(_) | Place::Leaf(_) | Place::Inside) {
            let run = self.end_run(!level.children);
            let infoset = &mut self.found.infoset;
            if let (Some(slot), Some(run), false) = (level.slot, run, level.children) {
                self.found.slots.keep(slot, run + 1..infoset.len());
            }
            infoset.push(mark::END);
        } else if let Place::Block(which) = level.place {
            self.end_block(which, level.start..at);
        }
        self.scope.leave(depth);
        self.root_ended = depth == 1;
    }

    /// Keeps an X-Road header.
    fn end_block(&mut self, which: Option<Block>, span: std::ops::Range<usize>) {
        let text = self.block.trim();
        match which {
            Some(Block::User) if !text.is_empty() => {
                self.found.user = Some(text.chars().take(MAX_USER).collect());
            }
            Some(Block::Issue) if !text.is_empty() => self.found.issue = Some(text.to_owned()),
            _ => {}
        }
        if self.found.doubled.contains(&"Header") {
            return;
        }
        if self.found.echo.is_empty() {
            self.found.echo.push('<');
            self.found.echo.push_str(self.found.header.unwrap_or_default());
            // Headers stand two deep; what is declared there stays in scope for all of them.
            self.scope.write(2, &mut self.found.echo);
            self.found.echo.push('>');
        }
        self.found.echo.push_str(self.text.get(span).unwrap_or_default());
    }

    /// Ends a run of text and says where it begins; white space between elements is no content.
    fn end_run(&mut self, leaf: bool) -> Option<usize> {
        let start = self.run.take()?;
        if leaf || !is_blank(&self.found.infoset[start + 1..]) {
            return Some(start);
        }
        self.found.infoset.truncate(start);
        None
    }

    /// Takes text as it stands in the document.
    fn text(&mut self, text: &str) -> Result<(), Trouble> {
        self.content(text, push_lines)
    }

    fn content(&mut self, text: &str, push: fn(&mut String, &str)) -> Result<(), Trouble> {
        match self.levels.last().map(|l| l.place) {
            None if is_blank(text) => {}
            None => return Err(Trouble::Malformed),
            Some(Place::Group(_) | Place::Leaf(_) | Place::Inside) => {
                if text.is_empty() {
                    return Ok(());
                }
                let infoset = &mut self.found.infoset;
                if self.run.is_none() {
                    self.run = Some(infoset.len());
                    infoset.push(mark::TEXT);
                }
                push(infoset, text);
            }
            Some(Place::Block(Some(_))) => push(&mut self.block, text),
            Some(_) => {}
        }
        Ok(())
    }

    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), Trouble> {
        let found = match &**name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => match name.resolve_char_ref() {
                Ok(Some(c)) if is_xml(c) => c,
                Ok(None) => return Err(Trouble::Entity),
                _ => return Err(Trouble::Character),
            },
        };
        // A reference to a carriage return is one, so it does not go through the line ends.
        self.content(found.encode_utf8(&mut [0; 4]), String::push_str)
    }
}

/// Finds out what an element is, by its parent, namespace and name.
fn place(parent: Option<Place>, uri: &str, local: &str) -> Result<(Place, Option<Slot>), Trouble> {
    let known = |group| match Slot::of(group, local) {
        Some(slot) => (slot.group().map_or(Place::Leaf(slot), Place::Group), Some(slot)),
        None => (Place::Inside, None),
    };
    Ok(match parent {
        None if local != "Envelope" => return Err(Trouble::NoEnvelope),
        None if uri == NS_SOAP_12 => return Err(Trouble::Soap12),
        None if uri != NS_SOAP => return Err(Trouble::NoEnvelope),
        None => (Place::Envelope, None),
        Some(Place::Envelope) if uri == NS_SOAP && local == "Header" => (Place::Header, None),
        Some(Place::Envelope) if uri == NS_SOAP && local == "Body" => (Place::Body, None),
        Some(Place::Header) if is_x_road(uri) => match local {
            "userId" => (Place::Block(Some(Block::User)), None),
            "issue" => (Place::Block(Some(Block::Issue)), None),
            _ => (Place::Block(None), None),
        },
        Some(Place::Body) => (Place::Group(Group::Operation), None),
        Some(Place::Group(group)) => known(group),
        Some(Place::Leaf(_) | Place::Inside) => (Place::Inside, None),
        Some(_) => (Place::Outside, None),
    })
}

/// The namespaces of the message protocol in all its versions.
fn is_x_road(uri: &str) -> bool {
    uri.starts_with("http://x-road.") || uri.starts_with("http://x-rd.net/")
}

/// Whether an encoding's name means UTF-8.
pub(super) fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8")
}

/// The value between the quotes, normalised.
fn attribute_value(raw: &str) -> Result<Cow<'_, str>, Trouble> {
    if raw.contains('<') {
        return Err(Trouble::Malformed);
    }
    let attribute = Attribute { key: QName("a"), value: Cow::Borrowed(raw) };
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Trouble::Entity)?;
    match &value {
        Cow::Owned(text) if !text.chars().all(is_xml) => Err(Trouble::Character),
        _ => Ok(value),
    }
}
