//! Acts of the journal as sentences: what each kind is, and its details in words of the page's
//! language. Reasons and titles are people's own words and stay as they are.

use dancu_domain::ids::{AccountId, Login, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::registration::Snapshot;
use dancu_domain::service::{Service, Window};
use dancu_journal::Act;
use dancu_office::officers::Held;
use dancu_office::{decisions, states};
use dancu_portal::text::Text;
use jiff::civil::Date;

use crate::portal::{frame, words};

/// What a kind of act is, in words; the kind itself where a later version wrote it.
pub fn kind(t: &Text, kind: &str) -> String {
    let key = format!("did-{}", kind.replace('.', "-"));
    if t.has(&key) { t.get(key) } else { kind.to_owned() }
}

/// How a login is shown: masked to auditors, who see it whole with a ground only.
pub type Shown = fn(&Login) -> String;

/// What an act did in words, without the reason; empty where the kind says it all.
pub fn what(t: &Text, snapshot: &Snapshot, act: &Act, shown: Shown) -> String {
    let (what, _) = decisions::told(&act.detail);
    match act.kind.as_str() {
        // The officer's own words stand in it, or the title of an announcement.
        "counter.lookup" | "news.ended" => what.to_owned(),
        "news.published" => published(t, what),
        _ => sentence(t, snapshot, act, what, shown),
    }
}

/// What an act did and why, as one text.
pub fn whole(t: &Text, snapshot: &Snapshot, act: &Act, shown: Shown) -> String {
    let what = what(t, snapshot, act, shown);
    let (_, why) = decisions::told(&act.detail);
    let key = if act.kind.starts_with("audit.") { "said-ground" } else { "said-why" };
    let why = why.map(|why| t.with(key, "why", why));
    [Some(what), why].into_iter().flatten().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(". ")
}

/// `#1 maintenance TITLE`
fn published(t: &Text, what: &str) -> String {
    let mut parts = what.splitn(3, ' ');
    let (number, kind, title) = (parts.next(), parts.next(), parts.next());
    let (Some(number), Some(kind), Some(title)) = (number, kind, title) else {
        return what.to_owned();
    };
    let key = format!("kind-{kind}");
    let kind = if t.has(&key) { t.get(key) } else { kind.to_owned() };
    format!("{kind} {number}: {title}")
}

/// Words that entries hold, whole phrases among them, and the keys of their texts. Entries are
/// written once, whoever reads them.
const SAID: [(&str, &str); 72] = [
    ("live", "said-live"),
    ("suspended", "said-suspended"),
    ("locked", "said-locked"),
    ("unlocked", "said-unlocked"),
    ("revoked", "said-revoked"),
    ("preparing", "said-preparing"),
    ("closed", "said-closed"),
    ("totp", "said-totp"),
    ("passkey", "said-passkey"),
    ("securityKey", "said-security-key"),
    ("recoveryCode", "said-recovery-code"),
    ("password", "said-password"),
    ("identity", "said-identity"),
    ("today", "said-today"),
    ("soap", "said-soap"),
    ("client", "said-client"),
    ("key", "said-key"),
    ("certificate", "said-certificate"),
    ("off", "said-off"),
    ("optional", "said-optional"),
    ("required", "said-required"),
    ("account", "said-account"),
    ("case", "said-case"),
    ("subject", "said-subject"),
    ("từ", "said-from"),
    ("đến", "said-until"),
    ("từ mục", "said-from-entry"),
    ("trước mục", "said-before-entry"),
    ("mục", "said-entry"),
    ("cổng", "said-portal"),
    ("mời vào cổng", "said-invited"),
    (states::WITHDRAWN, "said-withdrawn"),
    (states::NO_SUBSTITUTE, "said-no-substitute"),
    ("thay", "said-instead"),
    ("đề nghị", "said-request"),
    ("thông báo", "said-notice"),
    ("người duyệt thứ nhất", "said-first"),
    ("yếu tố thứ hai", "said-second"),
    ("lần đầu", "said-first-time"),
    ("đăng ký máy này", "said-enrolled"),
    ("kết thúc phiên ở nơi khác", "said-replaced"),
    ("mọi phiên", "said-all-sessions"),
    ("quên", "said-forgets"),
    ("máy", "said-devices"),
    ("thiết bị", "said-devices"),
    ("phiên", "said-sessions"),
    ("bộ mã khôi phục mới", "said-codes"),
    ("lượt/ngày", "said-a-day"),
    ("dòng", "said-lines"),
    ("dịch vụ", "said-services"),
    ("thêm", "said-added"),
    ("đổi", "said-changed"),
    ("giữ", "said-kept"),
    ("tài khoản", "said-accounts"),
    ("không cần điện thoại", "said-no-phone"),
    ("điện thoại", "said-phone"),
    ("thủ trưởng", "said-head"),
    ("người", "said-person"),
    ("xác nhận ngày", "said-confirmed"),
    ("thẻ căn cước", "said-citizen-card"),
    ("thẻ công tác", "said-service-card"),
    ("quen biết trực tiếp", "said-known"),
    (Held::Centre.words(), "said-held-centre"),
    (Held::Locked.words(), "said-held-locked"),
    (Held::Otherwise.words(), "said-held-otherwise"),
    ("kế hoạch", "said-plan"),
    ("người/ngày", "said-persons-a-day"),
    ("số lượt riêng", "said-own-count"),
    ("theo quy tắc", "said-under-rule"),
    ("đăng ký", "said-registered"),
    ("danh sách", "said-list"),
    ("thu hồi", "said-ended"),
];

/// A word with what stands around it: `(`, `,`.
struct Word<'a> {
    before: &'a str,
    core: &'a str,
    after: &'a str,
}

