//! Files of dossiers over their routes (B2, B7, A6): what comes in, what is refused, what is had.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use dancu_domain::people::roles::Role;

use super::dossiers::begun;
use super::site::{Answer, Browser, Site};

/// A paper as the centre's forms are printed.
const PDF: &[u8] = include_bytes!("../../../../../fuzz/seeds/papers_sniff/receipt.pdf");
const SECURITY: &str = "/security";

/// Sends a file to a sheet, as it was opened.
async fn send(browser: &mut Browser, sheet: &str, name: &str, file: &[u8]) -> Answer {
    let page = browser.get(sheet).await;
    let (once, revision) = (page.hidden("once"), page.hidden("revision"));
    let request = request(browser, sheet, [&once, &revision, name], file);
    browser.send(request).await
}

fn request(
    browser: &Browser,
    sheet: &str,
    [once, revision, name]: [&str; 3],
    file: &[u8],
) -> Request {
    let fields = [("csrf", browser.csrf.as_str()), ("once", once), ("revision", revision)];
    let mut head = String::new();
    for (field, value) in fields {
        let begin = format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
        write!(head, "{begin}{value}\r\n").unwrap();
    }
    let of_file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=";
    write!(head, "{of_file}\"{name}\"\r\n\r\n").unwrap();
    let body = [head.as_bytes(), file, b"\r\n--b--\r\n"].concat();
    Request::post(format!("{sheet}/file"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap()
}

/// A scan of so many pages.
fn pages(count: usize) -> Vec<u8> {
    let mut out = String::from("%PDF-1.7\n");
    for n in 2..count + 2 {
        writeln!(out, "{n} 0 obj\n<< /Type /Page /Parent 1 0 R >>\nendobj").unwrap();
    }
    out.push_str("trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n");
    out.into_bytes()
}

/// Where the only file of a sheet is had.
fn href(page: &str, base: &str) -> String {
    let mark = format!("href=\"{base}/files/");
    let rest = page.split_once(&mark).unwrap_or_else(|| panic!("no file: {page}")).1;
    format!("{base}/files/{}", rest.split('"').next().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b2_a_file_is_kept_and_given_as_it_came() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    // A name with folders and marks that turn it around is cleaned, and stays out of headers.
    let name = "..\\..\\Biên \u{202e}fdp.bản <b>.pdf";
    let sent = send(&mut head, &sheet, name, PDF).await;
    assert_eq!(sent.to(), format!("{sheet}?told=saved"), "{}", sent.body);
    let shown = head.get(&sheet).await.body;
    assert!(shown.contains("<bdi>Biên fdp.bản &#60;b&#62;.pdf</bdi>"), "{shown}");
    assert!(shown.contains("Chưa quét") && !shown.contains('\u{202e}'));
    let file = head.get(&href(&shown, &base)).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.body, String::from_utf8_lossy(PDF));
    assert_eq!(file.header("content-type"), "application/pdf");
    let stored = file.header("content-disposition");
    assert!(stored.starts_with("attachment; filename=\"HS-00001-"), "{stored}");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    // Who may not: the integrator of the same unit, and the assessor a commitment.
    let sheet = format!("{base}/commitment");
    let sent = send(&mut head, &sheet, "ban cam ket.pdf", PDF).await;
    assert_eq!(sent.to(), format!("{sheet}?told=saved"), "{}", sent.body);
    let pledge = href(&head.get(&sheet).await.body, &base);
    let mut integrator = site.signed_in(Role::Integrator, 0).await;
    assert_eq!(integrator.get(&pledge).await.status, StatusCode::FORBIDDEN);
    let at_centre = |href: &str| href.replacen("/unit/", "/centre/", 1);
    let mut assessor = site.signed_in(Role::SecurityAssessor, 0).await;
    assert_eq!(assessor.get(&at_centre(&pledge)).await.status, StatusCode::FORBIDDEN);
    let minutes = at_centre(&href(&shown, &base));
    assert_eq!(assessor.get(&minutes).await.status, StatusCode::OK);
    let mut reviewer = site.signed_in(Role::DossierReviewer, 0).await;
    for path in [&at_centre(&pledge), &minutes] {
        assert_eq!(reviewer.get(path).await.status, StatusCode::OK);
    }
    let none = format!("{base}/files/999");
    assert_eq!(head.get(&none).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b2_what_is_no_paper_is_not_kept() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    let scripted = [&PDF[..PDF.len() - 6], b"\n<< /OpenAction << /S /JavaScript >> >>\n%%EOF"];
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("a.pdf", vec![], "Chọn một tệp"),
        ("a.pdf", b"MZ\x90\0program".to_vec(), "Chỉ nhận tệp PDF"),
        ("a.pdf", b"<html><script>alert(1)</script>".to_vec(), "Chỉ nhận tệp PDF"),
        ("a.pdf", pages(300), "Tệp có 300 trang"),
        ("a.pdf", scripted.concat(), "mã lệnh"),
    ];
    for (name, file, told) in cases {
        let sent = send(&mut head, &sheet, name, &file).await;
        assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        let missing = head_text(&sent);
        assert!(sent.body.contains(told) || file.is_empty(), "{told}: {missing}");
        assert!(!sent.body.contains("SHA-256"), "{told}");
    }
    let store = site.app.gate.store();
    let number = dancu_domain::dossier::DossierNumber(1);
    assert!(store.files_of(number).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b2_another_file_in_the_same_form_is_not_told_as_taken() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let sheet = format!("{}{SECURITY}", begun(&mut head).await);
    let told = format!("{sheet}?told=saved");
    let page = head.get(&sheet).await;
    let (once, before) = (page.hidden("once"), page.hidden("revision"));
    let other = pages(3);
    let mut send = async |revision: &str, file: &[u8]| {
        let request = request(&head, &sheet, [&once, revision, "a.pdf"], file);
        let sent = head.send(request).await;
        (sent.status, sent.to().to_owned(), head.get(&sheet).await.hidden("revision"))
    };
    let (_, to, revision) = send(&before, PDF).await;
    assert_eq!(to, told);
    assert_eq!(send(&before, PDF).await.1, told, "sent twice");
    // Of the page of before it is refused, of the page of now it is a second act.
    assert_eq!(send(&before, &other).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send(&revision, &other).await.1, told);
    let number = dancu_domain::dossier::DossierNumber(1);
    let files = site.app.gate.store().files_of(number).await.unwrap();
    assert_eq!(files.len(), 2);
}

fn head_text(answer: &Answer) -> &str {
    answer.body.split("data-errors").nth(1).map_or("", |rest| &rest[..rest.len().min(400)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_files_at_once_one_person_sends_one() {
    let site = Site::scanning("cat >/dev/null").await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    let page = head.get(&sheet).await;
    let (once, revision) = (page.hidden("once"), page.hidden("revision"));
    let other = format!("{once}2");
    let first = request(&head, &sheet, [&once, &revision, "a.pdf"], PDF);
    let second = request(&head, &sheet, [&other, &revision, "b.pdf"], PDF);
    let mut window = head.clone();
    let (first, second) = tokio::join!(head.send(first), window.send(second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    // The later one finds the place held, or the dossier changed.
    assert_eq!(statuses[0], StatusCode::SEE_OTHER, "{statuses:?}");
    let refused = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SERVICE_UNAVAILABLE];
    assert!(refused.contains(&statuses[1]), "{statuses:?}");
    let number = dancu_domain::dossier::DossierNumber(1);
    let kept = site.app.gate.store().files_of(number).await.unwrap();
    assert_eq!(kept.len(), 1, "and nothing of the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b2_the_scanner_decides() {
    // What names a receipt is refused; a picture gets no answer.
    let script = "f=$(head -c 4); case $f in %PDF) exit 1;; *) exit 2;; esac";
    let site = Site::scanning(script).await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    let refused = send(&mut head, &sheet, "a.pdf", PDF).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("phát hiện mã độc"), "{}", refused.body);
    assert!(refused.body.contains("B2") && !refused.body.contains("SHA-256"));
    let journaled = head.get(&base).await.body;
    assert!(journaled.contains("Phần mềm quét từ chối tệp của hồ sơ"), "{journaled}");
    let clean = Site::scanning("cat >/dev/null").await;
    let mut head = clean.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    assert_eq!(send(&mut head, &sheet, "a.pdf", PDF).await.status, StatusCode::SEE_OTHER);
    assert!(head.get(&sheet).await.body.contains("Đã quét, không thấy mã độc"));
    let odd = Site::scanning("cat >/dev/null; exit 9").await;
    let mut head = odd.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let sheet = format!("{base}{SECURITY}");
    assert_eq!(send(&mut head, &sheet, "a.pdf", PDF).await.status, StatusCode::SEE_OTHER);
    assert!(head.get(&sheet).await.body.contains("Chưa quét được"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b7_a_paper_copy_is_told_of_and_receipted() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let base = begun(&mut head).await;
    let once = head.get(&base).await.hidden("once");
    let tell = async |head: &mut Browser, once: &str, date: &str| {
        let fields = [
            ("once", once),
            ("copyPart", "commitment"),
            ("copyNumber", "12/CK-UBND"),
            ("copyDate", date),
            ("copyKept", "Văn thư"),
        ];
        head.post(&format!("{base}/copies"), &fields).await
    };
    let wrong = tell(&mut head, &once, "hôm nay").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"12/CK-UBND\""), "what was typed stays");
    let told = tell(&mut head, &wrong.hidden("once"), "02/03/2026").await;
    assert_eq!(told.to(), format!("{base}?told=copied"), "{}", told.body);
    let centre = base.replacen("/unit/", "/centre/", 1);
    let mut reviewer = site.signed_in(Role::DossierReviewer, 0).await;
    let page = reviewer.get(&centre).await;
    assert!(page.body.contains("12/CK-UBND") && page.body.contains("Chưa nhận"));
    let (once, copy) = (page.hidden("once"), page.hidden("copy"));
    let fields = [("once", once.as_str()), ("copy", &copy), ("copyPlace", "Kho lưu trữ")];
    let done = reviewer.post(&format!("{centre}/copies"), &fields).await;
    assert_eq!(done.to(), format!("{centre}?told=received"), "{}", done.body);
    assert!(head.get(&base).await.body.contains("Kho lưu trữ"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_have_a_page_for_both_sides() {
    let site = Site::new().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    assert!(head.get("/unit/documents").await.body.contains("Chưa có văn bản nào"));
    assert_eq!(head.get("/unit/documents/1").await.status, StatusCode::NOT_FOUND);
    let mut reviewer = site.signed_in(Role::DossierReviewer, 0).await;
    assert_eq!(reviewer.get("/centre/documents").await.status, StatusCode::OK);
    assert_eq!(head.get("/centre/documents").await.status, StatusCode::FORBIDDEN);
}
