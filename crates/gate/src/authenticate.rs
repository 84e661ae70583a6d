//! Step 1 of a query: who is asking. `machine_now` is the machine's clock, ms.

use std::net::IpAddr;
use std::sync::Arc;

use dancu_access::soap::{self, SoapHeaders, SoapProof};
use dancu_access::{AuthFailure, client, token};
use dancu_domain::registration::System;
use dancu_store::keys::random;

use crate::path::Gate;

impl Gate {
    /// 1a. The SOAP header. `machine_now` is the machine's clock, ms.
    pub fn authenticate_soap(
        &self,
        headers: &SoapHeaders<'_>,
        machine_now: i64,
    ) -> Result<SoapProof, AuthFailure> {
        soap::authenticate(&self.snapshot.load(), headers, machine_now)
    }

    /// 1b. A triple used with another body is refused.
    pub fn use_header(
        &self,
        proof: &SoapProof,
        body: [u8; 16],
        source: IpAddr,
        machine_now: i64,
    ) -> Result<(), AuthFailure> {
        self.used.use_once(proof, body, source, machine_now)
    }

    /// 1c. A bearer token.
    pub fn authenticate_bearer(
        &self,
        authorization: Option<&str>,
        machine_now: i64,
    ) -> Result<Arc<System>, AuthFailure> {
        let header = authorization.ok_or(AuthFailure::Missing)?;
        let (scheme, text) = header.split_once(' ').ok_or(AuthFailure::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthFailure::Malformed);
        }
        let claims = token::verify(&self.token_key, text.trim(), machine_now)?;
        let snapshot = self.snapshot.load();
        let system = snapshot.by_id(claims.system).ok_or(AuthFailure::Wrong)?;
        if system.credential_version != claims.credential_version {
            return Err(AuthFailure::Wrong);
        }
        Ok(system.clone())
    }

    /// The token endpoint: a token and its life in seconds. Systems that are not live get one
    /// too, so that they can read why they are refused.
    pub fn issue_token(
        &self,
        proof: &client::ClientProof<'_>,
        audience: &[String],
        machine_now: i64,
    ) -> Result<(String, u32), AuthFailure> {
        let snapshot = self.snapshot.load();
        let system = self.clients.authenticate(&snapshot, proof, audience, machine_now)?;
        let mut nonce = [0; 8];
        random(&mut nonce).map_err(|_| AuthFailure::Malformed)?;
        let claims = token::Claims {
            system: system.id,
            credential_version: system.credential_version,
            expires_at: machine_now + i64::from(token::TOKEN_SECONDS) * 1000,
        };
        Ok((token::mint(&self.token_key, claims, nonce), token::TOKEN_SECONDS))
    }
}