impl<'a> Word<'a> {
    fn of(text: &'a str) -> Self {
        let rest = text.trim_start_matches(['(', '[']);
        let core = rest.trim_end_matches([',', ';', ':', ')', ']']);
        let (before, after) = (text.len() - rest.len(), rest.len() - core.len());
        Self { before: &text[..before], core, after: &rest[rest.len() - after..] }
    }
}

fn sentence(t: &Text, snapshot: &Snapshot, act: &Act, what: &str, shown: Shown) -> String {
    let system = snapshot.by_id(SystemId(act.system));
    // The list names the system beside it.
    let rest = system.and_then(|s| what.strip_prefix(s.code.as_str())?.strip_prefix(' '));
    let words: Vec<Word<'_>> = rest.unwrap_or(what).split(' ').map(Word::of).collect();
    let mut told: Vec<String> = vec![];
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let (taken, text) = match phrase(&words[at..]) {
            Some((taken, key)) => (taken, t.get(key)),
            None if at == 0 && act.kind == "account.state" => {
                (1, login(snapshot, act, word.core, shown))
            }
            None => (1, term(t, word.core)),
        };
        let last = &words[at + taken - 1];
        told.push(format!("{}{text}{}", word.before, last.after));
        at += taken;
    }
    told.join(" ")
}

