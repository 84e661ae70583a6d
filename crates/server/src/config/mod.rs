//! Configuration of a centre: defaults, then the TOML file, then the environment.
//!
//! Each key has one line in a `section!` below: the struct, `dancu config example` and the name of
//! its variable follow from it. To add a key: a line there, its use, and, where a value can be
//! wrong, a line in [`Config::wrong`].

pub mod conformance;
pub mod database;
pub mod dossiers;
mod example;
pub mod identity;
pub mod keys;
pub mod mail;
mod read;
#[cfg(test)]
mod tests;
pub mod webhooks;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use serde::{Deserialize, Serialize};

use self::conformance::ConformanceConfig;
pub use self::database::Database;
use self::dossiers::DossierConfig;
pub use self::example::render as example;
use self::identity::IdentityConfig;
use self::keys::{Row, Section, section};
use self::mail::MailConfig;
use self::webhooks::WebhookConfig;
use crate::cli;
use crate::keys::config::KeysConfig;
use crate::proxy::Network;
use crate::tls::config::{HttpConfig, TlsConfig};

section! {
    /// The whole configuration.
    Config {
        data = "data": PathBuf = "dancu-data".into(), "",
            "Thư mục dữ liệu. Chỉ tài khoản chạy dancu được đọc (chmod 700).",
            "Data folder. Only the account that runs dancu should read it (chmod 700).";
        listen = "listen": SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)), "",
            "Địa chỉ và cổng lắng nghe. HTTP không mã hóa chỉ mở ở loopback, trừ khi \
             http.plainHttp cho phép.",
            "Address and port to listen on. Plain HTTP opens on loopback only, unless \
             http.plainHttp says otherwise.";
        base_url = "baseUrl": Option<String> = None, "\"https://dancu.example.vn\"",
            "URL mà các hệ thống kết nối dùng để gọi, không có dấu / ở cuối; bỏ trống: địa \
             chỉ trên, với https:// khi tls.mode khác off. Nó nằm trong WSDL, OpenAPI và là đối \
             tượng (aud) mà khẳng định của máy khách phải nêu.",
            "URL by which connected systems call, without a slash at its end; not set: the \
             address above, with https:// unless tls.mode is off. It stands in the WSDL and in \
             OpenAPI, and is the audience that client assertions have to name.";
        regulation = "regulation": Option<PathBuf> = None, "\"/etc/dancu/regulation.toml\"",
            "Tệp con số của quy định; bỏ trống: bản đi kèm chương trình.",
            "Regulation profile; not set: the one that ships with the program.";
        anchor = "anchor": Option<PathBuf> = None, "\"/mnt/other/dancu.anchor\"",
            "Tệp neo: nhật ký đã đến đâu, để nhận ra một bản dữ liệu cũ. Nên để ở đĩa khác; bỏ \
             trống: head.anchor trong thư mục dữ liệu.",
            "The anchor: how far the journal has come, so that an older copy of the data is \
             recognised. Better on another disk; not set: head.anchor in the data folder.";
        sandbox = "sandbox": bool = false, "",
            "true: phục vụ dữ liệu của môi trường thử do `dancu demo` lập, theo đồng hồ đã dời của \
             nó. Người trong đó đều là giả. false: từ chối dữ liệu như vậy.",
            "true: serve a sandbox's data that `dancu demo` made, by its moved clock. Everybody in \
             it is made up. false: such data is refused.";
        database = "database": Database = Database::default(), "",
            "Cơ sở dữ liệu: SQLite trong thư mục dữ liệu, hoặc PostgreSQL cho nhiều nút.",
            "The database: SQLite in the data folder, or PostgreSQL for several nodes.";
        log = "log": Log = Log::default(), "",
            "Nhật ký kỹ thuật ra stderr, không có dữ liệu cá nhân.",
            "Technical log on stderr, without personal data.";
        metrics = "metrics": Metrics = Metrics::default(), "",
            "Số đo dạng Prometheus tại /metrics, không có dữ liệu cá nhân.",
            "Figures in the Prometheus form at /metrics, without personal data.";
        http = "http": HttpConfig = HttpConfig::default(), "",
            "Giới hạn của kết nối, và những gì được tin từ proxy đứng trước.",
            "Limits of connections, and what is believed of a reverse proxy.";
        tls = "tls": TlsConfig = TlsConfig::default(), "",
            "Chứng thư của chương trình và của bên gọi.",
            "Certificates of the program and of its callers.";
        portal = "portal": PortalConfig = PortalConfig::default(), "",
            "Cổng của cán bộ: trang web để đăng nhập và làm việc.",
            "The portal: pages in which people sign in and work.";
        identity = "identity": IdentityConfig = IdentityConfig::default(), "",
            "Nơi định danh điện tử (OpenID Connect) để cán bộ và công dân đăng nhập; không có thì \
             không hiện nút.",
            "Identity provider (OpenID Connect) by which staff and citizens sign in; without one \
             there is no button.";
        mail = "mail": MailConfig = MailConfig::default(), "",
            "Máy chủ gửi thư thông báo; không có thì thông báo chỉ hiện trong cổng.",
            "The server for mail about notices; without one they stand in the portal only.";
        conformance = "conformance": ConformanceConfig = ConformanceConfig::default(), "",
            "Môi trường thử mà báo cáo kiểm thử đã ký của chúng hoàn thành bước kiểm thử của hồ \
             sơ.",
            "Sandboxes whose signed conformance reports close the sandbox step of a dossier.";
        keys = "keys": KeysConfig = KeysConfig::default(), "",
            "Thiết bị PKCS#11 giữ khóa chủ; không có thì khóa chủ ở tệp.",
            "PKCS#11 device that holds the master key; without one the key is in a file.";
        dossiers = "dossiers": DossierConfig = DossierConfig::default(), "",
            "Tệp mà các đơn vị gửi kèm hồ sơ: dung lượng, phần mềm quét mã độc.",
            "Files that units bring with dossiers: their size, and what scans them.";
        webhooks = "webhooks": WebhookConfig = WebhookConfig::default(), "",
            "Sự kiện gửi có chữ ký tới phần mềm của đơn vị.",
            "Signed events that are sent to software of agencies.";
    }
}

