//! `dancu operate certificates`: the client certificates that a system may show, and whether it
//! has to.

use std::path::Path;

use anyhow::{Context as _, ensure};
use dancu_access::certificate::{Fingerprint, text};
use dancu_domain::registration::CertificateMode;
use dancu_office::certificates::Change as Wanted;

use super::unknown_word;
use crate::tls::client::ClientCertificate;

/// A file with a certificate and its chain takes a few KiB; nothing larger is read.
const PEM_MAX: u64 = 256 << 10;

/// What to change. The command line names files; what is carried out names certificates by their
/// SHA-256 only ([`Change::read_files`]).
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// off: không xét; optional: có thì phải đúng; required: không có thì không xác thực.
    #[arg(long, value_parser = ["off", "optional", "required"])]
    mode: Option<String>,
    /// Tệp PEM của chứng thư được thêm (chứng thư đầu tiên trong tệp); nêu được nhiều lần.
    #[arg(long, value_name = "PEM")]
    add: Vec<String>,
    /// Chứng thư bị bỏ: tệp PEM, hoặc SHA-256 (64 chữ số hex); nêu được nhiều lần.
    #[arg(long, value_name = "PEM|SHA256")]
    remove: Vec<String>,
}

impl Change {
    /// Reads the files that it names and puts the certificates' SHA-256 in their places.
    pub(super) fn read_files(&mut self) -> anyhow::Result<()> {
        for named in &mut self.add {
            *named = text(&of_file(Path::new(named))?);
        }
        for named in &mut self.remove {
            if fingerprint(named).is_none() {
                *named = text(&of_file(Path::new(named))?);
            }
        }
        Ok(())
    }
}

/// A change as it is understood.
pub(super) fn wanted(change: &Change) -> anyhow::Result<Wanted> {
    ensure!(
        change.mode.is_some() || !change.add.is_empty() || !change.remove.is_empty(),
        "cần --mode, --add hoặc --remove (nothing to change)"
    );
    let mode = match change.mode.as_deref() {
        None => None,
        Some("off") => Some(CertificateMode::Off),
        Some("optional") => Some(CertificateMode::Optional),
        Some("required") => Some(CertificateMode::Required),
        Some(other) => return Err(unknown_word(other)),
    };
    let all = |named: &[String]| -> anyhow::Result<Vec<Fingerprint>> {
        named.iter().map(|n| fingerprint(n).ok_or_else(|| unknown_word(n))).collect()
    };
    Ok(Wanted { mode, add: all(&change.add)?, remove: all(&change.remove)? })
}

/// A SHA-256 in hex, with or without colons.
fn fingerprint(text: &str) -> Option<Fingerprint> {
    let mut fingerprint = [0; 32];
    hex::decode_to_slice(text.replace(':', ""), &mut fingerprint).ok()?;
    Some(fingerprint)
}

fn of_file(path: &Path) -> anyhow::Result<Fingerprint> {
    let told = || format!("{}", path.display());
    let length = std::fs::metadata(path).with_context(told)?.len();
    ensure!(length <= PEM_MAX, "{}: tệp quá lớn (too large)", told());
    let pem = std::fs::read(path).with_context(told)?;
    let read = ClientCertificate::of_pem(&pem)
        .with_context(|| format!("{}: không phải chứng thư PEM (no PEM certificate)", told()))?;
    Ok(read.sha256)
}

#[cfg(test)]
mod tests {
    use dancu_domain::registration::Certificates;

    use super::*;

    fn change(mode: Option<&str>, add: &[&Path], remove: &[&str]) -> Change {
        Change {
            mode: mode.map(str::to_owned),
            add: add.iter().map(|p| p.display().to_string()).collect(),
            remove: remove.iter().map(|&r| r.to_owned()).collect(),
        }
    }

    /// As the command reads it and the serving process carries it out.
    fn changed(before: &Certificates, mut change: Change) -> anyhow::Result<Certificates> {
        change.read_files()?;
        let sent = serde_json::to_string(&change)?;
        Ok(wanted(&serde_json::from_str(&sent)?)?.over(before)?)
    }

    #[test]
    fn certificates_are_renewed_one_beside_the_other() {
        let folder = std::env::temp_dir().join(format!("dancu-operate-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = |name: &str| {
            let key = rcgen::KeyPair::generate().unwrap();
            let made = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
            let made = made.self_signed(&key).unwrap();
            let path = folder.join(name);
            std::fs::write(&path, made.pem()).unwrap();
            (path, ClientCertificate::of_der(made.der()).unwrap().sha256)
        };
        let ((old, old_print), (new, new_print)) = (made("old.pem"), made("new.pem"));
        let begun = Certificates::default();
        // A new system has to show one: it is not left without.
        assert!(changed(&begun, change(None, &[], &[])).is_err());
        assert!(changed(&begun, change(Some("required"), &[], &[])).is_err());
        let one = changed(&begun, change(None, &[&old], &[])).unwrap();
        assert_eq!((one.mode, &one.sha256), (CertificateMode::Required, &vec![old_print]));
        let two = changed(&one, change(None, &[&new, &old], &[])).unwrap();
        assert_eq!(two.sha256, [old_print, new_print]);
        let by_text = text(&old_print).to_uppercase();
        let renewed = changed(&two, change(None, &[], &[&by_text])).unwrap();
        assert_eq!(renewed.sha256, [new_print]);
        assert!(changed(&renewed, change(None, &[], &[&by_text])).is_err(), "not registered");
        assert!(changed(&renewed, change(None, &[], &[new.to_str().unwrap()])).is_err());
        let off = changed(&renewed, change(Some("off"), &[], &[new.to_str().unwrap()])).unwrap();
        assert_eq!(off, Certificates::OFF);
        std::fs::write(&old, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(changed(&off, change(None, &[&old], &[])).is_err(), "no certificate");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn who_carries_it_out_reads_no_file_and_takes_no_unknown_word() {
        let folder = std::env::temp_dir().join(format!("dancu-unread-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("one.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(["one".to_owned()]).unwrap();
        std::fs::write(&path, made.self_signed(&key).unwrap().pem()).unwrap();
        let named = path.to_str().unwrap();
        assert!(wanted(&change(None, &[&path], &[])).is_err());
        assert!(wanted(&change(None, &[], &[named])).is_err());
        assert!(wanted(&change(Some("requird"), &[], &[])).is_err());
        let mut read = change(None, &[&path], &[named]);
        read.read_files().unwrap();
        assert!(read.add == read.remove && read.add[0].len() == 64);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
