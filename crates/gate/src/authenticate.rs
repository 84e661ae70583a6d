//! Step 1 of a query: who is asking, by what is registered now. `machine_now` is the machine's
//! clock, ms; `at` the product's. Each credential that was of use is noted ([`crate::uses`]).

use std::net::IpAddr;
use std::sync::Arc;

use dancu_access::certificate::{self, Fingerprint};
use dancu_access::client::{self, ProvedClient};
use dancu_access::debugger::{self, Case, Told};
use dancu_access::soap::{self, SoapHeaders, SoapProof};
use dancu_access::{Arrival, AuthFailure, token};
use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{Snapshot, System};
use dancu_journal::{Act, Body};
use dancu_store::keys::random;
use dancu_store::ledger::health::Trouble;
use dancu_store::ledger::{Draft, Verdict};
use dancu_store::requests::HeaderUse;
use dancu_store::used::Proof;

use crate::failures::Cause;
use crate::path::{Caller, Gate, ROUNDS_MAX, UsedHeader};
use crate::query::Reply;

impl UsedHeader {
    /// As the ledger takes it.
    pub(crate) fn of_draft(self) -> HeaderUse {
        HeaderUse { triple: self.triple, until: self.until, may_reuse: self.may_reuse }
    }
}

impl Gate {
    /// What is registered at the policy epoch in force: a revocation is in force for whoever
    /// proves himself after it (E3).
    /// Nobody does on a node that may not know it: one whose clock is off, whose program does not
    /// fit the schema any more, or whose database is an older copy. So reads that pass no ledger,
    /// such as journal, usage and results of jobs, are answered 503 as questions are.
    async fn registered(&self, at: Moment) -> Result<Arc<Snapshot>, AuthFailure> {
        if self.store.ledger().trouble().is_some_and(Trouble::bars_reads) {
            return Err(AuthFailure::Unavailable);
        }
        if let Err(error) = Box::pin(self.reload(at)).await {
            tracing::error!(error = %error, "gate.authenticate could not read what is registered");
            return Err(AuthFailure::Unavailable);
        }
        Ok(self.snapshot())
    }

    /// 1a. The SOAP header.
    pub async fn authenticate_soap(
        &self,
        headers: &SoapHeaders<'_>,
        arrival: &Arrival,
    ) -> Result<SoapProof, AuthFailure> {
        let snapshot = self.registered(arrival.at).await?;
        let proof = soap::authenticate(&snapshot, headers, arrival)?;
        self.uses.note(proof.system.id, proof.secret, arrival.at);
        self.note_certificate(&proof.system, headers.certificate, arrival.at);
        Ok(proof)
    }

    /// The client certificate was of use, where one was shown that is registered.
    fn note_certificate(&self, system: &System, shown: Option<&Fingerprint>, at: Moment) {
        let Some(shown) = shown else { return };
        if let Some(place) = system.certificates.sha256.iter().position(|known| known == shown) {
            let number = system.facts.number(CredentialKind::Certificate, place);
            self.uses.note(system.id, number, at);
        }
    }

    /// 1b. Binds a triple to its body; one used with another body is refused.
    pub fn use_header(
        &self,
        proof: &SoapProof,
        body: [u8; 16],
        source: IpAddr,
        machine_now: i64,
    ) -> Result<UsedHeader, AuthFailure> {
        let body = self.keyed(&body);
        let may_reuse = soap::may_reuse(&proof.system, source);
        // What is journaled binds, whatever this node was sent: settling compares once more.
        match self.store.requests().bound_elsewhere(&proof.triple) {
            Some(bound) if bound != body && !may_reuse => return Err(AuthFailure::Replayed),
            Some(_) => {}
            None => self.used.use_once(proof, body, may_reuse, machine_now)?,
        }
        Ok(UsedHeader { triple: proof.triple, until: proof.until, body, may_reuse })
    }

    /// 1b, for a request that leaves no entry: its header is durable as used when this returns, so
    /// that it is refused with another body on every node and after a restart. Whether it could be
    /// used up; [`Gate::unless_replayed`] tells why not.
    pub async fn use_up(&self, caller: &Caller) -> bool {
        let Some(header) = caller.header else { return true };
        for _ in 0..ROUNDS_MAX {
            let snapshot = self.snapshot();
            if self.still_known(&snapshot, caller).is_none() {
                return false;
            }
            let (used, arrival) = (header.of_draft(), caller.arrival);
            let draft = Draft::of_header(used, header.body, arrival, snapshot.epoch);
            let settled = self.store.ledger().submit(draft).await;
            let again = match settled {
                Ok(Verdict::HeaderUsed) => return true,
                Ok(Verdict::Stale) => Box::pin(self.reload(arrival)).await,
                // Another node had it before, with another body.
                Ok(_) => return false,
                Err(error) => Err(error),
            };
            if let Err(error) = again {
                tracing::error!(error = %error, "gate.use_up could not bring a header to disk");
                self.failures.note(arrival, caller.source, Cause::Shed);
                return false;
            }
        }
        false
    }