section! {
    /// Structured logs on stderr.
    Log {
        level = "level": String = "warn,dancu=info".into(), "",
            "Mức chi tiết: error, warn, info, debug, trace; theo phần: dancu=debug. Biến DANCU_LOG \
             đứng trên khóa này.",
            "Level: error, warn, info, debug, trace; by part: dancu=debug. The variable DANCU_LOG \
             stands above this key.";
        format = "format": LogFormat = LogFormat::Text, "",
            "Dạng: \"text\" cho người đọc, \"json\" cho máy, mỗi dòng một đối tượng.",
            "Form: \"text\" for people, \"json\" for machines, one object per line.";
    }
}

section! {
    /// `GET /metrics`.
    Metrics {
        from = "from": Vec<Network> = LOOPBACK.iter().flat_map(|n| n.parse()).collect(), "",
            "Địa chỉ hoặc mạng được đọc /metrics; nơi khác nhận 404. Danh sách rỗng: không ai. \
             Sau proxy, bên gọi thật được xét nếu proxy nằm trong http.trustedProxies; nếu không, \
             proxy phải tự chặn đường dẫn này.",
            "Addresses or networks that may read /metrics; others get 404. An empty list: nobody. \
             Behind a proxy the caller itself is looked at where the proxy is one of \
             http.trustedProxies; otherwise the proxy has to refuse this path.";
    }
}

section! {
    /// Pages of people.
    PortalConfig {
        enabled = "enabled": bool = true, "",
            "false: nút này chỉ phục vụ các hệ thống, không có trang cho người.",
            "false: this node serves systems only and has no pages for people.";
        origin = "origin": Option<String> = None, "\"https://dancu.example.vn\"",
            "Địa chỉ mà người dùng mở trong trình duyệt, không có dấu / ở cuối; bỏ trống: baseUrl. \
             Khóa đăng nhập (passkey) gắn với tên máy chủ trong đó; đổi tên thì phải đăng ký lại.",
            "Address that people open in their browser, without a slash at its end; not set: \
             baseUrl. Passkeys are bound to its host: where that changes they are enrolled anew.";
        help_phone = "helpPhone": Option<String> = None, "\"1900 0000\"",
            "Số điện thoại hỗ trợ hiện trên mọi trang và trong mọi lời từ chối.",
            "Telephone of support, shown on every page and in every refusal.";
        unit_networks = "unitNetworks": Vec<Network> = vec![], "[\"203.0.113.0/24\"]",
            "Mạng đã đăng ký của các đơn vị: nhiều cán bộ sau một địa chỉ, nên giới hạn trước khi \
             đăng nhập rộng hơn.",
            "Registered networks of units: many officers behind one address, so that limits before \
             sign-in are wider there.";
    }
}

/// The machine itself.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Form of the logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The keys above the first table, and the tables: both are keys of [`Config`].
const TOP: (&[Row], &[Row]) = Config::ROWS.split_at(6);

