//! The server's certificate: readable, fitting its key and names, valid, and for how long.

use dancu_domain::moment::{DAY_MS, Moment};

use super::{Check, State};
use crate::clock::machine_ms;
use crate::config::Config;
use crate::tls;
use crate::tls::config::TlsMode;

const CERTIFICATES: [&str; 3] = [
    "certificates",
    "chứng thư (certificates)",
    "Gia hạn chứng thư, hoặc sửa tệp được nêu trong [tls]; dancu nhận tệp mới mà không cần khởi \
     động lại (renew or mend the file named; no restart is needed).",
];

/// Reads the files of `[tls]` as serving would.
pub fn check(config: &Config) -> Check {
    let now = machine_ms();
    match tls::inspect(&config.tls, &config.data, now) {
        Ok(Some(facts)) => {
            let days = (facts.until_ms - now) / DAY_MS;
            let until = Moment(facts.until_ms).rfc3339();
            let found = format!("{}, đến {until}, còn {days} ngày (days left)", facts.subject);
            let state = match facts.until_ms - now {
                ..=0 => State::Fail,
                1..tls::WARN_MS => State::Warn,
                _ => State::Ok,
            };
            Check::new(CERTIFICATES, state, found)
        }
        Ok(None) if config.tls.mode == TlsMode::Off => {
            let found = "TLS tắt, HTTP không mã hóa (TLS is off, plain HTTP)";
            let state = if config.listen.ip().is_loopback() { State::Ok } else { State::Warn };
            Check::new(CERTIFICATES, state, found)
        }
        Ok(None) => {
            let found = "CA thử nghiệm sẽ được lập khi chạy (made when serving begins)";
            Check::new(CERTIFICATES, State::Ok, found)
        }
        Err(error) => Check::new(CERTIFICATES, State::Fail, format!("{error:#}")),
    }
}
