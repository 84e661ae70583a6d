//! The path of a query: authenticate, decide, answer, settle, reply - in this order, in this file.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use dancu_access::soap::UsedTriples;
use dancu_domain::decide::Question;
use dancu_domain::ids::SystemId;
use dancu_domain::lines::{Intent, Outcome};
use dancu_domain::moment::{Duty, Moment};
use dancu_domain::profile::Profile;
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::{Channel, RequestIdMode, Snapshot, System};
use dancu_domain::service::{FieldSet, Service};
use dancu_store::Store;
use dancu_store::charges::mark;
use dancu_store::entries::Pseudonyms;
use dancu_store::keys::{Key, Purpose, random};
use dancu_store::ledger::{Settled, Verdict};

use crate::answer::{self, Answered};
use crate::draft::asked_fields;
pub use crate::failures::Cause;
use crate::failures::Failures;
use crate::pace::{self, Paces};
use crate::query::{CorrelationId, Denied, Query, Reply, Usage};
use crate::round::{Asked, Earlier, Manner, Round, draft_of};
use crate::ruling::{Ruling, decide_with_second_name, granted_fields, told_fields};
use crate::uses::Uses;

/// Times a query is decided again because the policy changed meanwhile, or the registry has to be
/// read after all. Each round follows a change: a bulk of acts may bring a hundred, each a commit.
pub(crate) const ROUNDS_MAX: usize = 200;

/// Protocols, as numbered in the journal format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Protocol {
    /// SOAP 1.1.
    Soap = 1,
    /// REST of our own.
    Rest = 2,
    /// JSON of provincial platforms.
    ProvincialJson = 3,
    /// The officer's counter in the portal.
    Portal = 4,
}

/// An authenticated system with one request.
pub struct Caller {
    /// Who, by the snapshot of the authentication.
    pub system: SystemId,
    /// How.
    pub protocol: Protocol,
    /// Channel (A2).
    pub channel: Channel,
    /// From where.
    pub source: IpAddr,
    /// Time of arrival at the gate, product's clock.
    pub arrival: Moment,
    /// Version of the credentials it proved itself with: when they change meanwhile, nothing is
    /// answered to them any more (E3).
    pub credential_version: u32,
    /// The SOAP header that was used up by this body.
    pub header: Option<UsedHeader>,
}

impl Caller {
    /// A system that proved itself on the way of programs (A2).
    pub fn by_api(system: &System, protocol: Protocol, source: IpAddr, arrival: Moment) -> Self {
        Self {
            system: system.id,
            protocol,
            channel: Channel::Api,
            source,
            arrival,
            credential_version: system.credential_version,
            header: None,
        }
    }

    /// An officer who signed in to the portal and asks through the unit's system (A2, A6). The
    /// session is the proof, so the credentials are those of now.
    pub fn by_portal(system: &System, source: IpAddr, arrival: Moment) -> Self {
        let channel = Channel::Portal;
        Self { channel, ..Self::by_api(system, Protocol::Portal, source, arrival) }
    }
}

/// A SOAP header triple, bound to the body that it came with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedHeader {
    /// Digest of (user, timestamp, hash).
    pub triple: [u8; 16],
    /// Until when it counts as used, machine clock ms.
    pub until: i64,
    /// Keyed digest of the body.
    pub body: [u8; 16],
    /// Whether its sender may use it with several bodies.
    pub may_reuse: bool,
}

/// The gate over a store.
pub struct Gate {
    pub(crate) store: Arc<Store>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pseudonyms: ArcSwap<Pseudonyms>,
    pub(crate) used: UsedTriples,
    /// Unauthenticated failures, counted for the journal.
    pub failures: Failures,
    /// Held by whoever loads the snapshot; the others wait.
    pub(crate) loading: tokio::sync::Mutex<()>,
    paces: Arc<Paces>,
    pub(crate) refusals: Arc<Paces>,
    pub(crate) request_key: Arc<Key>,
    pub(crate) token_key: Arc<Key>,
    /// When each credential was last used.
    pub uses: Uses,
    /// Questions asked by callers that wait, here and on other nodes: jobs yield to them.
    pub(crate) asked: Arc<AtomicU64>,
}