/// The longest phrase that begins here, and how many words it has.
fn phrase(words: &[Word<'_>]) -> Option<(usize, &'static str)> {
    let fits = |phrase: &str| {
        let (mut taken, count) = (0, phrase.split(' ').count());
        let inner = words.iter().take(count.saturating_sub(1)).all(|w| w.after.is_empty());
        let all = phrase.split(' ').all(|part| {
            taken += 1;
            words.get(taken - 1).is_some_and(|w| w.core == part)
        });
        (inner && all).then_some(count)
    };
    SAID.iter().filter_map(|(said, key)| Some((fits(said)?, *key))).max_by_key(|(count, _)| *count)
}

/// `#12` as the login of the account, with a colon behind it.
fn login(snapshot: &Snapshot, act: &Act, number: &str, shown: Shown) -> String {
    let account = number.strip_prefix('#').and_then(|n| n.parse().ok()).map(AccountId);
    let system = snapshot.by_id(SystemId(act.system));
    let known = system.zip(account).and_then(|(s, id)| s.accounts.by_id(id));
    known.map_or_else(|| number.to_owned(), |a| format!("{}:", shown(&a.login)))
}

/// What is no phrase: a service, a window, a time, a day, a count on top.
fn term(t: &Text, core: &str) -> String {
    if let Some(service) = Service::ALL.into_iter().find(|s| s.code() == core) {
        return format!("{} ·", words::service(t, service));
    }
    let windows = [Window::InHours, Window::OffHours];
    if let Some(window) = windows.into_iter().find(|w| w.code() == core) {
        return t.get(words::window_key(window));
    }
    if let Some(at) = Moment::parse_rfc3339(core) {
        return frame::stamp(at);
    }
    if let Ok(day) = core.parse::<Date>() {
        return frame::date(day);
    }
    match core.strip_prefix('+').map(str::parse::<u64>) {
        Some(Ok(extra)) => t.with("said-extra", "count", t.num(extra)),
        _ => core.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use dancu_portal::text::Language;

    use super::*;

    fn text(language: Language) -> Text {
        frame::text(language)
    }

    fn told(language: Language, kind: &str, detail: &str) -> String {
        let (kind, actor) = (kind.to_owned(), String::new());
        let act = Act { kind, actor, system: 0, detail: detail.to_owned() };
        whole(&text(language), &Snapshot::new(1, vec![]), &act, words::login)
    }

    #[test]
    fn details_are_words_of_the_pages_language() {
        let vi = |kind: &str, detail: &str| told(Language::Vietnamese, kind, detail);
        let en = |kind: &str, detail: &str| told(Language::English, kind, detail);
        let raise = "MAU citizen.verify inHours +700 từ 2026-03-02T07:00:00+07:00 đến \
                     2026-03-04T07:00:00+07:00, đề nghị #3, người duyệt thứ nhất; lý do: từ A";
        let words = vi("line.raise", raise);
        for part in ["Xác thực thông tin công dân · Trong giờ", "02/03/2026", "Lý do: từ A"]
        {
            assert!(words.contains(part), "{part}: {words}");
        }
        let words = en("line.raise", raise);
        for part in ["700 more from 07:00 02/03/2026 until", "first of two", "Reason: từ A"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert_eq!(en("person.signOut", "từ 192.0.2.1"), "from 192.0.2.1");
        let sign_in = "từ 192.0.2.1; yếu tố thứ hai: totp; lần đầu";
        let expected = "from 192.0.2.1; second factor: code of the authenticator app; first time";
        assert_eq!(en("person.signIn", sign_in), expected);
        let suspended = "#9 suspended (locked), cổng #4 suspended, thu hồi lời mời, thôi thay: #5";
        let expected = "#9 tạm ngừng (đã khóa), tài khoản cổng #4 tạm ngừng, thu hồi lời mời, \
                        thôi thay: #5";
        assert_eq!(vi("account.state", suspended), expected);
        let plan = "MAU kế hoạch #3: citizen.verify từ 2026-03-02 đến 2026-03-04, 5000 \
                    người/ngày, số lượt riêng theo quy tắc D4; lý do: A";
        let words = en("plan.refused", plan);
        for part in ["plan #3:", "from 02/03/2026", "its own count under rule D4", "Reason: A"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        // A title is nobody's key word, and a ground is told as one.
        let news = vi("news.published", "#1 maintenance locked từ A");
        assert_eq!(news, "Lịch bảo trì #1: locked từ A");
        let staff = en("audit.staff", "trước mục 20; căn cứ: QĐ 1");
        assert_eq!(staff, "before entry 20. Ground: QĐ 1");
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }

    /// What has the form of a kind: `line.lift`.
    fn is_kind(word: &str) -> bool {
        let letters =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic());
        word.contains('.') && word.split('.').all(letters)
    }

    /// Kinds that the program writes, where an act is made.
    fn written() -> BTreeSet<String> {
        let marks = [
            "kind: \"",
            "Entry::new(\"",
            "carry_out(\"",
            ".journal(\"",
            "entry(\"",
            "act(\"",
            "act_of_program(\"",
            "=> \"officer.",
            "step(at, \"",
            "settle(at, \"",
            "=> \"plan.",
        ];
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut paths = vec![];
        for entry in std::fs::read_dir(crates).unwrap() {
            let folder = entry.unwrap().path();
            let name = folder.file_name().unwrap().to_owned();
            if name != "bench" && name != "testdb" && folder.join("src").is_dir() {
                sources(&folder.join("src"), &mut paths);
            }
        }
        let mut found = BTreeSet::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).unwrap();
            let program = text.split("#[cfg(test)]").next().unwrap();
            // A call may go on in the next line.
            let joined = program.split_whitespace().collect::<Vec<_>>().join(" ");
            let joined = joined.replace("( \"", "(\"");
            for mark in marks {
                for (at, _) in joined.match_indices(mark) {
                    let from = at + mark.rfind('"').unwrap() + 1;
                    let word = joined[from..].split('"').next().unwrap();
                    found.extend(is_kind(word).then(|| word.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn every_kind_that_is_written_is_documented_and_has_its_text() {
        let written = written();
        assert!(written.len() > 50, "{written:?}");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap();
        let format = std::fs::read_to_string(root.join("docs/journal-format.md")).unwrap();
        let acts = format.split("## Body 3: act").nth(1).unwrap();
        let acts = acts.split("\n## ").next().unwrap();
        let documented: BTreeSet<String> =
            acts.split('`').skip(1).step_by(2).filter(|w| is_kind(w)).map(String::from).collect();
        let silent: Vec<_> = written.difference(&documented).collect();
        assert!(silent.is_empty(), "not in docs/journal-format.md: {silent:?}");
        for language in [Language::Vietnamese, Language::English] {
            let t = text(language);
            let raw = documented.iter().filter(|word| kind(&t, word) == **word);
            assert_eq!(raw.collect::<Vec<_>>(), Vec::<&String>::new());
        }
        assert_eq!(kind(&text(Language::English), "later.kind"), "later.kind");
    }
}
