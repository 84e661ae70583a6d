//! The server that takes this centre's mail: the section `[mail]`.

use std::path::PathBuf;

use dancu_domain::notices::is_address;

use super::keys::section;
use crate::mail::Place;

section! {
    /// `[mail]`: where mail about notices goes, and from whom.
    MailConfig {
        url = "url": Option<String> = None, "\"smtp://mail.example.vn:587\"",
            "Máy chủ nhận thư gửi đi: smtp:// (bắt buộc STARTTLS, trừ chính máy này) hoặc \
             smtps://. Bỏ trống: không gửi thư, thông báo chỉ hiện trong cổng.",
            "The server that takes outgoing mail: smtp:// (STARTTLS required, but on this machine) \
             or smtps://. Not set: no mail is sent, notices stand in the portal only.";
        from = "from": Option<String> = None, "\"dancu@dancu.example.vn\"",
            "Địa chỉ gửi. Thư bị trả lại về đây: chuyển cho `dancu mail-in`.",
            "Address of the sender. Bounces come back there: hand them to `dancu mail-in`.";
        name = "name": String = "dancu".into(), "",
            "Tên người gửi.",
            "Name of the sender.";
        user = "user": Option<String> = None, "\"dancu\"",
            "Tài khoản ở máy chủ thư, nếu cần.",
            "Account at the mail server, where it asks for one.";
        password_file = "passwordFile": Option<PathBuf> = None, "\"/etc/dancu/mail.password\"",
            "Tệp chứa mật khẩu của tài khoản đó.",
            "File with the password of that account.";
        ca_file = "caFile": Option<PathBuf> = None, "\"/etc/dancu/mail-ca.crt\"",
            "Tệp PEM các CA được tin khi gọi máy chủ thư; bỏ trống: của hệ điều hành.",
            "PEM file of the CAs that are trusted for the mail server; not set: the system's own.";
    }
}

impl MailConfig {
    /// Values that have the right type and are wrong all the same: key and why.
    pub fn wrong(&self) -> Vec<(&'static str, String)> {
        let Some(url) = &self.url else { return vec![] };
        let rows = [
            (
                Place::parse(url).is_none(),
                "url",
                "cần smtp:// hoặc smtps:// và tên máy (smtp or smtps, and a host)",
            ),
            (
                !self.from.as_deref().is_some_and(is_address),
                "from",
                "cần một địa chỉ thư khi đặt url (an address, needed with url)",
            ),
            (
                self.name.is_empty() || self.name.chars().any(char::is_control),
                "name",
                "một dòng chữ, không trống (one line, not empty)",
            ),
            (
                self.user.is_some() != self.password_file.is_some(),
                "passwordFile",
                "user và passwordFile đi cùng nhau (user and passwordFile go together)",
            ),
        ];
        let wrong = rows.into_iter().filter(|(is_wrong, ..)| *is_wrong);
        wrong.map(|(_, key, why)| (key, why.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_told() {
        let good = || MailConfig {
            url: Some("smtps://mail.example.vn".into()),
            from: Some("dancu@dancu.example.vn".into()),
            ..MailConfig::default()
        };
        let keys =
            |config: MailConfig| config.wrong().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert!(keys(good()).is_empty() && keys(MailConfig::default()).is_empty());
        assert_eq!(keys(MailConfig { url: Some("http://x.vn".into()), ..good() }), ["url"]);
        assert_eq!(keys(MailConfig { from: None, ..good() }), ["from"]);
        assert_eq!(keys(MailConfig { name: "a\r\nBcc: b".into(), ..good() }), ["name"]);
        assert_eq!(keys(MailConfig { user: Some("a".into()), ..good() }), ["passwordFile"]);
    }
}
