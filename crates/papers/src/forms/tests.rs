//! What the forms say is what the letters say.

use dancu_domain::editions::{ALL, Edition, Form};
use jiff::civil::{Date, date};

use super::*;
use crate::layout::Paint;

const DAY: Date = date(2026, 3, 9);

/// Texts without blanks, dotted and ruled lines, and marks of the source.
fn folded(text: &str) -> String {
    let (mut out, mut dots) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if matches!(c, '.' | '…') {
            dots.push(c);
            continue;
        }
        if dots == "." {
            out.push('.');
        }
        dots.clear();
        if !c.is_whitespace() && !matches!(c, '_' | '*') {
            out.push(c);
        }
    }
    out
}

fn painted(pages: &[Page]) -> String {
    let page_number =
        |page: &Page| usize::from(pages.len() > 1 && !std::ptr::eq(page, pages.as_ptr()));
    let texts = pages.iter().flat_map(|page| &page[..page.len() - page_number(page)]);
    let texts = texts.filter_map(|paint| match paint {
        Paint::Text { text, .. } => Some(text.as_str()),
        Paint::Rule { .. } => None,
    });
    texts.collect()
}

/// The empty form of an edition, and its words in the letter.
fn empty(edition: &Edition) -> (Vec<Page>, &'static str) {
    let known = Known::default();
    let laid =
        |table: &dyn Fn() -> Option<Table>| lay_out(&blocks(wording(edition), &known, |_| table()));
    match (edition.form, edition.name) {
        (Form::ServiceRegistration, _) => (
            laid(&|| Some(services(&[]))),
            include_str!("../../tests/wording/registration_2025.txt"),
        ),
        (Form::AccountList, "2021") => (
            laid(&|| Some(accounts_2021(&[]))),
            include_str!("../../tests/wording/accounts_2021.txt"),
        ),
        (Form::AccountList, _) => (
            laid(&|| Some(accounts_2025(&[]))),
            include_str!("../../tests/wording/accounts_2025.txt"),
        ),
        (Form::OrganisationCommitment, "2021") => {
            (laid(&|| None), include_str!("../../tests/wording/organisation_2021.txt"))
        }
        (Form::OrganisationCommitment, _) => {
            (laid(&|| None), include_str!("../../tests/wording/organisation_2025.txt"))
        }
        (Form::IndividualCommitment, _) => {
            (laid(&|| None), include_str!("../../tests/wording/individual_2021.txt"))
        }
    }
}

/// Where two texts part.
fn compared(found: &str, letter: &str, what: &str) {
    let (found, letter) = (folded(found), folded(letter));
    let same = found.chars().zip(letter.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| text.chars().skip(same.saturating_sub(20)).take(80).collect::<String>();
    assert_eq!(found, letter, "{what}: {} | {}", from(&found), from(&letter));
}

#[test]
fn rule_b2_every_form_says_what_its_letter_says() {
    for edition in ALL {
        let (pages, letter) = empty(edition);
        compared(&painted(&pages), letter, &format!("{:?} {}", edition.form, edition.name));
    }
}

/// The same by a reader that others wrote, where it is installed.
#[test]
fn readers_find_the_words_of_the_letter() {
    for edition in ALL {
        let (mut pages, letter) = empty(edition);
        for page in pages.iter_mut().skip(1) {
            page.pop();
        }
        let pdf = printed("x", DAY, &pages).unwrap();
        let Some(text) = extracted(&pdf.bytes) else { return };
        compared(&text, letter, &format!("{:?} {} by pdftotext", edition.form, edition.name));
    }
}

/// What pdftotext finds, in the order of the file; none where it is not installed.
fn extracted(pdf: &[u8]) -> Option<String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut reader = Command::new("pdftotext")
        .args(["-raw", "-nopgbrk", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    reader.stdin.take().unwrap().write_all(pdf).unwrap();
    let out = reader.wait_with_output().unwrap();
    assert!(out.status.success());
    Some(dancu_domain::text::composed(&String::from_utf8(out.stdout).unwrap()).into_owned())
}

fn about() -> About {
    About {
        unit: "Ủy ban nhân dân phường Mỹ Lộc".into(),
        system: "Hệ thống thông tin giải quyết thủ tục hành chính".into(),
        contact: Contact { name: "Trần Thị Thử".into(), ..Contact::default() },
    }
}

fn accounts(count: u32) -> Vec<Account> {
    let one = |n: u32| Account {
        login: format!("canbo.thu{n}@my-loc"),
        name: format!("Nguyễn Thị Thử Nghiệm {n}"),
        personal_id: format!("0990000{n:05}"),
        officer_code: format!("CB{n}"),
        phone: "0900000000".into(),
        daily: 1_150,
        ..Account::default()
    };
    (1..=count).map(one).collect()
}

#[test]
fn rule_b6_the_same_list_is_the_same_file() {
    let edition = Edition::at(Form::AccountList, DAY).unwrap();
    let all = accounts(3_000);
    let first = account_list(edition, &about(), &all, DAY).unwrap();
    let second = account_list(edition, &about(), &all, DAY).unwrap();
    assert!(first == second, "the same input gives the same bytes");
    assert!(first.pages > 60, "{}", first.pages);
}
