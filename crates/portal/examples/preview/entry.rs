//! Sign-in, lock and error pages.

use std::error::Error;

use std::fmt::Write as _;

use dancu_portal::entry::{
    Again, ChangePassword, Confirm, Enrol, EnrolApp, GoOn, Lock, Offered, Prove, ProviderLinks,
    RecoveryCodes, Refused, SecondFactor, SignIn, Welcome, Why,
};
use dancu_portal::error::{ErrorPage, Wrong};
use dancu_portal::parts::Refusal;

use super::{OFFICER, Preview, wrong};

impl Preview {
    pub(super) fn entry(&self) -> Result<(), Box<dyn Error>> {
        self.sign_ins()?;
        self.second_factors()?;
        self.passwords()?;
        self.lock_screens()?;
        for (name, wrong) in [
            ("404", Wrong::Missing),
            ("429", Wrong::TooMany),
            ("503", Wrong::Busy),
            ("forged", Wrong::Forged),
            ("insecure", Wrong::Insecure),
            ("too-large", Wrong::TooLarge),
        ] {
            let bare = matches!(wrong, Wrong::Missing | Wrong::Insecure);
            self.write(
                &format!("error-{name}"),
                &ErrorPage {
                    t: self.t.clone(),
                    s: if bare { self.bare("/x") } else { self.shell("officer", "/counter") },
                    wrong,
                    again: (wrong == Wrong::TooMany).then(|| "14:07".into()),
                    code: "DC-7Q2M-94KX".into(),
                },
            )?;
        }
        Ok(())
    }

    fn sign_ins(&self) -> Result<(), Box<dyn Error>> {
        let sign_in = |errors, captcha: bool, reason| SignIn {
            t: self.t.clone(),
            s: self.bare("/sign-in"),
            errors,
            login: String::new(),
            captcha: captcha.then(|| TASK.into()),
            wait: captcha.then_some(12),
            provider: Some(ProviderLinks {
                name: "VNeID".into(),
                staff: Some("/sign-in/oidc?as=officer".into()),
                citizens: Some("/sign-in/oidc?as=citizen".into()),
                out: !captcha,
            }),
            reason,
            next: "/counter".into(),
        };
        self.write("sign-in", &sign_in(vec![], false, None))?;
        let sentence = self.say(
            "Tên đăng nhập hoặc mật khẩu không đúng. Kiểm tra lại cả hai rồi thử lại; quên mật \
             khẩu thì nhờ thủ trưởng đơn vị đặt lại.",
            "The login or the password is not right. Check both and try again; if the password is \
             forgotten, the head of the unit resets it.",
        );
        let ended = self.say(
            "Tài khoản vừa đăng nhập ở nơi khác nên phiên này đã kết thúc.",
            "The account signed in elsewhere, which ended this session.",
        );
        let errors = vec![wrong("password", sentence)];
        self.write("sign-in-error", &sign_in(errors, true, Some(ended)))
    }

    fn second_factors(&self) -> Result<(), Box<dyn Error>> {
        let factor = |app, errors| SecondFactor {
            t: self.t.clone(),
            s: self.bare("/sign-in/factor"),
            errors,
            captcha: None,
            wait: None,
            offered: Offered { app, key: true, recovery: true },
            ticket: "ticket".into(),
            next: String::new(),
        };
        self.write("second-factor", &factor(true, vec![]))?;
        let used =
            self.say("Mã khôi phục này đã được dùng.", "This recovery code was used before.");
        self.write("second-factor-key", &factor(false, vec![wrong("recovery", used)]))?;
        self.write(
            "confirm",
            &Confirm {
                t: self.t.clone(),
                s: self.shell("operator", "/operate/locks"),
                errors: vec![],
                wait: Some(12),
                offered: Offered { app: true, key: true, recovery: true },
                again: None,
                kept: "sealed".into(),
                back: "/".into(),
            },
        )?;
        self.write(
            "prove",
            &Prove {
                t: self.t.clone(),
                s: self.shell("officer", "/counter"),
                captcha: TASK.into(),
                kept: "sealed".into(),
            },
        )?;
        let enrol = |s, base, reason_key| Enrol {
            t: self.t.clone(),
            s,
            errors: vec![],
            base,
            reason_key,
            app: true,
            keys: true,
            ticket: "ticket".into(),
            next: String::new(),
        };
        self.write("enrol", &enrol(self.bare("/sign-in"), "/sign-in/enrol", "enrol-first"))?;
        let inside = self.shell("officer", "/account/factors");
        self.write("enrol-more", &enrol(inside, "/account/factors/add", "enrol-more"))?;
        let code =
            qrcode::QrCode::new(b"otpauth://totp/dancu:onestop.canbo1?secret=GEZDGNBVGY3TQOJQ")?;
        let side = code.width() as u32;
        let mut path = String::new();
        for (at, colour) in code.to_colors().iter().enumerate() {
            if *colour == qrcode::Color::Dark {
                let (x, y) = (at as u32 % side + 4, at as u32 / side + 4);
                write!(path, "M{x} {y}h1v1h-1z")?;
            }
        }
        self.write(
            "enrol-app",
            &EnrolApp {
                t: self.t.clone(),
                s: self.bare("/sign-in"),
                errors: vec![],
                base: "/sign-in/enrol",
                qr_size: side + 8,
                qr_path: path,
                secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
                uri: String::new(),
                ticket: "ticket".into(),
                next: String::new(),
            },
        )
    }

