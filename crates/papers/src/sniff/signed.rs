//! Digital signatures of a PDF: whom their certificates name (ISO 32000-1, 12.8; RFC 5652). Neither
//! the signature nor the way to a trusted authority is checked here.

use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Certificates of a signature that are read: the signer's and its authorities.
const CERTIFICATES_MAX: usize = 16;
/// Characters of a name that are kept.
const NAME_MAX: usize = 200;

/// A signature as it stands in a document. It names a signer; it does not prove one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Common name of the signer's certificate; none where it cannot be read.
    pub signer: Option<String>,
    /// Common name of whoever issued it.
    pub issuer: Option<String>,
    /// Whether it covers the file to its end: else something was added after it.
    pub whole: bool,
}

/// The signature whose range of bytes this is: what the range leaves out is the signature itself.
/// None where the range is not one of this file.
pub(super) fn read(bytes: &[u8], [start, before, after, length]: [u64; 4]) -> Option<Signature> {
    let gap = usize::try_from(before).ok()?..usize::try_from(after).ok()?;
    let text = bytes.get(gap)?;
    if start != 0 {
        return None;
    }
    let whole = after.checked_add(length) == Some(bytes.len() as u64);
    let text = text.trim_ascii().strip_prefix(b"<")?.strip_suffix(b">")?;
    let found = unhex(text).and_then(|der| signer(&der));
    let (signer, issuer) = found.unwrap_or_default();
    Some(Signature { signer, issuer, whole })
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().filter(|b| !b.is_ascii_whitespace());
    let digits: Vec<u8> =
        digits.map(|b| (*b as char).to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect())
}

/// Names of signer and issuer.
type Names = (Option<String>, Option<String>);

fn signer(der: &[u8]) -> Option<Names> {
    let (content_info, _) = take(der, 0x30)?;
    let (_, rest) = take(content_info, 0x06)?;
    let (explicit, _) = take(rest, 0xa0)?;
    let (signed_data, _) = take(explicit, 0x30)?;
    let (_, rest) = take(signed_data, 0x02)?;
    let (_, rest) = take(rest, 0x31)?;
    let (_, rest) = take(rest, 0x30)?;
    let (certificates, rest) = take(rest, 0xa0)?;
    let rest = take(rest, 0xa1).map_or(rest, |(_, after)| after);
    let (infos, _) = take(rest, 0x31)?;
    let serial = serial(infos);
    let mut left = certificates;
    let mut first = None;
    for _ in 0..CERTIFICATES_MAX {
        let Ok((after, certificate)) = X509Certificate::from_der(left) else { break };
        left = after;
        if serial == Some(certificate.raw_serial()) {
            return Some(names(&certificate));
        }
        first = first.or_else(|| Some(names(&certificate)));
    }
    // One that names its key otherwise: certificates begin with the signer's by custom.
    first.filter(|_| serial.is_none())
}

/// Serial number of the signer's certificate, where the first signer is named by it.
fn serial(infos: &[u8]) -> Option<&[u8]> {
    let (info, _) = take(infos, 0x30)?;
    let (_, rest) = take(info, 0x02)?;
    let (issuer_and_serial, _) = take(rest, 0x30)?;
    let (_, rest) = take(issuer_and_serial, 0x30)?;
    Some(take(rest, 0x02)?.0)
}

fn names(certificate: &X509Certificate<'_>) -> Names {
    let of = |name: &x509_parser::x509::X509Name<'_>| {
        let text = name.iter_common_name().next()?.as_str().ok()?;
        Some(text.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect())
    };
    (of(certificate.subject()), of(certificate.issuer()))
}

/// The content of an element of this tag, and what follows it; lengths are definite (DER).
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = bytes else { return None };
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (digits.iter().fold(0, |sum, d| sum << 8 | usize::from(*d)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document signed by a certificate of OpenSSL (`tests/signed.pdf.md` says how it was made).
    #[test]
    fn whoever_signed_is_named_and_what_was_added_is_seen() {
        let file = include_bytes!("../../tests/signed.pdf");
        let super::super::Kind::Pdf(document) = super::super::sniff(file).unwrap() else {
            panic!()
        };
        let signature = Signature {
            signer: Some("Nguyễn Thị Thử".into()),
            issuer: Some("CA Thử Nghiệm".into()),
            whole: true,
        };
        assert_eq!(document.signatures, std::slice::from_ref(&signature));
        let longer = [&file[..], b"\n% added"].concat();
        let super::super::Kind::Pdf(document) = super::super::sniff(&longer).unwrap() else {
            panic!()
        };
        assert_eq!(document.signatures, [Signature { whole: false, ..signature }]);
    }
}