impl Gate {
    /// Opens the gate: loads what is registered and the SOAP headers still in use.
    pub fn open(store: Arc<Store>, now: Moment) -> dancu_store::Result<Self> {
        let key = |purpose| {
            store.keys().get(purpose, 0).ok_or(dancu_store::Error::Damaged("key is missing"))
        };
        let used = UsedTriples::default();
        // The oldest first: the first use of a triple binds it.
        for item in store.take_used_headers().iter().rev() {
            used.restore(item.header, item.body, item.header_until);
        }
        let snapshot = Arc::new(ArcSwap::from_pointee(store.snapshot(now)?));
        let (paces, refusals) = (Arc::<Paces>::default(), Arc::<Paces>::default());
        let asked = Arc::<AtomicU64>::default();
        pace::follow(&store, &snapshot, &paces, &refusals, &asked);
        Ok(Self {
            snapshot,
            pseudonyms: ArcSwap::from_pointee(store.pseudonyms(now)?),
            used,
            failures: Failures::default(),
            loading: tokio::sync::Mutex::default(),
            paces,
            refusals,
            request_key: key(Purpose::Request)?,
            token_key: key(Purpose::Token)?,
            uses: Uses::default(),
            asked,
            store,
        })
    }

    /// The store behind the gate.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// What is registered, as the last decision saw it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    // 1. Authenticate: `authenticate.rs` proves the caller before any of this runs.

    // The whole path ---------------------------------------------------------------------------

    /// Answers or refuses one question. The reply exists only after its entry is durable.
    pub async fn ask(&self, caller: &Caller, query: &Query) -> Reply {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.ask_as(caller, query, Manner::Waiting).await.unwrap_or_else(|_| unavailable())
    }

