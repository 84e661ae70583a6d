//! What a PostgreSQL server must be before the program trusts it with counts and journal. Run at
//! start and by `doctor`, which prints the findings.

use dancu_domain::moment::Moment;

use super::{Engine, Postgres, Row, Settings, Tx};
use crate::error::Result;

/// Oldest server that is served, as `server_version_num` says it.
const OLDEST: i64 = 150_000;
/// Milliseconds by which the database's clock may differ from the machine's (a node that is
/// further off answers 503).
pub const CLOCK_MAX_MS: i64 = 2_000;
/// The database's clock, ms since 1970 UTC, as an expression of PostgreSQL.
pub(crate) const NOW: &str = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

/// What a server is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Nodes on this database: with more than one, a standby must confirm each commit.
    pub nodes: u32,
    /// Connections that this node is going to make.
    pub connections: u32,
}

/// What was found out about a server.
pub struct Report {
    /// What it is, for people: version, clock, free connections.
    pub told: String,
    /// What is not as it should be; empty = fit to serve.
    pub findings: Vec<Finding>,
}

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// A stable word, such as `fsync`.
    pub id: &'static str,
    /// Whether the program refuses to serve on this server; otherwise it warns.
    pub refuses: bool,
    /// What was found, in Vietnamese.
    pub vi: String,
    /// What was found, in English.
    pub en: String,
    /// What mends it: a setting or command.
    pub mend: &'static str,
}

/// Milliseconds by which the database's clock is ahead of the machine's (negative = behind). The
/// machine is asked before and after, so that the way there and back does not count as a
/// difference. SQLite has the machine's clock.
pub fn clock_offset(tx: &mut Tx<'_>, mut machine: impl FnMut() -> Moment) -> Result<i64> {
    if tx.engine() == Engine::Sqlite {
        return Ok(0);
    }
    let sql = format!("SELECT {NOW}");
    // The first time prepares the statement; only the second one is measured.
    tx.one(&sql, &[], |r| r.get::<i64>(0))?;
    let before = machine().0;
    let there: i64 = tx.one(&sql, &[], |r| r.get(0))?;
    let after = machine().0;
    Ok(there - (before + (after - before) / 2))
}

/// Whether this is a standby. Behind a pooler a connection may land on one that lags: what it does
/// not have yet is not lost.
pub(crate) fn is_standby(tx: &mut Tx<'_>) -> Result<bool> {
    if tx.engine() == Engine::Sqlite {
        return Ok(false);
    }
    tx.one("SELECT pg_is_in_recovery()", &[], |r| r.get(0))
}

/// Looks at a server. SQLite has nothing to be found: its settings are made at each opening.
pub fn examine(tx: &mut Tx<'_>, wanted: Wanted, machine: impl FnMut() -> Moment) -> Result<Report> {
    if tx.engine() == Engine::Sqlite {
        return Ok(Report { told: "SQLite".to_owned(), findings: vec![] });
    }
    let offset = clock_offset(tx, machine)?;
    let mut findings = clock(offset);
    let server = tx.one(FACTS, &[], Server::read)?;
    findings.extend(server.durability());
    findings.extend(server.standbys(wanted));
    findings.extend(server.service());
    findings.extend(server.room(wanted));
    let (major, minor) = (server.version / 10_000, server.version % 10_000);
    let free = server.free_connections;
    let told = format!(
        "PostgreSQL {major}.{minor}, {free} kết nối trống, đồng hồ lệch {offset} ms (free \
         connections, clock difference)"
    );
    Ok(Report { told, findings })
}

/// What stands between this program and the server where each transaction gets another server
/// connection: then statements must not be prepared per connection.
pub fn pooler(settings: &Settings) -> Result<Option<Finding>> {
    if !settings.prepared_statements {
        return Ok(None);
    }
    // Each statement goes unnamed, so that this look itself works through a pooler.
    let mut unnamed = settings.clone();
    unnamed.prepared_statements = false;
    let (mut one, mut two) = (Postgres::connect(&unnamed)?, Postgres::connect(&unnamed)?);
    let pid = |db: &mut Postgres| {
        Tx::from(db).one("SELECT CAST(pg_backend_pid() AS BIGINT)", &[], |r| r.get::<i64>(0))
    };
    // What the first gave back at the end of its transaction, the second was given.
    Ok((pid(&mut one)? == pid(&mut two)?).then(|| {
        refuses(
            "pooler",
            "kết nối đi qua bộ gộp kết nối theo giao dịch, còn câu lệnh thì chuẩn bị theo kết nối",
            "the connection goes through a pooler of transactions, and statements are prepared \
             per connection",
            "database.pooler = true",
        )
    }))
}

/// Checks one after another in [`Server::read`].
const FACTS: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
     current_setting('fsync'), current_setting('synchronous_commit'), \
     current_setting('full_page_writes'), current_setting('server_encoding'), \
     pg_is_in_recovery(), current_setting('default_transaction_read_only'), \
     current_setting('synchronous_standby_names'), current_setting('data_checksums'), \
     EXISTS (SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), \
     COALESCE(host(inet_server_addr()) IN ('127.0.0.1', '::1'), TRUE), \
     CAST(current_setting('max_connections') AS BIGINT) - \
     CAST(current_setting('superuser_reserved_connections') AS BIGINT) - \
     (SELECT CAST(SUM(numbackends) AS BIGINT) FROM pg_stat_database), \
     (SELECT COUNT(*) FROM pg_stat_replication \
     WHERE sync_state IN ('sync', 'quorum') OR sync_state IS NULL)";

