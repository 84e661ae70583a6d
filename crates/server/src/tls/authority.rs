//! The development CA: made on first run in the folder `tls` of the data folder, so that a trial
//! needs no certificate from elsewhere. It is no substitute for one: whoever reads `authority.pem`
//! can pretend to be this server to all who trust `ca.crt`.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use dancu_domain::moment::{DAY_MS, Moment};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::material::{chain, check_names, facts};

/// The authority lives ten years: clients install it by hand.
const AUTHORITY_MS: i64 = 3_650 * DAY_MS;
/// The server's certificate lives 90 days, as those of public authorities do.
const SERVER_MS: i64 = 90 * DAY_MS;
/// It is made anew when less is left.
const RENEW_MS: i64 = 30 * DAY_MS;

/// Certificate and key of the authority.
const AUTHORITY: &str = "authority.pem";
/// Certificate of the authority alone, for clients.
const CA: &str = "ca.crt";
/// Chain and key of the server, in one file: they cannot be of different age.
pub const SERVER: &str = "server.pem";

/// The names that every certificate holds.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes what is missing, too old or for other names, and gives the file with chain and key.
/// Names besides [`LOCAL`] come from the
/// configuration; `now` is the machine's clock, ms.
pub fn prepare(folder: &Path, names: &[String], now: i64) -> anyhow::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("không tạo được {} (cannot be made)", folder.display()))?;
    let mut all: Vec<String> = LOCAL.iter().map(|n| (*n).to_owned()).collect();
    all.extend(names.iter().filter(|n| !LOCAL.contains(&n.as_str())).cloned());
    let authority = authority(folder, now)?;
    let path = folder.join(SERVER);
    if !is_good(&path, &authority, &all, now) {
        let text = issue(folder, &all, now)?;
        write(&path, &text)?;
        tracing::info!(path = %path.display(), "tls: development certificate made");
    }
    Ok(path)
}

/// The authority's certificate; made where there is none or it would not outlive a new
/// certificate of the server.
fn authority(folder: &Path, now: i64) -> anyhow::Result<CertificateDer<'static>> {
    let path = folder.join(AUTHORITY);
    let mended = || {
        let folder = folder.display();
        format!("xóa {folder} để lập CA thử nghiệm mới (delete the folder to make a new one)")
    };
    if path.exists() {
        let ca = chain(&path).with_context(mended)?.swap_remove(0);
        if facts(&ca)?.until_ms >= now.saturating_add(SERVER_MS) {
            return Ok(ca);
        }
        tracing::warn!("tls: the development CA was at its end; clients have to trust the new one");
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("dancu development CA {}", day(now)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    period(&mut params, now, AUTHORITY_MS);
    let ca = params.self_signed(&key)?;
    // What clients trust stands there before the authority does: a start that was cut off between
    // the two makes both anew.
    write(&folder.join(CA), &ca.pem())?;
    write(&path, &(ca.pem() + &key.serialize_pem()))?;
    tracing::info!(path = %folder.join(CA).display(), "tls: development CA made");
    Ok(ca.der().clone())
}

/// Whether the server's file is of this authority, holds every name, fits its key and lasts.
fn is_good(path: &Path, authority: &CertificateDer<'_>, names: &[String], now: i64) -> bool {
    let Ok(chain) = chain(path) else { return false };
    let lasts = facts(&chain[0]).is_ok_and(|f| f.until_ms >= now.saturating_add(RENEW_MS));
    lasts
        && key_pair(path).is_ok()
        && chain.get(1).is_some_and(|ca| ca == authority)
        && check_names(path, &chain[0], names).is_ok()
}

/// A new key with a certificate of the authority for these names: chain and key, PEM.
fn issue(folder: &Path, names: &[String], now: i64) -> anyhow::Result<String> {
    let path = folder.join(AUTHORITY);
    let pem = std::fs::read_to_string(&path)?;
    let ca = chain(&path)?.swap_remove(0);
    let issuer = Issuer::from_ca_cert_der(&ca, key_pair(&path)?)?;
    let own = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())
        .context("tls.names có tên không dùng được (unusable name)")?;
    params.distinguished_name.push(DnType::CommonName, "dancu");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    period(&mut params, now, SERVER_MS);
    let made = params.signed_by(&own, &issuer)?;
    let ca = chain_text(&pem);
    Ok(format!("{}{ca}{}", made.pem(), own.serialize_pem()))
}

/// The key in a file that begins with certificates.
fn key_pair(path: &Path) -> anyhow::Result<KeyPair> {
    let key = PrivateKeyDer::from_pem_file(path)
        .map_err(|_| anyhow!("không đọc được khóa trong {} (no readable key)", path.display()))?;
    KeyPair::try_from(&key).map_err(|_| anyhow!("khóa trong {} hỏng (damaged key)", path.display()))
}

/// The certificate's part of the authority's file.
fn chain_text(pem: &str) -> &str {
    const END: &str = "-----END CERTIFICATE-----";
    pem.find(END).map_or(pem, |at| {
        let after = &pem[at + END.len()..];
        let line = after.len() - after.trim_start_matches(['\r', '\n']).len();
        &pem[..at + END.len() + line]
    })
}

/// From yesterday on, as clocks differ, for `life` ms; by days.
fn period(params: &mut CertificateParams, now: i64, life: i64) {
    let date = |ms: i64| {
        let day = Moment(ms).viet_nam_date();
        let (month, day_of) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        rcgen::date_time_ymd(i32::from(day.year()), month, day_of)
    };
    params.not_before = date(now.saturating_sub(DAY_MS));
    params.not_after = date(now.saturating_add(life));
}

fn day(now: i64) -> String {
    Moment(now).viet_nam_date().to_string()
}

/// Writes a private file whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let named = || format!("không ghi được {} (cannot be written)", path.display());
    let _ = std::fs::remove_file(&new);
    let mut options = OpenOptions::new();
    let mut file =
        options.create_new(true).write(true).mode(0o600).open(&new).with_context(named)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(named)?;
    std::fs::rename(&new, path).with_context(named)
}
