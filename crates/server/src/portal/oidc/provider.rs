//! The identity provider as this node knows it: its description and keys, kept for a while, and the
//! exchange of a code.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use axum::http::StatusCode;
use dancu_access::oidc::{
    Answer, Asking, Begun, Client, ClientKey, Discovery, Expected, Failure, Identity, KeySet,
    Levels, State, Verified, Wanted, authorization, is_loopback, refusal, sign_out, user_info,
    verify,
};
use dancu_domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use dancu_domain::network::Network;
use dancu_domain::people::MachineTime;
use jiff::civil::Date;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::http::{self, Http, Sent};
use crate::clock::machine_ms;
use crate::config::identity::IdentityConfig;
use crate::places::{Place, Places};

/// Description and keys are asked for again after this, ms.
const KEPT_MS: i64 = HOUR_MS;
/// Keys are believed for so long while newer ones cannot be had, ms: who signs in does not wait for
/// an address of the provider that is down, and a key that it took back is not believed for days.
const KEYS_BELIEVED_MS: i64 = DAY_MS;
/// A key that is not known is looked for in a newer set at most this often, ms: keys change once in
/// months, and whoever makes tokens up does not make us ask.
const KEYS_EVERY_MS: i64 = MINUTE_MS;
/// After a failure nobody asks for so long, ms.
const FAILED_MS: i64 = 5_000;
/// Exchanges under way at once: each holds a connection for some seconds at most.
const EXCHANGES: usize = 32;
/// Of these for one connection (*ours*): an office behind one address that signs in ten a second
/// has two under way while the provider takes 0.2 s.
const EXCHANGES_OF_A_CONNECTION: usize = 4;
/// Of these for one registered network of units (*ours*), where 3,000 officers who sign in between
/// 07:50 and 08:05 have 13 under way while the provider takes 4 s. Half of all: whatever goes on in
/// one network, the others get in.
const EXCHANGES_OF_A_NETWORK: usize = 16;
/// Longest code, characters; the longest in use are tokens themselves.
const CODE_MAX: usize = 2_048;

/// Path of the answers.
pub const CALLBACK: &str = "/sign-in/oidc/callback";