#[expect(clippy::struct_excessive_bools, reason = "facts of a server, each looked at by itself")]
struct Server {
    version: i64,
    fsync: bool,
    synchronous_commit: String,
    full_page_writes: bool,
    encoding: String,
    in_recovery: bool,
    read_only: bool,
    standby_names: String,
    checksums: bool,
    encrypted: bool,
    near: bool,
    free_connections: i64,
    /// Standbys that may confirm commits; those whose state this user may not see included.
    standbys: i64,
}

impl Server {
    fn read(r: &Row<'_>) -> Result<Self> {
        let on = |column| Ok::<_, crate::Error>(r.get::<&str>(column)? == "on");
        Ok(Self {
            version: r.get(0)?,
            fsync: on(1)?,
            synchronous_commit: r.get(2)?,
            full_page_writes: on(3)?,
            encoding: r.get(4)?,
            in_recovery: r.get(5)?,
            read_only: on(6)?,
            standby_names: r.get(7)?,
            checksums: on(8)?,
            encrypted: r.get(9)?,
            near: r.get(10)?,
            free_connections: r.get(11)?,
            standbys: r.get(12)?,
        })
    }

    fn durability(&self) -> Vec<Finding> {
        let mut found = vec![];
        if !self.fsync {
            found.push(refuses(
                "fsync",
                "fsync = off: mất điện là mất nhật ký đã trả lời",
                "fsync = off: a power cut loses entries that were answered",
                "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();",
            ));
        }
        if !self.full_page_writes {
            found.push(refuses(
                "full_page_writes",
                "full_page_writes = off: mất điện có thể làm hỏng trang dữ liệu",
                "full_page_writes = off: a power cut may tear pages",
                "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();",
            ));
        }
        if self.synchronous_commit == "off" {
            found.push(refuses(
                "synchronous_commit",
                "synchronous_commit = off: trả lời trước khi nhật ký nằm trên đĩa",
                "synchronous_commit = off: replies would leave before their entry is on disk",
                "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();",
            ));
        }
        if !self.checksums {
            found.push(warns(
                "data_checksums",
                "cụm dữ liệu không có mã kiểm tra trang: đĩa hỏng có thể không được phát hiện",
                "the cluster has no page checksums: damage of the disk may go unnoticed",
                "pg_checksums --enable (server stopped)",
            ));
        }
        found
    }

    fn standbys(&self, wanted: Wanted) -> Vec<Finding> {
        let mut found = vec![];
        if wanted.nodes <= 1 {
            return found;
        }
        if self.standby_names.is_empty() {
            found.push(refuses(
                "synchronous_standby_names",
                "nhiều nút nhưng không có máy dự phòng đồng bộ: hỏng máy chính là mất nhật ký",
                "several nodes without a synchronous standby: losing the primary loses entries",
                "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (...)'; \
                 SELECT pg_reload_conf();",
            ));
        } else if !["on", "remote_apply", "off"].contains(&self.synchronous_commit.as_str()) {
            found.push(refuses(
                "synchronous_commit",
                "synchronous_commit không chờ đĩa của máy dự phòng",
                "synchronous_commit does not wait for the standby's disk",
                "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();",
            ));
        } else if self.standbys == 0 {
            found.push(warns(
                "standby",
                "máy dự phòng đồng bộ chưa kết nối: mọi lần ghi nhật ký đều chờ nó",
                "no synchronous standby is connected: every commit waits for one",
                "SELECT * FROM pg_stat_replication; (primary_conninfo of the standby)",
            ));
        }
        found
    }

    fn room(&self, wanted: Wanted) -> Option<Finding> {
        let (free, wanted) = (self.free_connections, i64::from(wanted.connections));
        (free < wanted).then(|| {
            warns(
                "connections",
                &format!("còn {free} kết nối trống, nút này cần tới {wanted}"),
                &format!("{free} connections are free, this node makes up to {wanted}"),
                "ALTER SYSTEM SET max_connections = ...; (restart), database.connections",
            )
        })
    }

    fn service(&self) -> Vec<Finding> {
        let mut found = vec![];
        if self.version < OLDEST {
            found.push(refuses(
                "server_version",
                "cần PostgreSQL 15 trở lên",
                "PostgreSQL 15 or newer is needed",
                "pg_upgrade",
            ));
        }
        if self.encoding != "UTF8" {
            found.push(refuses(
                "server_encoding",
                "cơ sở dữ liệu không dùng UTF8",
                "the database is not in UTF8",
                "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
            ));
        }
        if self.in_recovery || self.read_only {
            found.push(refuses(
                "primary",
                "máy chủ chỉ đọc hoặc là máy dự phòng",
                "the server is a standby or read-only",
                "name every host in the URL: postgres://user@host1,host2/database",
            ));
        }
        if !self.encrypted && !self.near {
            found.push(refuses(
                "tls",
                "kết nối tới cơ sở dữ liệu qua mạng không mã hóa",
                "the connection to the database crosses a network in clear",
                "database.rootCertificates",
            ));
        }
        found
    }
}

fn clock(offset: i64) -> Vec<Finding> {
    if offset.abs() <= CLOCK_MAX_MS {
        return vec![];
    }
    vec![Finding {
        id: "clock",
        refuses: true,
        vi: format!(
            "đồng hồ máy này lệch {offset} ms so với cơ sở dữ liệu (tối đa {CLOCK_MAX_MS})"
        ),
        en: format!("this machine and the database differ by {offset} ms (at most {CLOCK_MAX_MS})"),
        mend: "timedatectl set-ntp true",
    }]
}

fn refuses(id: &'static str, vi: &str, en: &str, mend: &'static str) -> Finding {
    Finding { id, refuses: true, vi: vi.to_owned(), en: en.to_owned(), mend }
}

fn warns(id: &'static str, vi: &str, en: &str, mend: &'static str) -> Finding {
    Finding { refuses: false, ..refuses(id, vi, en, mend) }
}
