//! Configuration of `serve`: a TOML file in which unknown keys are refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use serde::Deserialize;

/// Configuration of a centre.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// Address to listen on; plain HTTP, loopback only.
    pub listen: SocketAddr,
    /// URL by which callers reach the program; default `http://` and the address.
    pub base_url: Option<String>,
    /// Regulation profile; default: the shipped one.
    pub regulation: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "dancu-data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: None,
            regulation: None,
        }
    }
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("không đọc được {} (configuration)", path.display()))?;
        let config: Self = toml::from_str(&text)
            .with_context(|| format!("cấu hình {} không hợp lệ (configuration)", path.display()))?;
        anyhow::ensure!(
            config.listen.ip().is_loopback(),
            "HTTP không mã hóa chỉ được mở ở địa chỉ loopback; đặt TLS trước dancu \
             (plain HTTP listens on loopback only)"
        );
        Ok(config)
    }
}

/// The regulation profile of a file, or the shipped one. An invalid file is refused whole.
pub fn profiles(path: Option<&Path>) -> anyhow::Result<Profiles> {
    let text = match path {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("không đọc được {} (regulation profile)", path.display()))?,
        None => DEFAULT_PROFILE.to_owned(),
    };
    Ok(Profiles::parse(&text)?)
}