    /// The same for any manner; the error is what holds a question of a job.
    pub(crate) async fn ask_as(
        &self,
        caller: &Caller,
        query: &Query,
        manner: Manner,
    ) -> Result<Reply, Reason> {
        let body = self.keyed(&query.body);
        let Some(key) = self.request_key_of(caller, query, &body) else {
            return Ok(unavailable());
        };
        // Two in flight with one id: one waits for the other.
        let guard = Arc::new(self.store.requests().enter(key).await);
        let mut state = Round { guard, body, manner, held: None, paced: false, read_anyway: false };
        let mut tell: fn() -> Reply = unavailable;
        for _ in 0..ROUNDS_MAX {
            match self.round(caller, query, key, &mut state).await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = %error, "gate.ask could not be journaled");
                    if let Some(reason) = state.damaged_by(&error) {
                        return Err(reason);
                    }
                    tell = told_of(&error);
                    break;
                }
            }
            if let Some(reason) = state.held {
                return Err(reason);
            }
        }
        self.failures.note(caller.arrival, caller.source, Cause::Shed);
        Ok(tell())
    }

    /// One round; `None` = decide again over a newer snapshot, or with the registry read.
    async fn round(
        &self,
        caller: &Caller,
        query: &Query,
        key: [u8; 16],
        state: &mut Round,
    ) -> dancu_store::Result<Option<Reply>> {
        let snapshot = self.snapshot.load_full();
        let Some(system) = self.still_known(&snapshot, caller) else {
            return Ok(Some(unavailable()));
        };
        let profile = self.store.profiles().at(caller.arrival);

        // 2. Decide: what the law says before anything is read.
        let decision = self.decide(caller, query, key, profile, system, state).await?;
        if let Some(reason) = state.held_by(&decision) {
            state.held = Some(reason);
            return Ok(None);
        }
        if let Some(reply) = self.flood(caller, decision.refused.is_some() || decision.locked) {
            return Ok(Some(reply));
        }

        // 3. Answer from the registry, unless the decision is a refusal or there is no room.
        let reads = decision.intent.is_some_and(|i| !i.unread);
        let answered =
            if reads { Some(self.answer(caller, query, decision.fields).await?) } else { None };

        // 4. Settle: count and journal in one commit.
        let pseudonyms = self.pseudonyms_at(caller.arrival).await?;
        let draft = draft_of(
            &Asked { caller, query, key, body: state.body, system, guard: &state.guard },
            snapshot.epoch,
            &decision,
            answered.as_ref(),
            &pseudonyms,
            state.manner,
        );
        let settled = match self.store.ledger().submit(draft).await? {
            Verdict::Settled(settled) => settled,
            Verdict::ReadFirst => {
                state.read_anyway = true;
                return Ok(None);
            }
            Verdict::Held(reason) => {
                state.held = Some(reason);
                return Ok(None);
            }
            Verdict::Stale => {
                Box::pin(self.reload(caller.arrival)).await?;
                return Ok(None);
            }
            // `unless_replayed` tells it.
            Verdict::Replayed | Verdict::HeaderUsed => return Ok(Some(unavailable())),
        };

        // 5. Reply: a late refusal drops the answer.
        Ok(Some(Self::reply(&decision, answered, &settled)))
    }

    // 2. Decide --------------------------------------------------------------------------------

    async fn decide(
        &self,
        caller: &Caller,
        query: &Query,
        key: [u8; 16],
        profile: &Profile,
        system: &System,
        state: &mut Round,
    ) -> dancu_store::Result<Ruling> {
        let granted = granted_fields(system, query);
        let asked = asked_fields(&query.ask, granted);
        let mut d = Ruling::new(profile, caller, asked);
        // Refusals say what is left of the system's line (D2), which tells of no account or person.
        d.usage = self.usage_of_line(system, query.service, caller.arrival, d.duty);

        // 2a. A request id names one body for 24 hours.
        d.answered = self.store.requests().answered(&key);
        let repeat = match self.earlier(profile, caller, &state.body, key, d.answered).await? {
            Earlier::None => matches!(state.manner, Manner::Job { known: true }),
            Earlier::SameBody => true,
            Earlier::OtherBody => {
                d.account = system.accounts.find(query.officer.as_str()).map(|a| a.id);
                return Ok(d.refuse(Reason::RequestIdConflict));
            }
        };

        // 2b. Connection, channel, account, service, procedure, purpose, fields, plan, window.
        let question = question_of(caller, query, asked);
        let grant = match decide_with_second_name(profile, system, &question, query) {
            Ok(grant) => grant,
            Err((reason, account)) => {
                d.account = account;
                return Ok(d.refuse(reason));
            }
        };
        d.account = Some(grant.account.id);
        grant.purpose.as_str().clone_into(&mut d.purpose);
        d.fields = told_fields(caller, query, grant.fields);
        d.plan = grant.plan.map_or(0, |p| p.id.0);
        let mut intent = Intent { repeat, ..grant.intent };

        // 2c. Locks of the line: a locked line is refused before the pace is looked at.
        let hopeless = self.store.ledger().lines(|lines| lines.peek(profile, &intent));
        d.locked = matches!(hopeless, Some(Reason::LineLocked | Reason::ConnectionLocked));

        // 2d. Pace (D7), once per question.
        if !state.paced && !d.locked {
            let person = self.pseudonyms_at(caller.arrival).await?.subject(query.subject.id, false);
            let pace = profile.pace_of(grant.account.kind);
            let (account, person) = (grant.account.id.0, mark(&person.pseudonym));
            if let Err(refusal) = self.paces.admit(account, pace, caller.arrival, person) {
                d.usage = Some(self.usage_of(&intent));
                d.refused = Some(refusal);
                return Ok(d);
            }
            state.paced = true;
        }

        // 2e. Counts are pre-checked: a hopeless question is journaled without a look-up.
        intent.unread = hopeless.is_some() && !state.read_anyway;
        d.intent = Some(intent);
        Ok(d)
    }

    async fn earlier(
        &self,
        profile: &Profile,
        caller: &Caller,
        body: &[u8; 16],
        key: [u8; 16],
        answered: Option<u64>,
    ) -> dancu_store::Result<Earlier> {
        let Some(index) = answered else { return Ok(Earlier::None) };
        let Some((item, at)) = self.store.answered_request(&key, index).await? else {
            return Ok(Earlier::None);
        };
        if at.plus_ms(profile.remember_requests_ms) <= caller.arrival {
            return Ok(Earlier::None);
        }
        Ok(if item.body == *body { Earlier::SameBody } else { Earlier::OtherBody })
    }

    // 3. Answer --------------------------------------------------------------------------------

    async fn answer(
        &self,
        caller: &Caller,
        query: &Query,
        fields: FieldSet,
    ) -> dancu_store::Result<Answered> {
        let with_sources = caller.protocol == Protocol::Portal;
        let registry = self.store.registry();
        let answered =
            answer::answer(registry, &query.subject, &query.ask, fields, with_sources).await?;
        if answered.ambiguous {
            tracing::warn!("registry.old_id is shared by citizens with the same name and birth");
        }
        Ok(answered)
    }

    // 4. Settle --------------------------------------------------------------------------------

    /// The pseudonyms of the arrival's year; a new year's key is made where it is missing.
    pub(crate) async fn pseudonyms_at(&self, at: Moment) -> dancu_store::Result<Arc<Pseudonyms>> {
        let current = self.pseudonyms.load_full();
        let year = at.viet_nam_date().year().unsigned_abs();
        if current.year() == year {
            return Ok(current);
        }
        // Boxed: it runs once a year and must not make every query's future larger.
        Box::pin(self.store.prepare_year(at)).await?;
        let fresh = Arc::new(self.store.pseudonyms(at)?);
        self.pseudonyms.store(fresh.clone());
        Ok(fresh)
    }

    // 5. Reply ---------------------------------------------------------------------------------

    fn reply(d: &Ruling, answered: Option<Answered>, settled: &Settled) -> Reply {
        let (usage, result) = match (settled.outcome, d.refused) {
            (_, Some(refusal)) => (d.usage, Err(refusal)),
            (Some(Outcome::Refused { refusal, remaining, .. }), _) => {
                (Some(d.usage_with(remaining)), Err(refusal))
            }
            (Some(Outcome::Accepted { remaining, .. }), _) => {
                let answer = answered.map(|a| a.answer);
                (Some(d.usage_with(remaining)), answer.ok_or(Reason::CannotJournal.into()))
            }
            _ => (d.usage, Err(Reason::CannotJournal.into())),
        };
        Reply {
            correlation: correlation(settled),
            journal_index: Some(settled.index),
            usage,
            result: result.map_err(|refusal| Denied { refusal, errors: d.errors(refusal.reason) }),
        }
    }

    /// What is left on the line of a service, where there is one in this window.
    pub(crate) fn usage_of_line(
        &self,
        system: &System,
        service: Service,
        at: Moment,
        duty: Duty,
    ) -> Option<Usage> {
        let line = system.service(service)?.line(duty.window)?;
        let used = self.store.ledger().lines(|l| l.line_day(line.id, duty.day).used);
        let remaining = line.limit(at).count.saturating_sub(used);
        Some(Usage { remaining, resets_at: duty.resets_at })
    }

    fn usage_of(&self, intent: &Intent) -> Usage {
        let remaining = self.store.ledger().lines(|l| l.remaining(intent));
        Usage { remaining, resets_at: intent.duty.resets_at }
    }

    /// Keyed digest of system and request id; with the body for lenient registrations.
    fn request_key_of(&self, caller: &Caller, query: &Query, body: &[u8; 16]) -> Option<[u8; 16]> {
        let snapshot = self.snapshot.load();
        let system = snapshot.by_id(caller.system)?;
        let id = query.request_id.as_str().as_bytes();
        let number = system.id.0.to_be_bytes();
        Some(match system.request_ids {
            RequestIdMode::Strict => self.request_key.digest16(&[&number, id]),
            RequestIdMode::Lenient => self.request_key.digest16(&[&number, id, b"\0", body]),
        })
    }

    /// A body's digest as it is compared and kept: without the key nobody finds out by trying
    /// whose data a body held.
    pub(crate) fn keyed(&self, body: &[u8; 16]) -> [u8; 16] {
        self.request_key.digest16(&[b"body\0", body])
    }
}