    /// 1b, once more after settling: a reply that could not be journaled because another node had
    /// journaled the header with another body meanwhile.
    pub fn unless_replayed(&self, caller: &Caller, reply: Reply) -> Result<Reply, AuthFailure> {
        let header = caller.header.filter(|h| !h.may_reuse && reply.journal_index.is_none());
        let bound = header.and_then(|h| self.store.requests().bound_elsewhere(&h.triple));
        match header.zip(bound) {
            Some((header, bound)) if bound != header.body => Err(AuthFailure::Replayed),
            _ => Ok(reply),
        }
    }

    /// 1c. A bearer token, and the verified client certificate where one was shown.
    pub async fn authenticate_bearer(
        &self,
        authorization: Option<&str>,
        shown: Option<&Fingerprint>,
        arrival: &Arrival,
    ) -> Result<Arc<System>, AuthFailure> {
        let header = authorization.ok_or(AuthFailure::Missing)?;
        let text = token::of_header(header).ok_or(AuthFailure::Malformed)?;
        let claims = token::verify(&self.token_key, text, arrival.machine)?;
        if !claims.admit(shown) {
            return Err(AuthFailure::ForeignCertificate);
        }
        let snapshot = self.registered(arrival.at).await?;
        let system = snapshot.by_id(claims.system).ok_or(AuthFailure::Wrong)?;
        token::admit(&claims, system, shown, arrival.source)?;
        self.note_certificate(system, shown, arrival.at);
        Ok(system.clone())
    }

    /// The system of a token of ours, whether it is let in by it or not.
    pub fn named_by_token(&self, authorization: Option<&str>) -> Option<Arc<System>> {
        let text = token::of_header(authorization?)?;
        let claims = token::read(&self.token_key, text).ok()?;
        self.snapshot().by_id(claims.system).cloned()
    }

    /// Explains what a system sent and was refused for; nothing is kept of it.
    pub fn explain(&self, case: &Case<'_>, text: &str) -> Told {
        debugger::explain(&self.snapshot(), &self.token_key, case, text)
    }

    /// 1d. A client at the token endpoint. Its assertion is used up by [`Gate::issue_token`] only.
    pub async fn authenticate_client(
        &self,
        proof: &client::ClientProof<'_>,
        audience: &[String],
        arrival: &Arrival,
    ) -> Result<ProvedClient, AuthFailure> {
        let snapshot = self.registered(arrival.at).await?;
        let client = client::authenticate(&snapshot, proof, audience, arrival)?;
        self.uses.note(client.system.id, client.credential, arrival.at);
        self.note_certificate(&client.system, proof.certificate, arrival.at);
        Ok(client)
    }

    /// The token endpoint: a token and its life in seconds, once its entry is durable (F1): who
    /// connects, from where and when, and by which certificate the token is bound. Systems that are
    /// not live get one too, so that they can read why they are refused. It ends with the secret
    /// that it is given for.
    ///
    /// # Errors
    /// [`AuthFailure::Wrong`] where the credentials were changed since the client proved itself, or
    /// its secret has ended,
    /// [`AuthFailure::Replayed`] where its assertion was used before, on whichever node;
    /// [`AuthFailure::Unavailable`] where nothing can be journaled.
    pub async fn issue_token(
        &self,
        client: &ProvedClient,
        shown: Option<&Fingerprint>,
        source: IpAddr,
        at: Moment,
        machine_now: i64,
    ) -> Result<(String, u32), AuthFailure> {
        let failed = |error: dancu_store::Error| {
            tracing::error!(error = %error, "gate.issue_token could not be journaled");
            AuthFailure::Unavailable
        };
        let system = &client.system;
        let life_ms = token::life_ms(client.until, at);
        if life_ms <= 0 {
            return Err(AuthFailure::Wrong);
        }
        let mut nonce = [0; 8];
        random(&mut nonce).map_err(failed)?;
        let certificate = certificate::binding(&system.certificates, shown);
        let source = source.to_canonical();
        let issued = Body::Act(Act {
            kind: "token.issued".into(),
            actor: system.code.as_str().to_owned(),
            system: system.id.0,
            detail: match certificate {
                Some(bound) => format!("{source} x5t#S256={}", certificate::text(&bound)),
                None => source.to_string(),
            },
        });
        let of = (system.id, system.credential_version);
        match self.store.note_proved(at, of, client.assertion, issued).await.map_err(failed)? {
            Proof::Held => {}
            Proof::Changed => return Err(AuthFailure::Wrong),
            Proof::Used => return Err(AuthFailure::Replayed),
        }
        let claims = token::Claims {
            system: system.id,
            credential_version: system.credential_version,
            expires_at: machine_now + life_ms,
            certificate,
        };
        // A second that has begun is not promised.
        Ok((token::mint(&self.token_key, claims, nonce), (life_ms / 1_000) as u32))
    }
}