    fn passwords(&self) -> Result<(), Box<dyn Error>> {
        let same = self.say(
            "Mật khẩu mới trùng với một trong 10 mật khẩu gần nhất. Hãy chọn mật khẩu khác.",
            "The new password is one of the last 10. Choose another.",
        );
        let change = |s, errors, why, ticket| ChangePassword {
            t: self.t.clone(),
            s,
            errors,
            why,
            shortest: 8,
            ticket,
            wait: None,
            next: String::new(),
        };
        let errors = vec![wrong("fresh", same)];
        let forced = change(self.bare("/"), errors, Why::Given, Some("ticket".into()));
        self.write("password-forced", &forced)?;
        let aged = change(self.bare("/"), vec![], Why::Aged(60), Some("ticket".into()));
        self.write("password-aged", &aged)?;
        let shell = self.shell("officer", "/account/password");
        self.write("account-password", &change(shell, vec![], Why::Chosen(Some(90)), None))?;
        let codes = (0..10)
            .map(|n| format!("{:04}-WMQ7-{:04}-M0X8", 1357 + n * 811, 9753 - n * 577))
            .collect();
        self.write(
            "recovery-codes",
            &RecoveryCodes {
                t: self.t.clone(),
                s: self.bare("/sign-in"),
                codes,
                action: "/sign-in/codes",
                ticket: "ticket".into(),
                next: String::new(),
            },
        )
    }

    fn lock_screens(&self) -> Result<(), Box<dyn Error>> {
        self.write(
            "lock",
            &Lock {
                t: self.t.clone(),
                s: self.bare("/"),
                errors: vec![],
                wait: None,
                name: OFFICER.into(),
                since: "13:42".into(),
                passkey: true,
                password: true,
                again: None,
                kept: "sealed".into(),
            },
        )?;
        self.write(
            "lock-citizen",
            &Lock {
                t: self.t.clone(),
                s: self.bare("/"),
                errors: vec![],
                wait: None,
                name: OFFICER.into(),
                since: "13:42".into(),
                passkey: false,
                password: false,
                again: Some(Again { name: "VNeID".into(), href: "/sign-in/oidc".into() }),
                kept: "sealed".into(),
            },
        )?;
        let note =
            self.say("Mật khẩu còn 5 ngày là phải đổi.", "The password must be changed in 5 days.");
        self.write(
            "welcome",
            &Welcome {
                t: self.t.clone(),
                s: self.shell("officer", "/welcome"),
                notes: vec![(note, true), (self.t.get("welcome-replaced"), true)],
                next: "/counter".into(),
            },
        )?;
        let go_on = GoOn {
            t: self.t.clone(),
            s: self.shell("operator", "/operate/locks"),
            action: "/operate/locks/unlock".into(),
            fields: vec![("reason".into(), "x".into())],
            at_once: false,
        };
        self.write("go-on-again", &go_on)?;
        let refusal = Refusal {
            sentence: self.say(
                "Vai trò của tài khoản không có quyền làm việc này.",
                "No role of the account gives this power.",
            ),
            what_to_do: self.say(
                "Nhờ thủ trưởng đơn vị giao vai trò nếu công việc cần.",
                "Ask the head of the unit for the role if the work needs it.",
            ),
            whom: "1900 0999".into(),
            rule: "E1".into(),
            code: "DC-7Q2M-94KX".into(),
        };
        let s = self.shell("officer", "/unit/officers");
        self.write("refused", &Refused { t: self.t.clone(), s, refusal })
    }
}

/// A task whose answer is 3.
const TASK: &str = concat!(
    r#"{"algorithm":"SHA-256","maxnumber":512,"salt":"s","signature":"x","challenge":""#,
    "41242b9fae56fad4e6e77dfe33cb18d1c3fc583f988cf25ef9f2d9be0d440bbb",
    r#""}"#,
);
