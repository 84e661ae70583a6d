//! What `demo.json` says: addresses, systems with their secrets, and synthetic people.

use std::fs;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::http;

/// The part of `demo.json` that the bench reads.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Where REST and OAuth are served, `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// The SOAP service's whole address.
    pub soap_url: String,
    /// Connected systems.
    pub systems: Vec<System>,
    /// People of the registry whose keys are known.
    pub citizens: Vec<Citizen>,
}

/// A connected system.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Its code, such as `BIG`.
    pub system_code: String,
    /// Code of its unit (MaDonVi).
    pub unit_code: String,
    /// SOAP authentication.
    pub soap: Soap,
    /// OAuth client.
    pub oauth: Oauth,
    /// Officers and plan accounts.
    pub accounts: Vec<Account>,
    /// Procedures (mã thủ tục hành chính) with their services.
    pub procedures: Vec<Procedure>,
    /// Registered services.
    pub services: Vec<Service>,
}

/// User and secret of the SOAP header hash.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Soap {
    /// User name.
    pub user: String,
    /// Shared secret.
    pub secret: String,
    /// The registered string that stands for the service in the hash.
    #[serde(default)]
    pub service_url: Option<String>,
}

/// OAuth client credentials.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Oauth {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

/// An account of a system.
#[derive(Clone, Deserialize)]
pub struct Account {
    /// Login.
    pub login: String,
    /// `officer`, `system` or `plan`.
    pub kind: String,
}

/// A procedure that the system may cite.
#[derive(Clone, Deserialize)]
pub struct Procedure {
    /// Its code (MaDVC), such as 1.004194.
    pub code: String,
    /// The registered purpose.
    pub purpose: String,
    /// Codes of the services it may use.
    pub services: Vec<String>,
}

/// A registered service.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its code, such as `citizen.verify`.
    pub code: String,
    /// MaTichHop, where one is public.
    #[serde(default)]
    pub ma_tich_hop: Option<String>,
}

/// The three keys of a person (số định danh, họ và tên, ngày tháng năm sinh).
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Citizen {
    /// 12 digits.
    pub personal_id: String,
    /// Proper case with accents.
    pub full_name: String,
    /// `YYYY-MM-DD` or `YYYY`.
    pub date_of_birth: String,
}

/// A system with the account and the procedure that a load uses.
pub struct Caller {
    /// The system.
    pub system: System,
    /// Login of its plan account (tài khoản của kế hoạch chạy tự động, rule D5).
    pub account: String,
    /// A procedure that may verify citizens.
    pub procedure: Procedure,
}

impl Demo {
    /// Reads the file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{}", path.display()))?;
        let demo: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not as contracted", path.display()))?;
        anyhow::ensure!(!demo.citizens.is_empty(), "{} names no citizens", path.display());
        Ok(demo)
    }

    /// The system `code` with its plan account and its first procedure that may verify.
    pub fn caller(&self, code: &str) -> anyhow::Result<Caller> {
        let system = self
            .systems
            .iter()
            .find(|system| system.system_code == code)
            .with_context(|| format!("demo.json has no system {code}"))?
            .clone();
        let account = system
            .accounts
            .iter()
            .find(|account| account.kind == "plan")
            .with_context(|| format!("system {code} has no plan account"))?
            .login
            .clone();
        let procedure = system
            .procedures
            .iter()
            .find(|procedure| procedure.services.iter().any(|code| code == "citizen.verify"))
            .with_context(|| format!("system {code} has no procedure for citizen.verify"))?
            .clone();
        Ok(Caller { system, account, procedure })
    }

    /// Replaces the citizens by those of a CSV file with the columns personalId, fullName and
    /// dateOfBirth, at most `limit` of them, spread evenly over the file.
    pub fn citizens_from_csv(&mut self, path: &Path, limit: usize) -> anyhow::Result<()> {
        let open = || csv::Reader::from_path(path).with_context(|| format!("{}", path.display()));
        let rows = open()?.into_byte_records().count();
        let stride = rows.div_ceil(limit.max(1)).max(1);
        let people = open()?.into_deserialize().step_by(stride).collect::<Result<Vec<_>, _>>();
        self.citizens = people.context("columns personalId, fullName, dateOfBirth")?;
        anyhow::ensure!(!self.citizens.is_empty(), "{} names no citizens", path.display());
        Ok(())
    }

    /// A bearer token for a system, by client_secret_basic.
    pub async fn token(&self, system: &System) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let (address, _) = http::local_address(&self.base_url)?;
        let oauth = &system.oauth;
        // RFC 6749, section 2.3.1: id and secret are form-encoded before they are joined.
        let pair = format!("{}:{}", encode(&oauth.client_id), encode(&oauth.client_secret));
        let headers = [
            ("Authorization", format!("Basic {}", STANDARD.encode(pair))),
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let request =
            http::render("POST", "/oauth/token", &headers, "grant_type=client_credentials");
        let answer = http::call(address, &request).await.context("/oauth/token")?;
        Ok(answer.json::<Token>().context("/oauth/token")?.access_token)
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_of_a_secret_are_escaped() {
        assert_eq!(encode("a-Z_9.~"), "a-Z_9.~");
        assert_eq!(encode("a+b/c=:"), "a%2Bb%2Fc%3D%3A");
    }
}
