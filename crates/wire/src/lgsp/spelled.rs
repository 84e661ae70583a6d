//! SOAP answers spelled as JSON: elements become members, their names begin with a small letter.
//!
//! An empty element (not granted, or no data) is `null`; every value that is no boolean is a
//! text, as it stands in the XML.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Serialize, Serializer};

/// Elements whose text is a boolean.
const BOOLEANS: [&str; 2] = ["TonTai", "KhopDuLieu"];
/// The element that may come any number of times, hence always a list.
const REPEATED: &str = "CongDan";
/// The element that holds them, and the only one that is an object even when it is empty.
const COLLECTION: &str = "CongdanCollection";
/// The member of a list of citizens.
pub(super) const CITIZENS: &str = "congDan";
/// The attribute of an answer's root that becomes a member.
pub(super) const PRECISION: &str = "precision";

/// A JSON value whose members keep the order of the elements.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// A member of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(n, v)| (n, v))),
        }
    }
}

/// `MaYeuCau` → `maYeuCau`.
pub(super) fn lower_first(name: &str) -> String {
    first(name, char::to_ascii_lowercase)
}

/// `maYeuCau` → `MaYeuCau`.
pub(super) fn upper_first(name: &str) -> String {
    first(name, char::to_ascii_uppercase)
}

fn first(name: &str, change: fn(&char) -> char) -> String {
    let mut rest = name.chars();
    let first = rest.next();
    first.iter().map(change).chain(rest).collect()
}

/// The element under soap:Body, by its name, of an envelope that we wrote.
pub(super) fn spell(envelope: &str) -> Option<(String, Node)> {
    let mut xml = Reader::from_str(envelope);
    let mut inside: Vec<Element> = vec![];
    let mut body = false;
    loop {
        match xml.read_event().ok()? {
            Event::Start(tag) => {
                let name = local(tag.name().0).to_owned();
                if body {
                    inside.push(Element::new(name, has_precision(&tag)));
                } else {
                    body = name == "Body";
                }
            }
            Event::Empty(tag) if body => {
                let element = Element::new(local(tag.name().0).to_owned(), has_precision(&tag));
                match inside.last_mut() {
                    Some(parent) => parent.add(element),
                    None => return Some(element.spelled()),
                }
            }
            Event::Text(text) => {
                if let Some(element) = inside.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::GeneralRef(name) => inside.last_mut()?.text.push(character(&name)?),
            Event::End(_) => {
                let Some(element) = inside.pop() else { continue };
                match inside.last_mut() {
                    Some(parent) => parent.add(element),
                    None => return Some(element.spelled()),
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The character of a reference; our writer knows four names and one number.
fn character(name: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    match &**name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => name.resolve_char_ref().ok()?,
    }
}

fn local(qualified: &str) -> &str {
    qualified.rsplit_once(':').map_or(qualified, |(_, local)| local)
}

fn has_precision(tag: &quick_xml::events::BytesStart<'_>) -> bool {
    tag.attributes().flatten().any(|a| a.key.0 == PRECISION)
}

/// An element that is being read.
struct Element {
    name: String,
    text: String,
    members: Vec<(String, Node)>,
    precision: bool,
}

impl Element {
    fn new(name: String, precision: bool) -> Self {
        Self { name, text: String::new(), members: vec![], precision }
    }

    fn add(&mut self, child: Self) {
        let repeated = child.name == REPEATED;
        let (name, node) = child.spelled();
        match self.members.last_mut() {
            Some((_, Node::List(items))) if repeated => items.push(node),
            _ if repeated => self.members.push((name, Node::List(vec![node]))),
            _ => self.members.push((name, node)),
        }
    }

    fn spelled(mut self) -> (String, Node) {
        let name = lower_first(&self.name);
        if self.name == COLLECTION && self.members.iter().all(|(n, _)| n != CITIZENS) {
            self.members.insert(0, (CITIZENS.to_owned(), Node::List(vec![])));
        }
        let node = if !self.members.is_empty() {
            if self.precision {
                // Said only where a year was compared.
                self.members.push((PRECISION.to_owned(), Node::Text("year".to_owned())));
            }
            Node::Object(self.members)
        } else if self.text.is_empty() {
            Node::Null
        } else if BOOLEANS.contains(&self.name.as_str()) {
            Node::Bool(self.text == "true")
        } else {
            Node::Text(self.text)
        };
        (name, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (json, xml) in [("maDVC", "MaDVC"), ("soCMND", "SoCMND"), ("", "")] {
            assert_eq!(lower_first(xml), json);
            assert_eq!(upper_first(json), xml);
        }
        assert_eq!(upper_first("ôô"), "ôô");
    }

    #[test]
    fn elements() {
        let json = |body: &str| {
            let envelope = format!("<?xml version=\"1.0\"?><e:Envelope><e:Body>{body}</e:Body>");
            let (name, node) = spell(&envelope).unwrap();
            format!("{name}={}", serde_json::to_string(&node).unwrap())
        };
        assert_eq!(json("<a:CongdanCollection/>"), "congdanCollection={\"congDan\":[]}");
        assert_eq!(
            json(
                "<a:CongdanCollection precision=\"year\"><a:CongDan><a:ChiTiet>1 &lt;&amp;&#13; 2\
                 </a:ChiTiet><a:Cha/></a:CongDan><a:CongDan><a:SoCMND>1</a:SoCMND></a:CongDan>\
                 </a:CongdanCollection>"
            ),
            "congdanCollection={\"congDan\":[{\"chiTiet\":\"1 <&\\r 2\",\"cha\":null},\
             {\"soCMND\":\"1\"}],\"precision\":\"year\"}"
        );
        assert_eq!(
            json("<a:KetQuaXacMinh><a:KhopDuLieu>false</a:KhopDuLieu></a:KetQuaXacMinh>"),
            "ketQuaXacMinh={\"khopDuLieu\":false}"
        );
        assert!(spell("<e:Envelope><e:Body></e:Body></e:Envelope>").is_none());
        assert!(spell("<e:Envelope><e:Body>").is_none());
    }
}
