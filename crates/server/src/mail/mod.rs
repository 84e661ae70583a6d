//! Mail about notices: handed to one server, tried again while it is down, never the only place
//! where something is told.
//!
//! **Invariant:** a mail holds no personal data but the recipient's own name and address.
//! **Invariant:** the same notice for the same person has the same Message-ID at each try, so that
//! a mail that is sent twice after a crash is one to who reads it.

pub mod bounce;
pub mod command;
mod work;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::mail::MailConfig;

pub use self::work::start;

/// Everything about one mail takes so long at most: a server that greylists answers at once.
const WAIT: Duration = Duration::from_secs(30);
/// Characters of a subject: what a list of mails shows.
const SUBJECT_MAX: usize = 120;

/// Answers that say nothing of a mail, but of us (RFC 4954, 6; RFC 7504): nobody here is let in.
const SHUT: [&str; 5] = ["521", "530", "534", "535", "538"];

/// Where the mail server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    host: String,
    port: u16,
    /// TLS from the first byte.
    wrapped: bool,
}

impl Place {
    /// From `smtp://host:587` or `smtps://host`.
    pub fn parse(url: &str) -> Option<Self> {
        let (wrapped, rest) = match url.split_once("://")? {
            ("smtp", rest) => (false, rest),
            ("smtps", rest) => (true, rest),
            _ => return None,
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (rest, if wrapped { 465 } else { 587 }),
        };
        let host = host.strip_prefix('[').map_or(host, |h| h.strip_suffix(']').unwrap_or(h));
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
        (!host.is_empty() && host.chars().all(plain)).then(|| Self {
            host: host.to_owned(),
            port,
            wrapped,
        })
    }

    /// Whether it is this machine, on which nothing has to be hidden.
    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// One mail.
pub struct Letter {
    /// To whom.
    pub to: String,
    /// The recipient's own name.
    pub name: String,
    /// Subject.
    pub subject: String,
    /// `job.tag`, the same at each try ([`bounce`] finds the job by it).
    pub id: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// Why a mail was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failed {
    /// The server says that this mail will never be.
    #[error("the server refused it for good: {0}")]
    Refused(String),
    /// The server says: later.
    #[error("the server says later: {0}")]
    Later(String),
    /// No server answers: no other mail would be taken either.
    #[error("no mail server: {0}")]
    Down(String),
}

/// What mail is sent with.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Of Message-ID and List-Id.
    host: String,
    place: Place,
    /// How long everything about one mail takes at most: lettre bounds the connecting alone.
    wait: Duration,
}

impl Mailer {
    /// Reads what the configuration names; none where no server is set. Nobody is asked yet.
    ///
    /// # Errors
    /// A file that cannot be read, or an address that is none.
    pub fn open(config: &MailConfig) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.url else { return Ok(None) };
        let place = Place::parse(url).context("mail.url")?;
        let address: Address = config.from.as_deref().unwrap_or_default().parse()?;
        let host = address.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*place.host)
            .port(place.port)
            .timeout(Some(WAIT))
            .hello_name(ClientId::Domain(host.clone()));
        builder = builder.tls(if place.wrapped {
            Tls::Wrapper(tls(&place, config.ca_file.as_deref())?)
        } else if place.is_loopback() {
            Tls::None
        } else {
            Tls::Required(tls(&place, config.ca_file.as_deref())?)
        });
        if let (Some(user), Some(file)) = (&config.user, &config.password_file) {
            let unread = || format!("không đọc được {} (mail.passwordFile)", file.display());
            let password = std::fs::read_to_string(file).with_context(unread)?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        let from = Mailbox::new(Some(config.name.clone()), address);
        Ok(Some(Self { transport: builder.build(), from, host, place, wait: WAIT }))
    }

    /// Whether the server answers and lets us in.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn test(&self) -> Result<(), Failed> {
        // Whatever is said here is said of every mail.
        match self.within(self.transport.test_connection()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failed::Down(self.place.to_string())),
            Err(Failed::Refused(why) | Failed::Later(why) | Failed::Down(why)) => {
                Err(Failed::Down(why))
            }
        }
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// [`Failed`]; nothing of the mail stands in it.
    pub async fn send(&self, letter: &Letter) -> Result<(), Failed> {
        let message = self.message(letter).map_err(|error| Failed::Refused(error.to_string()))?;
        match self.within(self.transport.send(message)).await {
            Ok(_) => Ok(()),
            // A server that greets with a refusal refuses no mail by it.
            Err(refused @ Failed::Refused(_)) => self.test().await.and(Err(refused)),
            Err(failed) => Err(failed),
        }
    }

    async fn within<T>(
        &self,
        what: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, Failed> {
        match tokio::time::timeout(self.wait, what).await {
            Ok(answer) => answer.map_err(|error| failed(&error)),
            Err(_) => Err(Failed::Down(format!("{}: no answer", self.place))),
        }
    }

    fn message(&self, letter: &Letter) -> anyhow::Result<Message> {
        let to = Mailbox::new(Some(letter.name.clone()), letter.to.parse()?);
        let raw = |name: &str, value: String| {
            anyhow::Ok(HeaderValue::new(HeaderName::new_from_ascii(name.to_owned())?, value))
        };
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(cut(&letter.subject))
            .message_id(Some(format!("<dancu.{}@{}>", letter.id, self.host)))
            // RFC 3834: nobody's out-of-office answers it.
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned())?)
            .raw_header(raw("List-Id", format!("<notices.{}>", self.host))?)
            .multipart(MultiPart::alternative_plain_html(
                letter.text.clone(),
                letter.html.clone(),
            ))?;
        Ok(message)
    }
}

/// The first characters of a subject, on one line.
fn cut(subject: &str) -> String {
    let mut out = String::new();
    for c in subject.chars().take(SUBJECT_MAX) {
        let _ = out.write_char(if c.is_control() { ' ' } else { c });
    }
    out
}

fn tls(place: &Place, file: Option<&Path>) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(place.host.clone());
    if let Some(path) = file {
        let bytes = std::fs::read(path)
            .with_context(|| format!("không đọc được {} (mail.caFile)", path.display()))?;
        builder = builder.certificate_store(CertificateStore::None);
        let mut any = false;
        for found in CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok) {
            builder = builder.add_root_certificate(Certificate::from_der(found.to_vec())?);
            any = true;
        }
        ensure!(any, "{}: không có chứng thư nào (no certificate)", path.display());
    }
    Ok(builder.build()?)
}

fn failed(error: &lettre::transport::smtp::Error) -> Failed {
    let code = error.status().map(|code| code.to_string());
    match code {
        Some(code) if SHUT.contains(&code.as_str()) => Failed::Down(code),
        Some(code) if error.is_permanent() => Failed::Refused(code),
        Some(code) => Failed::Later(code),
        None => Failed::Down(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
