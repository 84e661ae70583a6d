//! What systems are told by `[webhooks]`: whether receivers can be trusted at all.

use super::{Check, State};
use crate::config::Config;
use crate::outgoing::Trust;

const WEBHOOKS: [&str; 3] = [
    "webhooks",
    "sự kiện gửi tới hệ thống (webhooks)",
    "Đặt webhooks.caFile hoặc cài các CA của hệ điều hành (set webhooks.caFile, or install the \
     system's CAs).",
];

/// Reads what the sender would; nobody is asked.
pub fn check(config: &Config) -> Check {
    let config = &config.webhooks;
    if !config.enabled {
        return Check::new(WEBHOOKS, State::Ok, "tắt: không gửi gì (switched off)");
    }
    match Trust::open(config.ca_file.as_deref()) {
        Ok(trust) if trust.any => {
            let found = format!(
                "gửi tới địa chỉ công khai và {} mạng được mở (public addresses and networks \
                 that are open)",
                config.networks.len()
            );
            Check::new(WEBHOOKS, State::Ok, found)
        }
        Ok(_) => {
            let found = "không có CA nào để tin: mọi lần gửi đều hỏng (no CA to trust)";
            Check::new(WEBHOOKS, State::Warn, found)
        }
        Err(error) => Check::new(WEBHOOKS, State::Fail, format!("{error:#}")),
    }
}