/// What the law is asked about.
fn question_of<'a>(caller: &Caller, query: &'a Query, fields: FieldSet) -> Question<'a> {
    Question {
        at: caller.arrival,
        channel: caller.channel,
        service: query.service,
        officer: query.officer.as_str(),
        procedure: &query.procedure,
        purpose: query.purpose.as_ref(),
        case: query.case.as_ref(),
        fields,
        items: 1,
    }
}

pub(crate) fn correlation(settled: &Settled) -> CorrelationId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&settled.index.to_be_bytes());
    id[8..].copy_from_slice(&settled.nonce);
    CorrelationId(id)
}

/// What is told where the store failed.
pub(crate) fn told_of(error: &dancu_store::Error) -> fn() -> Reply {
    if matches!(error, dancu_store::Error::InDoubt) { in_doubt } else { unavailable }
}

/// 503: it cannot be journaled, so nothing is answered (F1).
pub fn unavailable() -> Reply {
    without_entry(Reason::CannotJournal)
}

/// 503: it may be journaled or not, so nothing is answered (F1). Asked again with the same request
/// id it is found out, and counted once (D6).
fn in_doubt() -> Reply {
    without_entry(Reason::JournalInDoubt)
}

fn without_entry(reason: Reason) -> Reply {
    let mut id = [0xff; 16];
    // Without randomness the id stays all ones: it names no entry either way.
    let _ = random(&mut id[8..]);
    let refusal = Refusal { reason, retry_after_s: Some(2) };
    Reply {
        correlation: CorrelationId(id),
        journal_index: None,
        usage: None,
        result: Err(Denied { refusal, errors: vec![] }),
    }
}
