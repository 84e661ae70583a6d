//! A bounce as a mail server sends it (RFC 3464): which mail came back, and from whom. Anybody may
//! send such a thing: it counts only with the tag of a Message-ID that was given here.

use std::io::Read;

/// Bytes of a bounce that are read: the report and the head of the mail stand in the first few
/// thousand; the rest is the mail itself.
pub const BOUNCE_MAX: u64 = 256 * 1024;
/// Lines that are looked at.
const LINES_MAX: usize = 10_000;
/// Bytes of a line that are looked at (RFC 5322 allows 998).
const LINE_MAX: usize = 998;

/// What a bounce tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounce {
    /// Number of the mail.
    pub job: i64,
    /// The tag behind it, as it was given.
    pub tag: String,
    /// Whom it did not reach, where the report says so.
    pub recipient: Option<String>,
}

/// Reads a bounce; `None` where it is none, where the other side only says that it is late, or
/// where no mail of ours is named.
///
/// # Errors
/// The input could not be read.
pub fn read(from: impl Read) -> std::io::Result<Option<Bounce>> {
    let mut bytes = vec![];
    from.take(BOUNCE_MAX).read_to_end(&mut bytes)?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Bounce> {
    let text = String::from_utf8_lossy(bytes);
    let (mut report, mut failed, mut lasting) = (false, false, false);
    let (mut original, mut last, mut named) = (None, None, None);
    for line in text.lines().take(LINES_MAX) {
        let line = &line[..line.floor_char_boundary(LINE_MAX)];
        report |= contains(line, "report-type=delivery-status")
            || contains(line, "report-type=\"delivery-status\"");
        if named.is_none() {
            named = ours(line);
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("action") {
            failed |= value.eq_ignore_ascii_case("failed");
        } else if name.eq_ignore_ascii_case("status") {
            // RFC 3463: 5 = for good, 4 = not yet.
            lasting |= value.starts_with("5.");
        } else if name.eq_ignore_ascii_case("original-recipient") && original.is_none() {
            original = address(value);
        } else if name.eq_ignore_ascii_case("final-recipient") && last.is_none() {
            last = address(value);
        }
    }
    let (job, tag) = named.filter(|_| report && failed && lasting)?;
    // Mail that is passed on ends at an address that is not ours: whom it was sent to counts.
    Some(Bounce { job, tag, recipient: original.or(last) })
}

/// The address of `rfc822; address`.
fn address(value: &str) -> Option<String> {
    value.split_once(';').map(|(_, address)| address.trim().to_owned())
}

fn contains(line: &str, what: &str) -> bool {
    line.to_ascii_lowercase().contains(what)
}

/// The number and tag of `<dancu.NUMBER.TAG@…>` in a line.
fn ours(line: &str) -> Option<(i64, String)> {
    let (_, rest) = line.split_once("<dancu.")?;
    let (id, _) = rest.split_once('@')?;
    let (job, tag) = id.split_once('.')?;
    let hex = tag.len() == super::work::TAG_DIGITS && tag.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = (1..=18).contains(&job.len()) && job.bytes().all(|b| b.is_ascii_digit());
    (hex && digits).then(|| Some((job.parse().ok()?, tag.to_ascii_lowercase())))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNCE: &str = "From: MAILER-DAEMON@mx.example.vn\r\n\
        Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
        Final-Recipient: rfc822; can.bo@dancu.example.vn\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
        Message-ID: <dancu.12.0123456789abcdef@dancu.example.vn>\r\n--b--\r\n";

    #[test]
    fn a_report_names_the_mail_and_the_recipient() {
        let bounce = Bounce {
            job: 12,
            tag: "0123456789abcdef".into(),
            recipient: Some("can.bo@dancu.example.vn".into()),
        };
        assert_eq!(parse(BOUNCE.as_bytes()), Some(bounce.clone()));
        let passed_on = BOUNCE.replace(
            "rfc822; can.bo@dancu.example.vn",
            "rfc822; khac@x.vn\r\nOriginal-Recipient: rfc822; can.bo@dancu.example.vn",
        );
        assert_eq!(parse(passed_on.as_bytes()), Some(bounce));
    }

    #[test]
    fn what_is_no_lasting_failure_of_our_mail_is_nothing() {
        for (what, by) in [
            ("Action: failed", "Action: delayed"),
            ("Status: 5.1.1", "Status: 4.4.1"),
            ("report-type=delivery-status", "report-type=disposition-notification"),
            ("0123456789abcdef@", "0123456789abcde@"),
            ("<dancu.12.", "<dancu.-12."),
            ("<dancu.12.", "<dancu.99999999999999999999."),
            ("<dancu.12.", "<other.12."),
        ] {
            assert!(BOUNCE.contains(what), "{what}");
            assert_eq!(parse(BOUNCE.replace(what, by).as_bytes()), None, "{by}");
        }
    }

    #[test]
    fn it_reads_no_more_than_it_may() {
        let far = format!("{}{BOUNCE}", "x\n".repeat(BOUNCE_MAX as usize));
        assert_eq!(read(far.as_bytes()).unwrap(), None);
        let long = BOUNCE.replace("<dancu.", &format!("{}<dancu.", "ế".repeat(LINE_MAX)));
        assert!(parse(long.as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = parse(&bytes);
            let _ = parse(&[BOUNCE.as_bytes(), &bytes].concat());
        }
    }
}
