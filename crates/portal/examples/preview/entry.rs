//! Sign-in, lock and error pages.

use std::error::Error;

use dancu_portal::entry::{ChangePassword, Lock, RecoveryCodes, SecondFactor, SignIn};
use dancu_portal::error::ErrorPage;

use super::{OFFICER, Preview, wrong};

impl Preview {
    pub(super) fn entry(&self) -> Result<(), Box<dyn Error>> {
        let sign_in = |errors, captcha, reason_key| SignIn {
            t: self.t.clone(),
            s: self.bare("/sign-in"),
            errors,
            login: String::new(),
            captcha,
            provider: Some("VNeID".into()),
            reason_key,
        };
        self.write("sign-in", &sign_in(vec![], false, None))?;
        let sentence = self.say(
            "Tài khoản hoặc mật khẩu chưa đúng. Hãy kiểm tra phím Caps Lock và thử lại.",
            "Login or password is not right. Check Caps Lock and try again.",
        );
        let errors = vec![wrong("password", sentence)];
        self.write("sign-in-error", &sign_in(errors, true, Some("sign-in-ended-elsewhere")))?;
        self.write(
            "second-factor",
            &SecondFactor {
                t: self.t.clone(),
                s: self.bare("/sign-in/factor"),
                errors: vec![],
                passkey: true,
                may_enrol: true,
            },
        )?;
        let same = self.say(
            "Mật khẩu mới trùng với một trong 10 mật khẩu gần nhất. Hãy chọn mật khẩu khác.",
            "The new password is one of the last 10. Choose another.",
        );
        self.write(
            "password-forced",
            &ChangePassword {
                t: self.t.clone(),
                s: self.bare("/account/password"),
                errors: vec![wrong("fresh", same)],
                reason_key: "password-first",
            },
        )?;
        self.write(
            "account-password",
            &ChangePassword {
                t: self.t.clone(),
                s: self.shell("officer", "/account/password"),
                errors: vec![],
                reason_key: "password-chosen",
            },
        )?;
        let codes =
            (0..10).map(|n| format!("{:04}-{:04}", 1357 + n * 811, 9753 - n * 577)).collect();
        self.write(
            "recovery-codes",
            &RecoveryCodes { t: self.t.clone(), s: self.bare("/account/recovery-codes"), codes },
        )?;
        self.write(
            "lock",
            &Lock {
                t: self.t.clone(),
                s: self.bare("/counter"),
                errors: vec![],
                name: OFFICER.into(),
                since: "13:42".into(),
                passkey: true,
            },
        )?;
        for status in [403, 404, 429, 503] {
            self.write(
                &format!("error-{status}"),
                &ErrorPage {
                    t: self.t.clone(),
                    s: if status == 404 {
                        self.bare("/x")
                    } else {
                        self.shell("officer", "/counter")
                    },
                    status,
                    rule: (status == 403).then(|| "A6".into()),
                    again: (status == 429).then(|| "14:07".into()),
                    code: "DC-7Q2M-94KX".into(),
                },
            )?;
        }
        Ok(())
    }
}
