//! What an operator may say about the front door: sections `[http]` and `[tls]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::anyhow;
use axum::http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::config::keys::section;
use crate::proxy::Network;

section! {
    /// `[http]`: limits of connections, and what is believed of a reverse proxy.
    HttpConfig {
        plain_http = "plainHttp": PlainHttp = PlainHttp::Loopback, "",
            "Khi [tls] tắt, HTTP không mã hóa mở ở đâu: \"loopback\", hoặc \"anywhere\" nếu mạng \
             đã được bảo vệ bằng cách khác.",
            "Where plain HTTP may listen while [tls] is off: \"loopback\", or \"anywhere\" in a \
             network that is protected by other means.";
        max_connections = "maxConnections": u32 = 10_000, "",
            "Số kết nối mở cùng lúc; kết nối thêm phải chờ. Luôn dưới số tệp tiến trình được mở.",
            "Connections open at once; further ones wait. Kept below the number of files that \
             the process may open.";
        header_seconds = "headerSeconds": u16 = 10, "",
            "Số giây để nhận trọn phần đầu của một yêu cầu; kết nối mới không gửi gì cũng bị cắt \
             sau chừng ấy.",
            "Seconds for the header of a request to arrive; a new connection that sends nothing \
             is cut after as long.";
        idle_seconds = "idleSeconds": u16 = 75, "",
            "Số giây một kết nối được để không giữa hai yêu cầu; nên dài hơn của proxy đứng trước.",
            "Seconds that a connection may be idle between requests; longer than those of a \
             proxy in front, so that the proxy closes first.";
        max_header_bytes = "maxHeaderBytes": u32 = 16_384, "",
            "Số byte tối đa của dòng yêu cầu và tiêu đề, ít nhất 8192; hơn thì trả 431.",
            "Most bytes of a request's line and headers, at least 8192; more is answered 431.";
        trusted_proxies = "trustedProxies": Vec<Network> = vec![], "",
            "Proxy được tin: địa chỉ hoặc mạng (\"10.1.0.0/16\"). Chỉ tin tiêu đề do chúng gửi.",
            "Reverse proxies that are believed: addresses or networks (\"10.1.0.0/16\"). The \
             headers below are believed from them only.";
        forwarded_header = "forwardedHeader": ForwardedHeader = ForwardedHeader::XForwardedFor, "",
            "Tiêu đề của proxy cho biết bên gọi: \"xForwardedFor\" (cùng X-Forwarded-Proto) hoặc \
             \"forwarded\" (RFC 7239). Tiêu đề kia bị bỏ qua, vì proxy có thể để lọt nó từ bên \
             ngoài.",
            "The proxy's header that names the caller: \"xForwardedFor\" (with X-Forwarded-Proto) \
             or \"forwarded\" (RFC 7239). The other one is ignored: a proxy that writes one may \
             let the caller's own text of the other through.";
        client_certificate_header = "clientCertificateHeader": Option<String> = None,
            "\"Client-Cert\"",
            "Tiêu đề mà proxy dùng để chuyển chứng thư của bên gọi (đã kiểm tra), dạng RFC 9440 \
             hoặc PEM mã hóa URL. Proxy phải xóa tiêu đề cùng tên từ bên ngoài.",
            "Header in which the proxy passes on the caller's certificate that it verified, in \
             the form of RFC 9440 or as URL-encoded PEM. The proxy has to remove a header of \
             that name that comes from outside.";
    }
}

