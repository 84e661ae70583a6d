//! Certificate, key, trust anchors and revocation lists: read, checked, made ready for handshakes.
//! What is wrong is said in full: these messages are read by whoever has to mend it at night.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use dancu_domain::moment::Moment;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use x509_parser::{parse_x509_certificate, parse_x509_crl};

use super::config::{ClientsMode, TlsConfig};

/// The largest file that is read: a trust store of hundreds of authorities is below 1 MiB, a
/// revocation list of a national authority below 64 MiB.
const FILE_MAX: u64 = 64 << 20;

/// The files that a handshake needs.
#[derive(Clone, Debug)]
pub struct Files {
    /// Chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM; may be the same file.
    pub key: PathBuf,
    /// Authorities of client certificates, PEM.
    pub trust_anchors: Option<PathBuf>,
    /// Revocation lists, PEM or DER.
    pub revocation_lists: Option<PathBuf>,
}

impl Files {
    /// Every file there is.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        let others = [&self.trust_anchors, &self.revocation_lists];
        let own = [&self.certificate, &self.key].into_iter();
        own.chain(others.into_iter().flatten()).map(PathBuf::as_path)
    }
}

/// What a certificate says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Subject, for people.
    pub subject: String,
    /// Not before this, ms since 1970.
    pub from_ms: i64,
    /// Not after this, ms since 1970.
    pub until_ms: i64,
}

/// What handshakes are done with.
pub struct Material {
    /// For rustls.
    pub server: Arc<ServerConfig>,
    /// What client certificates are held against; `None`: they are not asked for.
    pub clients: Option<Arc<dyn ClientCertVerifier>>,
    /// The server's certificate.
    pub facts: Facts,
    /// Whether a revocation list is past its next update.
    pub stale_list: bool,
}

/// The one provider of cryptography.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Reads and checks everything. `now` = the machine's clock, ms.
pub fn load(config: &TlsConfig, files: &Files, now: i64) -> anyhow::Result<Material> {
    let provider = provider();
    let chain = chain(&files.certificate)?;
    let facts = check_dates(&files.certificate, &chain, now)?;
    check_names(&files.certificate, &chain[0], &config.names)?;
    let key = private_key(&files.key)?;
    let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => anyhow!(
            "khóa {} không thuộc chứng thư {} (the key does not fit the certificate)",
            files.key.display(),
            files.certificate.display()
        ),
        other => anyhow!(
            "không dùng được khóa {} (the key cannot be used): {other}",
            files.key.display()
        ),
    })?;
    let (mut stale_list, mut clients) = (false, None);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = if config.client_certificates == ClientsMode::Off {
        builder.with_no_client_auth()
    } else {
        let (verifier, stale) = verifier(config, files, provider, now)?;
        stale_list = stale;
        clients = Some(verifier.clone());
        builder.with_client_cert_verifier(verifier)
    };
    let mut server = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if config.client_certificates != ClientsMode::Off {
        // A resumed session would bring back a certificate that has expired or was revoked since.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    Ok(Material { server: Arc::new(server), clients, facts, stale_list })
}

fn verifier(
    config: &TlsConfig,
    files: &Files,
    provider: Arc<CryptoProvider>,
    now: i64,
) -> anyhow::Result<(Arc<dyn ClientCertVerifier>, bool)> {
    let path = files.trust_anchors.as_deref().context("thiếu tls.trustAnchors (missing)")?;
    let mut roots = RootCertStore::empty();
    for (i, anchor) in chain(path)?.into_iter().enumerate() {
        roots.add(anchor).map_err(|error| {
            let path = path.display();
            anyhow!("chứng thư thứ {} của {path} không dùng được (unusable): {error}", i + 1)
        })?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let mut stale = false;
    if let Some(path) = &files.revocation_lists {
        let (lists, past) = revocation_lists(path, now)?;
        stale = past;
        builder = builder.with_crls(lists).only_check_end_entity_revocation();
    }
    if config.client_certificates == ClientsMode::Optional {
        builder = builder.allow_unauthenticated();
    }
    Ok((builder.build().context("không dùng được trustAnchors (trust anchors)")?, stale))
}

/// The bytes of a file that somebody else may be writing or may have mistaken.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let named = || format!("không đọc được {} (cannot be read)", path.display());
    let about = std::fs::metadata(path).with_context(named)?;
    ensure!(about.is_file(), "{} không phải tệp (no file)", path.display());
    ensure!(about.len() <= FILE_MAX, "{} quá lớn (too large)", path.display());
    std::fs::read(path).with_context(named)
}

/// Every section of one kind. A section that does not end or is not base64 fails the whole file.
fn sections<T: PemObject>(path: &Path, bytes: &[u8]) -> anyhow::Result<Vec<T>> {
    T::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| anyhow!("{} bị cắt cụt hoặc hỏng (truncated or damaged PEM)", path.display()))
}

