//! Files by their content.

use std::io::Write as _;

use dancu_domain::editions::{Edition, Form};
use proptest::prelude::*;

use super::*;

fn page() -> &'static str {
    "2 0 obj\n<< /Type /Page /Parent 1 0 R >>\nendobj\n"
}

fn pdf(body: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{body}trailer\n<< /Root 1 0 R >>\n%%EOF\n").into_bytes()
}

fn packed(dictionary: &str, objects: &str) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::default());
    packer.write_all(objects.as_bytes()).unwrap();
    let mut out = format!("%PDF-1.7\n5 0 obj\n<< {dictionary} >>\nstream\n").into_bytes();
    out.extend(packer.finish().unwrap());
    out.extend(b"\nendstream\nendobj\n");
    out
}

#[test]
fn documents_are_counted_and_refused_by_what_they_hold() {
    let pages = |bytes: &[u8]| match sniff(bytes) {
        Ok(Kind::Pdf(document)) => Ok(document.pages),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal),
    };
    assert_eq!(pages(&pdf(page())), Ok(1));
    assert_eq!(pages(&pdf(&page().repeat(3))), Ok(1), "versions of one page");
    assert_eq!(pages(&pdf("")), Err(Refusal::Damaged));
    let scan: String = (2..302).map(|n| page().replacen('2', &n.to_string(), 1)).collect();
    let refused = pages(&pdf(&scan)).unwrap_err();
    assert_eq!(refused, Refusal::TooManyPages(300));
    assert!(refused.sentence().0.contains("300 trang"));
    let stream = "/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode";
    let objects = "2 0 3 9 << /Type /Page >> << /Type /Page >>";
    assert_eq!(pages(&packed(stream, objects)), Ok(2));
    for active in ["/JavaScript", "/J#61vaScript", "/Launch", "/XFA", "/EF", "/GoToE", "/Sound"] {
        let with = format!("{}3 0 obj << /S {active} >> endobj\n", page());
        assert_eq!(pages(&pdf(&with)), Err(Refusal::Scripted), "{active}");
        let hidden = format!("{objects} << /S {active} >>");
        assert_eq!(pages(&packed(stream, &hidden)), Err(Refusal::Scripted), "packed {active}");
    }
    assert_eq!(pages(&packed("/Type /ObjStm /Filter /LZWDecode", objects)), Err(Refusal::Damaged));
    let encrypted = format!("{}trailer << /Encrypt 9 0 R >>\n", page());
    assert_eq!(pages(&pdf(&encrypted)), Err(Refusal::Encrypted));
    assert_eq!(pages(&pdf(&format!("{}(/JS /Encrypt)", page()))), Ok(1), "a text is no name");
}

#[test]
fn what_a_reader_would_find_in_a_stream_is_found_however_it_is_written() {
    for active in ["/EmbeddedFile ", "/Embedded#46ile ", "/#4aavaScript "] {
        let hidden = pdf(&format!("{}4 0 obj <<>> stream\n{active}\nendstream\n", page()));
        assert_eq!(sniff(&hidden), Err(Refusal::Scripted), "{active}");
    }
    let chance = pdf(&format!("{}4 0 obj <<>> stream\n/EF \nendstream\n", page()));
    assert!(sniff(&chance).is_ok(), "two letters stand there by chance");
}

#[test]
fn a_hostile_file_is_refused_before_all_of_it_is_looked_at() {
    let half = PDF_BYTES_MAX / 4;
    let gap = format!("<{}>", "30".repeat(half / 2));
    let ranges = |end: usize| format!("/ByteRange [0 20 {end} 9]\n").repeat(half / 40);
    let one = "5 0 obj << /Type /ObjStm /Filter /Fl >> stream\nx\nendstream\n";
    for body in [format!("{gap}{}", ranges(half)), ranges(40), one.repeat(half / one.len())] {
        assert_eq!(sniff(&pdf(&format!("{}{body}", page()))), Err(Refusal::Damaged));
    }
}

#[test]
fn pictures_have_their_size_in_their_head() {
    let png = |w: u32, h: u32| {
        let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        out.extend(w.to_be_bytes());
        out.extend(h.to_be_bytes());
        out
    };
    let size = Pixels { width: 2480, height: 3508 };
    assert_eq!(sniff(&png(2480, 3508)), Ok(Kind::Png(size)));
    assert_eq!(sniff(&png(0, 9)), Err(Refusal::Damaged));
    assert_eq!(sniff(&png(60_000, 60_000)), Err(Refusal::TooManyPixels));
    let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x0d\xb4\x09\xb0\x03";
    assert_eq!(sniff(jpeg), Ok(Kind::Jpeg(size)));
    assert_eq!(sniff(&jpeg[..12]), Err(Refusal::Damaged));
}

#[test]
fn names_decide_nothing_and_sizes_are_bounded() {
    assert_eq!(sniff(b""), Err(Refusal::Empty));
    assert_eq!(sniff(b"MZ\x90\0"), Err(Refusal::Unknown));
    assert_eq!(sniff(b"PK\x03\x04zip"), Err(Refusal::Unknown));
    assert_eq!(
        sniff(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
        Err(Unreadable::Encrypted.into())
    );
    let mut large = pdf(page());
    large.resize(PDF_BYTES_MAX + 1, b' ');
    assert_eq!(sniff(&large), Err(Refusal::TooLarge(20)));
    let day = jiff::civil::date(2026, 3, 9);
    let form = sheet::Form {
        edition: Edition::at(Form::AccountList, day).unwrap(),
        unit: "u",
        system: "s",
        contact: sheet::Contact::default(),
        day,
        rows: &[],
    };
    assert_eq!(sniff(&sheet::write(&form).unwrap()), Ok(Kind::Xlsx));
}

#[test]
fn our_own_papers_are_taken() {
    let issued = crate::centre::Issued::by_centre(jiff::civil::date(2026, 3, 9));
    let receipt = crate::centre::Receipt {
        unit: "u".into(),
        system: "s".into(),
        dossier: "1".into(),
        received: "08:00".into(),
        parts: vec![],
        due: None,
    };
    let paper = crate::centre::receipt(&issued, &receipt).unwrap();
    let document = Document { pages: paper.pages, signatures: vec![] };
    assert_eq!(sniff(&paper.bytes), Ok(Kind::Pdf(document)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_stumble(
        kind in 0..6usize,
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let heads: [&[u8]; 6] = [
            b"", b"%PDF-1.4\n", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04",
            b"%PDF-1.4\n1 0 obj<</Type/Page>>/ByteRange[0 9 40 7]stream\n",
        ];
        let _ = sniff(&[heads[kind], &bytes].concat());
    }

    #[test]
    fn no_words_make_it_stumble(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..60),
        cut in 0..400usize,
    ) {
        let text = format!("%PDF-1.7\n{}", words.concat());
        let _ = sniff(&text.as_bytes()[..text.len().min(cut)]);
        let _ = sniff(text.as_bytes());
    }
}

const WORDS: &[&str] = &[
    "1 0 obj",
    "<<",
    ">>",
    "/Type",
    "/Page",
    "/ObjStm",
    "/FlateDecode",
    " stream\n",
    "endstream",
    "endobj",
    "/ByteRange",
    "[0 9 20 30]",
    "[0 18446744073709551615 1 1]",
    "(",
    ")",
    "\\",
    "<",
    ">",
    "30820101",
    "/#",
    "/#4",
    "%",
    "\n",
    "x\u{9c}",
];