section! {
    /// `[tls]`: the certificate of the program and those of its callers.
    TlsConfig {
        mode = "mode": TlsMode = TlsMode::Off, "",
            "\"off\"; \"files\": chứng thư của cơ quan; \"development\": tự lập CA thử nghiệm \
             trong thư mục dữ liệu.",
            "\"off\"; \"files\": a certificate of your own; \"development\": a CA for trials, made \
             in the folder tls of the data folder.";
        certificate = "certificate": Option<PathBuf> = None, "\"/etc/dancu/tls/server.crt\"",
            "\"files\": tệp PEM gồm chứng thư, rồi các chứng thư trung gian.",
            "\"files\": PEM file with the certificate, then its intermediates.";
        key = "key": Option<PathBuf> = None, "\"/etc/dancu/tls/server.key\"",
            "\"files\": tệp PEM chứa khóa riêng, không đặt mật khẩu.",
            "\"files\": PEM file with the private key, without a password.";
        names = "names": Vec<String> = vec![], "",
            "Tên hoặc địa chỉ mà bên gọi dùng. \"files\": chứng thư phải có đủ; \"development\": \
             được ghi vào chứng thư, cùng localhost và 127.0.0.1.",
            "Names or addresses that callers use. \"files\": the certificate must hold each; \
             \"development\": they are written into it, beside localhost and 127.0.0.1.";
        handshake_seconds = "handshakeSeconds": u16 = 10, "",
            "Số giây cho một lần bắt tay TLS.",
            "Seconds that a handshake may take.";
        reload_seconds = "reloadSeconds": u16 = 30, "",
            "Số giây giữa hai lần xem các tệp có đổi không; SIGHUP thì xem ngay.",
            "Seconds between looks at the files; SIGHUP looks at once.";
        hsts_seconds = "hstsSeconds": Option<u32> = None, "31536000",
            "Số giây trình duyệt phải giữ HTTPS (Strict-Transport-Security); 0: không gửi. Bỏ \
             trống: một năm, với \"development\" là 300.",
            "Seconds that browsers shall insist on TLS (Strict-Transport-Security); 0: not said. \
             Not set: a year, and 300 with \"development\".";
        client_certificates = "clientCertificates": ClientsMode = ClientsMode::Off, "",
            "Chứng thư của bên gọi: \"off\": không hỏi; \"optional\": có thì kiểm tra; \
             \"required\": không có thì không kết nối.",
            "Certificates of callers: \"off\": not asked for; \"optional\": verified where shown; \
             \"required\": no connection without.";
        trust_anchors = "trustAnchors": Option<PathBuf> = None, "\"/etc/dancu/tls/clients.crt\"",
            "Tệp PEM gồm chứng thư của các tổ chức cấp chứng thư cho bên gọi.",
            "PEM file with the certificates of the authorities that issue callers' certificates.";
        revocation_lists = "revocationLists": Option<PathBuf> = None,
            "\"/etc/dancu/tls/clients.crl\"",
            "Tệp PEM hoặc DER gồm danh sách thu hồi, mỗi tổ chức cấp một danh sách: chứng thư của \
             tổ chức không có danh sách bị từ chối.",
            "PEM or DER file with revocation lists, one for each issuer: a certificate of an \
             issuer without a list is refused then.";
    }
}

/// Where plain HTTP may listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlainHttp {
    /// On 127.0.0.0/8 and ::1 only.
    #[default]
    Loopback,
    /// On any address, asked for explicitly.
    Anywhere,
}

/// The header that names the caller behind a proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For` with `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Where the certificate comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TlsMode {
    /// Plain HTTP.
    #[default]
    Off,
    /// The operator's files.
    Files,
    /// A certificate authority of our own, for trials.
    Development,
}

/// Whether callers show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientsMode {
    /// Not asked for.
    #[default]
    Off,
    /// Verified where shown.
    Optional,
    /// No connection without.
    Required,
}