/// Every section, in the order of the example; the first one has no name.
const SECTIONS: &[Section] = &[
    Section { name: "", vi: "", en: "", rows: TOP.0 },
    table(TOP.1[0], Database::ROWS),
    table(TOP.1[1], Log::ROWS),
    table(TOP.1[2], Metrics::ROWS),
    table(TOP.1[3], HttpConfig::ROWS),
    table(TOP.1[4], TlsConfig::ROWS),
    table(TOP.1[5], PortalConfig::ROWS),
    table(TOP.1[6], IdentityConfig::ROWS),
    table(TOP.1[7], MailConfig::ROWS),
    table(TOP.1[8], ConformanceConfig::ROWS),
    table(TOP.1[9], KeysConfig::ROWS),
    table(TOP.1[10], DossierConfig::ROWS),
    table(TOP.1[11], WebhookConfig::ROWS),
];

const fn table((name, _, vi, en): Row, rows: &'static [Row]) -> Section {
    Section { name, vi, en, rows }
}

impl Config {
    /// Reads a file and the environment; tells everything that is wrong at once.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("không đọc được {} (configuration)", path.display()))?;
        read::parse(&text, &variables()).with_context(|| path.display().to_string())
    }

    /// Defaults with the environment over them: for commands that are told of no file. What is
    /// wrong is told as for one.
    pub fn without_file() -> anyhow::Result<Self> {
        Ok(read::parse("", &variables())?)
    }

    /// Defaults with what the environment says of logs and figures: so a command that has nothing
    /// to do with the rest does not fail by it.
    pub fn of_telemetry() -> anyhow::Result<Self> {
        Ok(read::parse("", &about(&["DANCU_LOG_", "DANCU_METRICS_"]))?)
    }

    /// The same with the data's place and keys, an identity provider and a mail server where they
    /// are tried out: a sandbox has its own address, regulation and anchor, whatever the
    /// environment of a centre says.
    pub fn of_sandbox() -> anyhow::Result<Self> {
        let sandbox = [
            "DANCU_DATA",
            "DANCU_DATABASE_",
            "DANCU_DOSSIERS_",
            "DANCU_IDENTITY_",
            "DANCU_KEYS_",
            "DANCU_LOG_",
            "DANCU_MAIL_",
            "DANCU_METRICS_",
            "DANCU_WEBHOOKS_",
        ];
        Ok(read::parse("", &about(&sandbox))?)
    }

    /// Values that have the right type and are wrong all the same: path of the key and why.
    fn wrong(&self) -> Vec<(String, String)> {
        let mut out = vec![];
        let front = self.http.wrong(self.listen, &self.tls).into_iter().chain(self.tls.wrong());
        out.extend(front.map(|(path, text)| (path.to_owned(), text)));
        if self.base_url.as_deref().is_some_and(|url| !is_base_url(url)) {
            let text = "cần http:// hoặc https:// và tên máy, không có / ở cuối (an http or https \
                        URL without a slash at its end)";
            out.push(("baseUrl".to_owned(), text.to_owned()));
        }
        if self.data.as_os_str().is_empty() {
            out.push(("data".to_owned(), "để trống, cần thư mục (an empty name)".to_owned()));
        }
        if self.data.is_file() {
            out.push(("data".to_owned(), "là tệp, cần thư mục (a file, not a folder)".to_owned()));
        }
        if let Err(error) = profiles(self.regulation.as_deref()) {
            out.push(("regulation".to_owned(), cli::causes(&error)));
        }
        let database = self.database.wrong().into_iter();
        out.extend(database.map(|(key, text)| (format!("database.{key}"), text)));
        let identity = self.identity.wrong().into_iter();
        out.extend(identity.map(|(key, text)| (format!("identity.{key}"), text)));
        let mail = self.mail.wrong().into_iter();
        out.extend(mail.map(|(key, text)| (format!("mail.{key}"), text)));
        let conformance = self.conformance.wrong().into_iter();
        out.extend(conformance.map(|(key, text)| (format!("conformance.{key}"), text)));
        let dossiers = self.dossiers.wrong().into_iter();
        out.extend(dossiers.map(|(key, text)| (format!("dossiers.{key}"), text)));
        if let Err(error) = crate::telemetry::log::filter(&self.log.level) {
            out.push(("log.level".to_owned(), error.to_string()));
        }
        out
    }
}

fn is_base_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.ends_with('/')
            && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '?' | '#'))
    })
}

/// Variables of the environment that begin as ours do, sorted.
fn variables() -> Vec<(String, String)> {
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|n| n.starts_with("DANCU_"))?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let mut out: Vec<_> = ours.collect();
    out.sort();
    out
}

/// Those of a few keys: whole names, or beginnings that end in an underscore.
fn about(names: &[&str]) -> Vec<(String, String)> {
    let mut out = variables();
    out.retain(|(name, _)| {
        names.iter().any(|n| name == n || (n.ends_with('_') && name.starts_with(n)))
    });
    out
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