/// Why a sign-in at the provider came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// The provider does not answer.
    #[error("the identity provider: {0}")]
    Silent(#[from] http::Error),
    /// Too many are signing in just now, or it did not answer a moment ago.
    #[error("the identity provider is not asked just now")]
    Waiting,
    /// What it said is not believed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

/// The provider.
pub struct Provider {
    /// What it is called on buttons.
    pub name: String,
    issuer: String,
    client: Client,
    scope: String,
    levels: Levels,
    staff: bool,
    citizens: bool,
    /// Where one comes to after signing out there.
    signed_out: String,
    http: Http,
    known: Mutex<Known>,
    exchanges: Places<Network>,
}

/// What was read of it, and when.
#[derive(Default)]
struct Known {
    discovery: Option<(Arc<Discovery>, MachineTime)>,
    keys: Option<(Arc<KeySet>, MachineTime)>,
    failed: Option<MachineTime>,
}

/// Whether something of `at` is younger than `ms`. After the machine's clock went back it is not.
fn young(at: MachineTime, ms: i64, now: MachineTime) -> bool {
    at <= now && now.since(at) < ms
}

impl Provider {
    /// The provider of a configuration; `None` where none is set up. Nobody is asked yet.
    ///
    /// # Errors
    /// A file that cannot be read or holds no key.
    pub fn open(config: &IdentityConfig, origin: &str) -> anyhow::Result<Option<Self>> {
        let (Some(issuer), Some(id)) = (&config.issuer, &config.client_id) else {
            return Ok(None);
        };
        let levels = Levels::new(config.levels.clone(), config.strong_level.as_deref());
        let levels = levels.context("identity.strongLevel không có trong levels (not a level)")?;
        let redirect_uri = format!("{origin}{CALLBACK}");
        Ok(Some(Self {
            name: config.name.clone(),
            client: Client { id: id.clone(), key: key(config)?, redirect_uri },
            scope: config.scopes.join(" "),
            levels,
            staff: config.staff,
            citizens: config.citizens,
            signed_out: format!("{origin}/sign-in"),
            http: Http::open(config.ca_file.as_deref(), !is_loopback(issuer))?,
            issuer: issuer.clone(),
            known: Mutex::default(),
            exchanges: Places::with_each(EXCHANGES, EXCHANGES_OF_A_CONNECTION),
        }))
    }

    /// Whether people may sign in so.
    pub const fn takes(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Officer => self.staff,
            Wanted::Citizen => self.citizens,
        }
    }

    /// Where a person is sent to.
    ///
    /// # Errors
    /// [`Wrong`].
    pub async fn address(&self, begun: &Begun, now: MachineTime) -> Result<String, Wrong> {
        let discovery = self.discovery(now).await?;
        let asking = Asking {
            client_id: &self.client.id,
            redirect_uri: &self.client.redirect_uri,
            scope: &self.scope,
            levels: self.levels.strong(),
            state: &begun.state,
            nonce: &begun.nonce,
            challenge: &begun.challenge,
        };
        Ok(authorization(&discovery, &asking))
    }

    /// Where a person signs out of the provider, where it has such a place.
    pub async fn way_out(&self, now: MachineTime) -> Option<String> {
        let discovery = self.discovery(now).await.ok()?;
        sign_out(&discovery, &self.client.id, &self.signed_out)
    }

    /// Whether an answer names this provider (RFC 9207): where it says that it does, it has to.
    pub async fn is_from(&self, issuer: Option<&str>, now: MachineTime) -> Result<bool, Wrong> {
        match issuer {
            Some(issuer) => Ok(issuer == self.issuer),
            None => Ok(!self.discovery(now).await?.names_itself),
        }
    }

    /// A place for the exchange of a code that came from an address; `registered`: networks of
    /// units, of which the narrowest around the address counts.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn admit(
        &self,
        code: &str,
        source: IpAddr,
        registered: &[Network],
    ) -> Result<Place<Network>, Wrong> {
        if code.is_empty() || code.len() > CODE_MAX {
            return Err(Failure::Answer("no code").into());
        }
        let around = registered.iter().filter(|network| network.contains(source));
        let taken = match around.max_by_key(|network| network.bits()) {
            Some(network) => self.exchanges.take_of(network.plain(), EXCHANGES_OF_A_NETWORK),
            None => self.exchanges.take(Network::of_connection(source)),
        };
        taken.map_err(|_| Wrong::Waiting)
    }

    /// Exchanges a code that has a place, and reads who the person is; whether it stands for a
    /// second factor.
    ///
    /// # Errors
    /// [`Wrong`].
    pub async fn identify(
        &self,
        (state, code): (&State, &str),
        _under_way: &Place<Network>,
        today: Date,
    ) -> Result<(Identity, bool), Wrong> {
        let now = MachineTime(machine_ms());
        let discovery = self.discovery(now).await?;
        let request = self.client.exchange(&discovery, (code, &state.verifier()), now)?;
        let sent = Sent {
            address: &discovery.token,
            authorization: request.authorization.as_deref().map(String::as_str),
            form: Some(&request.body),
        };
        let answer = Answer::parse(&self.exchanged(sent).await?)?;
        let verified = self.verified(&discovery, &answer, state).await?;
        let verified = self.with_user_info(&discovery, &answer, verified).await?;
        let strong = verified.is_strong(&self.levels);
        Ok((verified.identity(&self.issuer, today)?, strong))
    }

    /// The answer to an exchange. Why it was refused stands in a 400 (RFC 6749, 5.2).
    async fn exchanged(&self, sent: Sent<'_>) -> Result<Zeroizing<Vec<u8>>, Wrong> {
        let read = [StatusCode::OK, StatusCode::BAD_REQUEST];
        let answer = self.http.answered(sent, &read).await?;
        if answer.status == StatusCode::OK {
            return Ok(answer.body);
        }
        Err(refusal(&answer.body).into())
    }

    async fn verified(
        &self,
        discovery: &Discovery,
        answer: &Answer,
        state: &State,
    ) -> Result<Verified, Wrong> {
        let mut now = MachineTime(machine_ms());
        let mut keys = self.keys(discovery, (KEPT_MS, KEYS_BELIEVED_MS), now).await?;
        loop {
            let expected =
                Expected { issuer: &self.issuer, client_id: &self.client.id, state, now };
            match verify(&answer.id_token, &keys, &expected) {
                Err(Failure::UnknownKey) => {
                    now = MachineTime(machine_ms());
                    let ages = (KEYS_EVERY_MS, KEYS_EVERY_MS);
                    let newer = self.keys(discovery, ages, now).await?;
                    if Arc::ptr_eq(&newer, &keys) {
                        return Err(Failure::UnknownKey.into());
                    }
                    keys = newer;
                }
                other => return Ok(other?),
            }
        }
    }

    /// With the claims that stand in no token, where they are needed and told.
    async fn with_user_info(
        &self,
        discovery: &Discovery,
        answer: &Answer,
        verified: Verified,
    ) -> Result<Verified, Wrong> {
        let (Some(address), Some(token)) = (&discovery.user_info, &answer.access_token) else {
            return Ok(verified);
        };
        if !verified.lacks_claims() {
            return Ok(verified);
        }
        let bearer = Zeroizing::new(format!("Bearer {}", **token));
        let sent = Sent { address, authorization: Some(&bearer), form: None };
        let claims = user_info(&self.http.send(sent).await?, &verified)?;
        Ok(verified.with(claims)?)
    }

    /// The description: kept for an hour, and longer while a new one cannot be had.
    async fn discovery(&self, now: MachineTime) -> Result<Arc<Discovery>, Wrong> {
        let mut known = self.known.lock().await;
        if let Some((discovery, at)) = &known.discovery
            && young(*at, KEPT_MS, now)
        {
            return Ok(discovery.clone());
        }
        let address = Discovery::address(&self.issuer);
        let parse = |body: &[u8]| Discovery::parse(body, &self.issuer);
        match self.asked(&mut known, now, &address, parse).await {
            Ok(discovery) => {
                let discovery = Arc::new(discovery);
                known.discovery = Some((discovery.clone(), now));
                Ok(discovery)
            }
            Err(wrong) => match &known.discovery {
                Some((discovery, _)) => Ok(discovery.clone()),
                None => Err(wrong),
            },
        }
    }

    /// The keys, no older than the first number of milliseconds; where newer ones cannot be had, no
    /// older than the second.
    async fn keys(
        &self,
        discovery: &Discovery,
        (wanted_ms, believed_ms): (i64, i64),
        now: MachineTime,
    ) -> Result<Arc<KeySet>, Wrong> {
        let mut known = self.known.lock().await;
        if let Some((keys, at)) = &known.keys
            && young(*at, wanted_ms, now)
        {
            return Ok(keys.clone());
        }
        match self.asked(&mut known, now, &discovery.keys, KeySet::parse).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((keys.clone(), now));
                Ok(keys)
            }
            Err(wrong) => match &known.keys {
                Some((keys, at)) if young(*at, believed_ms, now) => Ok(keys.clone()),
                _ => Err(wrong),
            },
        }
    }

    /// Asks for a document, unless that failed a moment ago: whoever waited for the lock does not
    /// wait for the same failure again.
    async fn asked<T>(
        &self,
        known: &mut Known,
        now: MachineTime,
        address: &str,
        read: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Wrong> {
        if known.failed.is_some_and(|at| young(at, FAILED_MS, MachineTime(machine_ms().max(now.0))))
        {
            return Err(Wrong::Waiting);
        }
        let answer = self.http.send(Sent::get(address)).await;
        let read = answer.map_err(Wrong::from).and_then(|body| Ok(read(&body)?));
        known.failed = read.is_err().then(|| MachineTime(machine_ms()));
        read
    }
}

/// What this centre proves itself with.
fn key(config: &IdentityConfig) -> anyhow::Result<ClientKey> {
    let read = |path: &Path| {
        let bytes = std::fs::read(path).map(Zeroizing::new);
        bytes.with_context(|| format!("không đọc được {} (identity)", path.display()))
    };
    if let Some(path) = &config.private_key_file {
        let key = ClientKey::private(&read(path)?, config.private_key_id.as_deref());
        return key.map_err(|why| anyhow!("{}: {why}", path.display()));
    }
    let Some(path) = &config.client_secret_file else { return Ok(ClientKey::None) };
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map(str::trim_end).unwrap_or_default();
    if text.is_empty() {
        return Err(anyhow!("{} không có bí mật (no secret in it)", path.display()));
    }
    Ok(ClientKey::Secret(Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests;
