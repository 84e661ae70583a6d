//! PostgreSQL instead of SQLite in the data folder: how it is reached, and by how many nodes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use dancu_domain::moment::Moment;
use dancu_store::engine::{PoolSettings, Settings, Tls};
use serde::{Deserialize, Serialize};

use super::keys::section;
use crate::cli;
use crate::clock::machine_ms;

/// Environment variable of the database's password, which never stands in the file.
pub const PASSWORD_VARIABLE: &str = "DANCU_DATABASE_PASSWORD";
/// Nodes that one database is asked to serve at most: each commit locks the same head, which is
/// the ceiling long before.
const NODES_MAX: u32 = 64;
/// Connections of a pool at most: more only wait for the server's processors.
const CONNECTIONS_MAX: u32 = 256;
/// Milliseconds that a time limit may last: beyond an hour it limits nothing.
const LIMIT_MAX_MS: u32 = 3_600_000;

section! {
    /// Where the data is, if not in the data folder.
    Database {
        url = "url": DatabaseUrl = DatabaseUrl::default(), "",
            "Rỗng: SQLite trong thư mục dữ liệu. \"postgresql://dancu@máy-1,máy-2/dancu\": \
             PostgreSQL 15 trở lên; nhiều máy: dùng máy đang nhận ghi. Mật khẩu để trong \
             passwordFile hoặc biến DANCU_DATABASE_PASSWORD, không để trong URL.",
            "Empty: SQLite in the data folder. \"postgresql://dancu@host-1,host-2/dancu\": \
             PostgreSQL 15 or newer; of several hosts the one that takes writes. The password \
             belongs into passwordFile or the variable DANCU_DATABASE_PASSWORD, not into the URL.";
        password_file = "passwordFile": Option<PathBuf> = None, "\"/etc/dancu/database.password\"",
            "Tệp có mật khẩu ở dòng đầu, chỉ tài khoản chạy dancu đọc được.",
            "File with the password in its first line, readable only by the account of dancu.";
        root_certificates = "rootCertificates": Option<PathBuf> = None,
            "\"/etc/dancu/database-ca.pem\"",
            "Chứng thư gốc của máy chủ (PEM). Có: luôn mã hóa và kiểm tra chứng thư. Bỏ trống: \
             chỉ cho ổ cắm hoặc máy tại chỗ.",
            "Root certificates of the server (PEM). Set: always encrypted, certificate checked. \
             Not set: for a socket or a server on this machine only.";
        client_certificate = "clientCertificate": Option<PathBuf> = None,
            "\"/etc/dancu/database-client.pem\"",
            "Chứng thư của nút này (PEM), nếu máy chủ yêu cầu.",
            "Certificate chain of this node (PEM), where the server asks for one.";
        client_key = "clientKey": Option<PathBuf> = None, "\"/etc/dancu/database-client.key\"",
            "Khóa của chứng thư đó (PEM).",
            "Key of that certificate (PEM).";
        pooler = "pooler": bool = false, "",
            "true khi kết nối qua bộ gộp kết nối theo giao dịch (pool_mode transaction của \
             PgBouncer).",
            "true behind a pooler of transactions (PgBouncer's pool_mode transaction).";
        nodes = "nodes": u32 = 1, "",
            "Số tiến trình dancu cùng dùng cơ sở dữ liệu này. Từ 2 trở lên phải có máy dự phòng \
             đồng bộ (synchronous_standby_names). Mọi nút dùng cùng một master.key.",
            "Processes of dancu on this database. From 2 on a synchronous standby is required \
             (synchronous_standby_names). All nodes share one master.key.";
        connections = "connections": u32 = 8, "",
            "Số kết nối cho tra cứu của nút này; nhật ký và tìm kiếm dùng thêm khoảng 14.",
            "Connections of this node for look-ups; journal and search take about 14 more.";
        wait_ms = "waitMs": u32 = 2_000, "",
            "Một tra cứu chờ đến lượt tối đa chừng này mili giây, quá thì trả 503.",
            "Milliseconds that a look-up waits for its turn at most; then it is answered 503.";
        connect_timeout_ms = "connectTimeoutMs": u32 = 5_000, "",
            "Thời gian tối đa để kết nối được tới mỗi máy, mili giây.",
            "Time in which a connection must stand, per host, in milliseconds.";
        statement_timeout_ms = "statementTimeoutMs": u32 = 10_000, "",
            "Thời gian tối đa của một câu lệnh, mili giây; COMMIT không bị giới hạn.",
            "Time in which a statement must be answered, in milliseconds; COMMIT has no limit.";
        lock_timeout_ms = "lockTimeoutMs": u32 = 5_000, "",
            "Thời gian tối đa chờ khóa, mili giây: các nút chờ nhau ghi nhật ký vài mili giây.",
            "Time in which a lock must be got, in milliseconds: nodes wait a few of them for each \
             other's commits.";
    }
}

