//! An identity provider (OpenID Connect) by which people may sign in: the section `[identity]`.

use std::path::PathBuf;

use dancu_access::oidc::{Levels, is_address};

use super::keys::section;

section! {
    /// `[identity]`: the provider, and what this centre is to it.
    IdentityConfig {
        issuer = "issuer": Option<String> = None, "\"https://dinhdanh.example.vn\"",
            "Địa chỉ (issuer) của nơi định danh điện tử, đúng như nơi đó tự xưng: https, hoặc \
             http ngay trên máy này khi thử. Bỏ trống: không đăng nhập bằng cách này.",
            "Issuer of the identity provider, exactly as it calls itself: https, or http on this \
             machine for trials. Not set: nobody signs in this way.";
        name = "name": String = "định danh điện tử".into(), "",
            "Tên của nơi đó trên nút đăng nhập.",
            "What the provider is called on the sign-in button.";
        client_id = "clientId": Option<String> = None, "\"dancu\"",
            "Mã (client_id) mà nơi đó cấp. Địa chỉ trả về cần đăng ký ở đó: \
             portal.origin + /sign-in/oidc/callback; sau khi đăng xuất: portal.origin + /sign-in.",
            "Client id that the provider gave. To be registered there: the redirect URI \
             portal.origin + /sign-in/oidc/callback; after sign-out: portal.origin + /sign-in.";
        client_secret_file = "clientSecretFile": Option<PathBuf> = None,
            "\"/etc/dancu/identity.secret\"",
            "Tệp chứa bí mật của client (client_secret_basic, client_secret_post).",
            "File with the client's secret (client_secret_basic, client_secret_post).";
        private_key_file = "privateKeyFile": Option<PathBuf> = None, "\"/etc/dancu/identity.key\"",
            "Tệp PEM (PKCS#8) chứa khóa riêng để ký khẳng định (private_key_jwt), thay cho bí mật: \
             RSA, P-256, P-384 hoặc Ed25519.",
            "PEM file (PKCS#8) with the private key that signs assertions (private_key_jwt), in \
             place of a secret: RSA, P-256, P-384 or Ed25519.";
        private_key_id = "privateKeyId": Option<String> = None, "\"dancu-2026\"",
            "Mã (kid) của khóa đó ở nơi định danh, nếu cần.",
            "The id (kid) by which the provider knows that key, where it asks for one.";
        scopes = "scopes": Vec<String> = vec!["openid".into()], "",
            "Phạm vi (scope) xin nơi định danh; phải có openid.",
            "Scopes that are asked for; openid has to be among them.";
        levels = "levels": Vec<String> = vec![], "[\"1\", \"2\"]",
            "Các mức bảo đảm (acr) mà nơi đó dùng, từ thấp đến cao.",
            "Assurance levels (acr) of the provider, from the weakest to the strongest.";
        strong_level = "strongLevel": Option<String> = None, "\"2\"",
            "Từ mức này trở lên được coi là đã có yếu tố thứ hai. Dưới mức đó: cán bộ phải dùng \
             yếu tố của mình, công dân không vào được. Bỏ trống: không mức nào đủ.",
            "From this level on the identity stands for a second factor. Below it staff use their \
             own factor and citizens are refused. Not set: no level is enough.";
        staff = "staff": bool = true, "",
            "true: cán bộ có số định danh trong tài khoản được đăng nhập bằng cách này.",
            "true: staff whose account has their personal id may sign in this way.";
        citizens = "citizens": bool = false, "",
            "true: công dân được đăng nhập để xem dữ liệu của mình và ai đã xem. Cần strongLevel.",
            "true: citizens may sign in and see their own data and who looked. Needs strongLevel.";
        ca_file = "caFile": Option<PathBuf> = None, "\"/etc/dancu/identity-ca.crt\"",
            "Tệp PEM các CA được tin khi gọi nơi định danh; bỏ trống: của hệ điều hành.",
            "PEM file of the CAs that are trusted for the provider; not set: the system's own.";
    }
}

impl IdentityConfig {
    /// Values that have the right type and are wrong all the same: key and why.
    pub fn wrong(&self) -> Vec<(&'static str, String)> {
        let Some(issuer) = &self.issuer else { return vec![] };
        let strong = self.strong_level.as_deref();
        let words = self.scopes.iter().chain(&self.levels);
        let word = |w: &String| !w.is_empty() && w.bytes().all(|b| b.is_ascii_graphic());
        let rows = [
            (
                !is_address(issuer) || issuer.contains('?'),
                "issuer",
                "cần https:// và tên máy, hoặc http:// trên chính máy này (https, or http on this \
                 machine)",
            ),
            (
                self.client_id.as_ref().is_none_or(String::is_empty),
                "clientId",
                "cần có khi đặt issuer (needed with issuer)",
            ),
            (
                self.client_secret_file.is_some() && self.private_key_file.is_some(),
                "privateKeyFile",
                "chọn bí mật hoặc khóa riêng, không cả hai (either a secret or a key)",
            ),
            (
                !self.scopes.iter().any(|scope| scope == "openid"),
                "scopes",
                "phải có openid (openid has to be among them)",
            ),
            (!words.clone().all(word), "scopes", "chữ không dấu, không khoảng trắng (plain words)"),
            (
                Levels::new(self.levels.clone(), strong).is_none(),
                "strongLevel",
                "phải là một trong levels (one of levels)",
            ),
            (
                self.citizens && strong.is_none(),
                "strongLevel",
                "cần có khi công dân được đăng nhập (needed where citizens sign in)",
            ),
        ];
        let wrong = rows.into_iter().filter(|(is_wrong, ..)| *is_wrong);
        wrong.map(|(_, key, why)| (key, why.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> IdentityConfig {
        IdentityConfig {
            issuer: Some("https://dinhdanh.example.vn".into()),
            client_id: Some("dancu".into()),
            levels: vec!["1".into(), "2".into()],
            strong_level: Some("2".into()),
            citizens: true,
            ..IdentityConfig::default()
        }
    }

    #[test]
    fn what_cannot_work_is_told() {
        assert_eq!(good().wrong(), []);
        assert_eq!(IdentityConfig::default().wrong(), [], "nothing is set up");
        let keys = |config: IdentityConfig| {
            config.wrong().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        for issuer in ["http://dinhdanh.example.vn", "dinhdanh", "https://a.vn/?x=1", ""] {
            assert_eq!(keys(IdentityConfig { issuer: Some(issuer.into()), ..good() }), ["issuer"]);
        }
        assert_eq!(keys(IdentityConfig { client_id: None, ..good() }), ["clientId"]);
        let file = Some(PathBuf::from("x"));
        let both =
            IdentityConfig { client_secret_file: file.clone(), private_key_file: file, ..good() };
        assert_eq!(keys(both), ["privateKeyFile"]);
        assert_eq!(keys(IdentityConfig { scopes: vec!["profile".into()], ..good() }), ["scopes"]);
        assert_eq!(keys(IdentityConfig { levels: vec!["1".into()], ..good() }), ["strongLevel"]);
        assert_eq!(keys(IdentityConfig { strong_level: None, ..good() }), ["strongLevel"]);
        assert_eq!(keys(IdentityConfig { strong_level: None, citizens: false, ..good() }), [""; 0]);
    }
}
