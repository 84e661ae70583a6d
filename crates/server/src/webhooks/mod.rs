//! Webhooks on their way out: signed by the Standard Webhooks specification, sent to an address
//! that was looked at before, and never waited for by anything else.
//!
//! **Invariant:** the name of a host is asked for once, every address behind it is looked at, and
//! the connection goes to one of those: what is asked again afterwards may say something else.
//! **Invariant:** no redirect is followed, and of an answer its status alone counts.

pub mod counts;
mod work;

use std::net::SocketAddr;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::webhooks::{Address, Cause, Outcome, Policy};
use dancu_store::webhooks::Secret;
use tokio::net::TcpStream;

use crate::config::webhooks::WebhookConfig;
use crate::outgoing::{Error, Trust};

pub use self::work::start;

/// A request with its answer takes so long at most.
const WAIT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read, so that the receiver ends it in order; nobody looks at them.
const ANSWER_MAX: usize = 1_024;
/// Addresses behind one name that are tried, one after the other within [`WAIT`].
const TRIED_MAX: usize = 4;
/// Before a secret in text form (Standard Webhooks).
const SECRET_PREFIX: &str = "whsec_";

/// What is sent, signed.
pub struct Message {
    /// The same at each try.
    pub id: String,
    /// Seconds since 1970 by the machine's clock: receivers refuse what is old.
    pub timestamp: i64,
    /// JSON.
    pub body: String,
    /// One for each secret, with blanks between them.
    pub signatures: String,
}

impl Message {
    /// Signs it with each secret.
    pub fn signed(id: String, timestamp: i64, body: String, secrets: &[&Secret]) -> Self {
        let content = format!("{id}.{timestamp}.{body}");
        let all: Vec<_> = secrets.iter().map(|secret| signature(&secret.0, &content)).collect();
        Self { id, timestamp, body, signatures: all.join(" ") }
    }
}

fn signature(secret: &[u8], content: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, content.as_bytes())))
}

/// A secret as software takes it.
pub fn secret_text(secret: &Secret) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(secret.0))
}

/// To where is sent, as the configuration and the kind of centre say; none where nothing is.
pub fn policy(config: &WebhookConfig, sandbox: bool) -> Option<Policy> {
    let policy = Policy { networks: config.networks.clone(), own_machine: sandbox };
    config.enabled.then_some(policy)
}

/// What requests are sent with.
pub struct Sender {
    policy: Policy,
    trust: Trust,
    wait: Duration,
}

impl Sender {
    /// None where nothing is to be sent. Nobody is asked yet.
    ///
    /// # Errors
    /// A file of CAs that cannot be read.
    pub fn open(config: &WebhookConfig, sandbox: bool) -> anyhow::Result<Option<Self>> {
        let Some(policy) = policy(config, sandbox) else { return Ok(None) };
        Ok(Some(Self { policy, trust: Trust::open(config.ca_file.as_deref())?, wait: WAIT }))
    }

    /// Sends it; an address that is none by now is not connected to.
    async fn send(&self, address: &str, message: Message) -> Outcome {
        let Ok(address) = Address::parse(address, &self.policy) else {
            return Outcome::Failed(Cause::Network);
        };
        match tokio::time::timeout(self.wait, self.exchange(&address, message)).await {
            Ok(Ok(status)) => Outcome::Status(status),
            Ok(Err(cause)) => Outcome::Failed(cause),
            Err(_) => Outcome::Failed(Cause::Slow),
        }
    }

    async fn exchange(&self, address: &Address, message: Message) -> Result<u16, Cause> {
        let request = request(address, message).ok_or(Cause::Broken)?;
        let stream = self.connect(address).await?;
        let to = (stream, address.host.as_str(), address.secure);
        match self.trust.send(to, request, |_| true, ANSWER_MAX).await {
            Ok((status, _)) => Ok(status.as_u16()),
            Err(Error::Tls) => Err(Cause::Tls),
            Err(_) => Err(Cause::Broken),
        }
    }

    /// A connection to where the name leads now, if all of it is where something may be sent.
    async fn connect(&self, address: &Address) -> Result<TcpStream, Cause> {
        let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| Cause::Name)?.collect();
        if found.is_empty() {
            return Err(Cause::Name);
        }
        let own = |to: &SocketAddr| to.ip().to_canonical().is_loopback();
        let may = |to: &SocketAddr| self.policy.admits(to.ip()) && (address.secure || own(to));
        if !found.iter().all(may) {
            return Err(Cause::Network);
        }
        for to in found.iter().take(TRIED_MAX) {
            if let Ok(stream) = TcpStream::connect(to).await {
                return Ok(stream);
            }
        }
        Err(Cause::Connection)
    }
}

fn request(address: &Address, message: Message) -> Option<Request<Body>> {
    let request = Request::post(&address.path)
        .header(header::HOST, &address.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, message.body.len())
        .header(header::USER_AGENT, "dancu")
        .header(header::CONNECTION, "close")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", message.signatures);
    request.body(Body::from(message.body)).ok()
}

#[cfg(test)]
mod tests;
