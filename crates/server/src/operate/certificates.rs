//! `dancu operate certificates`: the client certificates that a system may show, and whether it
//! has to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use dancu_access::certificate::{Fingerprint, text};
use dancu_domain::moment::Moment;
use dancu_domain::registration::{CertificateMode, Certificates, System};
use dancu_store::{Store, policy};

use super::{Who, entry};
use crate::tls::client::ClientCertificate;

/// Certificates of one system: its nodes with one each, all of them while they are being renewed.
const CERTIFICATES_MAX: usize = 16;
/// A file with a certificate and its chain takes a few KiB; nothing larger is read.
const PEM_MAX: u64 = 256 << 10;

/// What to change.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// off: không xét; optional: có thì phải đúng; required: không có thì không xác thực.
    #[arg(long, value_parser = ["off", "optional", "required"])]
    mode: Option<String>,
    /// Tệp PEM của chứng thư được thêm (chứng thư đầu tiên trong tệp); nêu được nhiều lần.
    #[arg(long)]
    #[serde(serialize_with = "absolute")]
    add: Vec<PathBuf>,
    /// Chứng thư bị bỏ: tệp PEM, hoặc SHA-256 (64 chữ số hex); nêu được nhiều lần.
    #[arg(long)]
    remove: Vec<String>,
}

/// Paths as a process in another folder finds them.
fn absolute<S: serde::Serializer>(paths: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(paths.iter().map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone())))
}

/// Registers them with a journal entry, whose index is given back. Tokens of the system issued so
/// far end with it.
pub(super) async fn set(
    store: &Store,
    system: &System,
    now: Moment,
    who: &Who<'_>,
    change: &Change,
) -> anyhow::Result<u64> {
    let certificates = changed(&system.certificates, change)?;
    let known: Vec<String> = certificates.sha256.iter().map(text).collect();
    let detail = format!("{} [{}]", certificates.mode.code(), known.join(" "));
    let (id, keys) = (system.id, store.keys().clone());
    let entry = entry("system.certificates", system, who, &detail);
    let set = store.ledger().act(now, move |db, _| {
        policy::write::set_certificates(db, &keys, id, &certificates)?;
        Ok(entry)
    });
    let index = set.await?;
    println!("{} {detail}", system.code);
    Ok(index)
}

/// The registration after the change.
fn changed(before: &Certificates, change: &Change) -> anyhow::Result<Certificates> {
    ensure!(
        change.mode.is_some() || !change.add.is_empty() || !change.remove.is_empty(),
        "cần --mode, --add hoặc --remove (nothing to change)"
    );
    let mut after = before.clone();
    match change.mode.as_deref() {
        Some("off") => after.mode = CertificateMode::Off,
        Some("optional") => after.mode = CertificateMode::Optional,
        Some(_) => after.mode = CertificateMode::Required,
        None => {}
    }
    for named in &change.remove {
        let gone = named_by(named)?;
        let at = after.sha256.iter().position(|known| *known == gone);
        let at = at.with_context(|| format!("{named}: chưa đăng ký (not registered)"))?;
        after.sha256.remove(at);
    }
    for path in &change.add {
        let new = of_file(path)?;
        if !after.sha256.contains(&new) {
            after.sha256.push(new);
        }
    }
    ensure!(
        after.sha256.len() <= CERTIFICATES_MAX,
        "tối đa {CERTIFICATES_MAX} chứng thư mỗi hệ thống (at most)"
    );
    if after.mode == CertificateMode::Required && after.sha256.is_empty() {
        bail!(
            "chế độ required cần ít nhất một chứng thư, nếu không hệ thống không vào được: --add \
             tệp.pem (required needs a certificate)"
        );
    }
    Ok(after)
}

fn named_by(named: &str) -> anyhow::Result<Fingerprint> {
    let mut fingerprint = [0; 32];
    let plain = named.replace(':', "");
    if hex::decode_to_slice(&plain, &mut fingerprint).is_ok() {
        return Ok(fingerprint);
    }
    of_file(Path::new(named))
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
    use super::*;

    fn change(mode: Option<&str>, add: &[&Path], remove: &[&str]) -> Change {
        Change {
            mode: mode.map(str::to_owned),
            add: add.iter().map(|p| p.to_path_buf()).collect(),
            remove: remove.iter().map(|&r| r.to_owned()).collect(),
        }
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
        assert!(changed(&begun, &change(None, &[], &[])).is_err());
        assert!(changed(&begun, &change(Some("required"), &[], &[])).is_err());
        let one = changed(&begun, &change(None, &[&old], &[])).unwrap();
        assert_eq!((one.mode, &one.sha256), (CertificateMode::Required, &vec![old_print]));
        let two = changed(&one, &change(None, &[&new, &old], &[])).unwrap();
        assert_eq!(two.sha256, [old_print, new_print]);
        let by_text = text(&old_print).to_uppercase();
        let renewed = changed(&two, &change(None, &[], &[&by_text])).unwrap();
        assert_eq!(renewed.sha256, [new_print]);
        assert!(changed(&renewed, &change(None, &[], &[&by_text])).is_err(), "not registered");
        assert!(changed(&renewed, &change(None, &[], &[new.to_str().unwrap()])).is_err());
        let off = changed(&renewed, &change(Some("off"), &[], &[new.to_str().unwrap()])).unwrap();
        assert_eq!(off, Certificates::OFF);
        std::fs::write(&old, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(changed(&off, &change(None, &[&old], &[])).is_err(), "no certificate");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
