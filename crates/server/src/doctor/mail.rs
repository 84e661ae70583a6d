//! The mail server of `[mail]`: whether it answers and lets this centre in.

use super::{Check, State};
use crate::config::Config;
use crate::mail::Mailer;
use crate::serve;

const MAIL: [&str; 3] = [
    "mail",
    "máy chủ gửi thư (mail server)",
    "Sửa [mail]: địa chỉ, TLS, tài khoản; thư đang chờ được gửi lại trong tám ngày (mend [mail]; \
     waiting mail is tried for eight days).",
];

/// Connects as the worker would; no mail is sent.
pub fn check(config: &Config) -> Check {
    let mailer = match Mailer::open(&config.mail) {
        Ok(Some(mailer)) => mailer,
        Ok(None) => {
            let found = "không gửi thư: thông báo chỉ hiện trong cổng (no mail is sent)";
            return Check::new(MAIL, State::Ok, found);
        }
        Err(error) => return Check::new(MAIL, State::Fail, format!("{error:#}")),
    };
    let answered = serve::runtime().map(|runtime| runtime.block_on(mailer.test()));
    match answered {
        Ok(Ok(())) => Check::new(MAIL, State::Ok, "máy chủ trả lời (it answers)"),
        Ok(Err(failed)) => Check::new(MAIL, State::Warn, failed.to_string()),
        Err(error) => Check::new(MAIL, State::Fail, error.to_string()),
    }
}