/// Keys whose values are wrong together or beyond what makes sense: path of the key and why.
pub type Wrong = Vec<(&'static str, String)>;

/// The first thing that is wrong, for those who begin to serve.
fn first(wrong: Wrong) -> anyhow::Result<()> {
    wrong.into_iter().next().map_or(Ok(()), |(_, text)| Err(anyhow!(text)))
}

fn above_zero(wrong: &mut Wrong, figures: &[(&'static str, u32)]) {
    let zero = figures.iter().filter(|(_, figure)| *figure == 0);
    wrong.extend(zero.map(|(key, _)| (*key, format!("{key} phải lớn hơn 0 (must be above 0)"))));
}

impl HttpConfig {
    /// Checks the figures and the listening address against `[tls]`. Errors name the key.
    pub fn check(&self, listen: SocketAddr, tls: &TlsConfig) -> anyhow::Result<()> {
        first(self.wrong(listen, tls))
    }

    /// Everything that [`HttpConfig::check`] refuses, by the key where it stands.
    pub fn wrong(&self, listen: SocketAddr, tls: &TlsConfig) -> Wrong {
        let mut out = vec![];
        let plain = tls.mode == TlsMode::Off && self.plain_http == PlainHttp::Loopback;
        if plain && !listen.ip().is_loopback() {
            let text = "HTTP không mã hóa chỉ được mở ở địa chỉ loopback: bật [tls], hoặc đặt \
                        http.plainHttp = \"anywhere\" nếu mạng đã được bảo vệ bằng cách khác \
                        (plain HTTP listens on loopback only)";
            out.push(("listen", text.to_owned()));
        }
        above_zero(
            &mut out,
            &[
                ("http.maxConnections", self.max_connections),
                ("http.headerSeconds", self.header_seconds.into()),
                ("http.idleSeconds", self.idle_seconds.into()),
            ],
        );
        if !(8_192..=1 << 20).contains(&self.max_header_bytes) {
            let text = "http.maxHeaderBytes phải từ 8192 đến 1048576 (must be within)";
            out.push(("http.maxHeaderBytes", text.to_owned()));
        }
        let Some(name) = &self.client_certificate_header else { return out };
        if name.parse::<HeaderName>().is_err() {
            let text = "http.clientCertificateHeader không phải tên tiêu đề (no header name)";
            out.push(("http.clientCertificateHeader", text.to_owned()));
        }
        if self.trusted_proxies.is_empty() {
            let text =
                "http.clientCertificateHeader cần http.trustedProxies (needs trusted proxies)";
            out.push(("http.clientCertificateHeader", text.to_owned()));
        }
        out
    }
}

impl TlsConfig {
    /// Checks that what belongs together is there. The files are read when serving begins.
    pub fn check(&self) -> anyhow::Result<()> {
        first(self.wrong())
    }

    /// Everything that [`TlsConfig::check`] refuses, by the key where it stands.
    pub fn wrong(&self) -> Wrong {
        let mut out = vec![];
        let files = [("tls.certificate", &self.certificate), ("tls.key", &self.key)];
        if self.mode == TlsMode::Files {
            if files.iter().any(|(_, file)| file.is_none()) {
                let text = "tls.mode = \"files\" cần tls.certificate và tls.key (needs both files)";
                out.push(("tls.mode", text.to_owned()));
            }
        } else if let Some((key, _)) = files.iter().find(|(_, file)| file.is_some()) {
            let text = "tls.certificate và tls.key chỉ dùng với tls.mode = \"files\" (only with \
                        that mode)";
            out.push((*key, text.to_owned()));
        }
        above_zero(
            &mut out,
            &[
                ("tls.handshakeSeconds", self.handshake_seconds.into()),
                ("tls.reloadSeconds", self.reload_seconds.into()),
            ],
        );
        if self.client_certificates == ClientsMode::Off {
            return out;
        }
        if self.mode == TlsMode::Off {
            let text = "tls.clientCertificates cần tls.mode khác \"off\" (client certificates need \
                        TLS)";
            out.push(("tls.clientCertificates", text.to_owned()));
        } else if self.trust_anchors.is_none() {
            let text = "tls.clientCertificates cần tls.trustAnchors (needs trust anchors)";
            out.push(("tls.clientCertificates", text.to_owned()));
        }
        out
    }

    /// Seconds of Strict-Transport-Security; 0 = not said.
    pub fn hsts(&self) -> u32 {
        let default = if self.mode == TlsMode::Development { 300 } else { 365 * 24 * 60 * 60 };
        self.hsts_seconds.unwrap_or(default)
    }
}