/// The URL of a database. It may hold a password: neither logs nor errors show it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "postgresql://…" })
    }
}

impl Database {
    /// Whether the data is in a PostgreSQL database.
    pub fn is_set(&self) -> bool {
        !self.url.0.is_empty()
    }

    /// The database as the store is told of it; none = SQLite in the data folder.
    ///
    /// # Errors
    /// The password file cannot be read.
    pub fn open(&self) -> anyhow::Result<Option<dancu_store::Database>> {
        if !self.is_set() {
            return Ok(None);
        }
        let mut settings = self.settings()?;
        if let Some(password) = self.password()? {
            settings = settings.password(&password);
        }
        let pool = PoolSettings {
            connections: self.connections as usize,
            wait: milliseconds(self.wait_ms),
            ..PoolSettings::default()
        };
        let clock = || Moment(machine_ms());
        Ok(Some(dancu_store::Database { settings, nodes: self.nodes, clock, pool }))
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings =
            Settings::new(&self.url.0)?.connect_timeout(milliseconds(self.connect_timeout_ms));
        settings.prepared_statements = !self.pooler;
        settings.statement_timeout = milliseconds(self.statement_timeout_ms);
        settings.lock_timeout = milliseconds(self.lock_timeout_ms);
        settings.tls = self.root_certificates.clone().map(|root_certificates| Tls {
            root_certificates,
            client: self.client_certificate.clone().zip(self.client_key.clone()),
        });
        Ok(settings)
    }

    fn password(&self) -> anyhow::Result<Option<String>> {
        if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
            return Ok(Some(password));
        }
        let Some(path) = &self.password_file else { return Ok(None) };
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("database.passwordFile: không đọc được {} (password file)", path.display())
        })?;
        Ok(text.lines().next().map(str::to_owned))
    }

    /// Keys whose values are wrong together or beyond what makes sense: name and why.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![];
        let mut check = |key, checked: anyhow::Result<()>| {
            out.extend(checked.err().map(|error| (key, cli::causes(&error))));
        };
        if self.is_set() {
            check("url", self.settings().map(drop));
        }
        let within = |value: u32, most: u32| {
            ensure!((1..=most).contains(&value), "cần từ 1 đến {most} (expected)");
            Ok(())
        };
        check("nodes", within(self.nodes, NODES_MAX));
        check("connections", within(self.connections, CONNECTIONS_MAX));
        for (key, value) in [
            ("waitMs", self.wait_ms),
            ("connectTimeoutMs", self.connect_timeout_ms),
            ("statementTimeoutMs", self.statement_timeout_ms),
            ("lockTimeoutMs", self.lock_timeout_ms),
        ] {
            check(key, within(value, LIMIT_MAX_MS));
        }
        if !self.is_set() {
            return out;
        }
        if self.client_certificate.is_some() != self.client_key.is_some() {
            let text = "clientCertificate và clientKey đi cùng nhau (both or neither)";
            out.push(("clientKey", text.to_owned()));
        } else if self.client_key.is_some() && self.root_certificates.is_none() {
            let text = "cần rootCertificates: không có thì kết nối không mã hóa (needs \
                        rootCertificates: the connection is in clear without)";
            out.push(("clientKey", text.to_owned()));
        }
        out
    }
}

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