/// The certificates of a PEM file, at least one, each readable.
pub fn chain(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let bytes = read(path)?;
    let chain: Vec<CertificateDer<'static>> = sections(path, &bytes)?;
    if chain.is_empty() {
        let path = path.display();
        if PrivateKeyDer::from_pem_slice(&bytes).is_ok() {
            bail!(
                "{path} chứa khóa chứ không phải chứng thư: hai tệp bị đổi chỗ? (holds a key: are \
                 the two files swapped?)"
            );
        }
        bail!("{path} không có chứng thư PEM nào (no PEM certificate)");
    }
    for (i, certificate) in chain.iter().enumerate() {
        facts(certificate).with_context(|| {
            format!("chứng thư thứ {} của {} hỏng (damaged)", i + 1, path.display())
        })?;
    }
    Ok(chain)
}

/// What stands in a certificate.
pub fn facts(certificate: &CertificateDer<'_>) -> anyhow::Result<Facts> {
    let (rest, parsed) = parse_x509_certificate(certificate)
        .map_err(|_| anyhow!("không phải chứng thư X.509 (no X.509 certificate)"))?;
    ensure!(rest.is_empty(), "có byte thừa sau chứng thư (bytes after the certificate)");
    let validity = parsed.validity();
    Ok(Facts {
        subject: parsed.subject().to_string(),
        from_ms: validity.not_before.timestamp().saturating_mul(1_000),
        until_ms: validity.not_after.timestamp().saturating_mul(1_000),
    })
}

/// Every certificate of the chain is in force. Gives the facts of the first.
fn check_dates(path: &Path, chain: &[CertificateDer<'_>], now: i64) -> anyhow::Result<Facts> {
    let all: Vec<Facts> = chain.iter().map(facts).collect::<Result<_, _>>()?;
    let path = path.display();
    for (i, one) in all.iter().enumerate() {
        let n = i + 1;
        ensure!(
            now <= one.until_ms,
            "chứng thư thứ {n} của {path} đã hết hạn lúc {} (expired): xin chứng thư mới",
            Moment(one.until_ms).rfc3339()
        );
        ensure!(
            one.from_ms <= now,
            "chứng thư thứ {n} của {path} chưa có hiệu lực trước {} (not valid yet): kiểm tra đồng \
             hồ máy",
            Moment(one.from_ms).rfc3339()
        );
    }
    all.into_iter().next().context("không có chứng thư (no certificate)")
}

/// The certificate holds each name.
pub fn check_names(path: &Path, leaf: &CertificateDer<'_>, names: &[String]) -> anyhow::Result<()> {
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| {
        anyhow!("{} không dùng được cho máy chủ (unusable): {error}", path.display())
    })?;
    for name in names {
        let wanted = ServerName::try_from(name.as_str())
            .map_err(|_| anyhow!("tls.names: `{name}` không phải tên máy (no host name)"))?;
        if verify_server_name(&parsed, &wanted).is_err() {
            bail!(
                "chứng thư {} không có tên `{name}`: của máy khác? (the certificate is not for \
                 this name)",
                path.display()
            );
        }
    }
    Ok(())
}

fn private_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    use rustls::pki_types::pem::Error;
    let bytes = zeroize::Zeroizing::new(read(path)?);
    warn_if_open(path);
    let shown = path.display();
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        Error::NoItemsFound if has(&bytes, b"BEGIN ENCRYPTED PRIVATE KEY") => anyhow!(
            "khóa {shown} đặt mật khẩu: bỏ mật khẩu và giữ tệp 0600 (the key has a password)"
        ),
        Error::NoItemsFound if has(&bytes, b"BEGIN CERTIFICATE") => anyhow!(
            "{shown} chứa chứng thư chứ không phải khóa: hai tệp bị đổi chỗ? (holds a \
             certificate: are the two files swapped?)"
        ),
        Error::NoItemsFound => anyhow!("{shown} không có khóa riêng PEM nào (no PEM key)"),
        _ => anyhow!("khóa {shown} bị cắt cụt hoặc hỏng (truncated or damaged PEM)"),
    })
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

/// A key that others on the machine can read is told, not refused: some packages set groups.
fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |m| m.permissions().mode());
    if mode & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "tls: every user can read the private key");
    }
}

/// Revocation lists and whether one is past its next update: it is still used, and told.
fn revocation_lists(
    path: &Path,
    now: i64,
) -> anyhow::Result<(Vec<CertificateRevocationListDer<'static>>, bool)> {
    let bytes = read(path)?;
    let mut lists: Vec<CertificateRevocationListDer<'static>> = sections(path, &bytes)?;
    if lists.is_empty() && !bytes.is_empty() && !has(&bytes, b"-----BEGIN") {
        lists.push(bytes.into());
    }
    let shown = path.display();
    ensure!(!lists.is_empty(), "{shown} không có danh sách thu hồi nào (no revocation list)");
    let mut stale = false;
    for list in &lists {
        let (_, parsed) = parse_x509_crl(list)
            .map_err(|_| anyhow!("danh sách thu hồi {shown} hỏng (damaged revocation list)"))?;
        stale |= parsed.next_update().is_some_and(|t| t.timestamp().saturating_mul(1_000) < now);
    }
    Ok((lists, stale))
}
