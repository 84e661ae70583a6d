//! Job plans, and account lists that systems sent.

use std::error::Error;

use dancu_portal::chart::HOURS;
use dancu_portal::parts::states;
use dancu_portal::plans::{
    Acts, Event, PlanForm, PlanPage, PlanRow, Plans, Stop, Strip, Typed, WindowField, states as own,
};
use dancu_portal::sent::{Sent, SentList, SentRow};

use super::{Preview, choice, wrong};

impl Preview {
    fn plan(&self, number: i64, state: dancu_portal::parts::State, used: Option<u64>) -> PlanRow {
        PlanRow {
            number,
            system: "ONESTOP".into(),
            unit: "H26.001".into(),
            services: self.say("Xác thực theo lô, Danh sách công dân", "Batch verify, Lists"),
            days: "01/12/2026 – 31/12/2026".into(),
            hours: self.say("Ngoài giờ 22:00–05:00", "Off hours 22:00–05:00"),
            daily: 70_000,
            used,
            state,
            href: format!("/unit/plans/{number}"),
        }
    }

    fn strip() -> Strip {
        let (mut taken, mut own) = ([0; HOURS], [0; HOURS]);
        taken[11..20].fill(1_200_000);
        own[15..22].fill(900_000);
        Strip::new(taken, own, 2_000_000, 420)
    }

    pub(super) fn plans(&self) -> Result<(), Box<dyn Error>> {
        let list = |waiting, others, centre| Plans {
            t: self.t.clone(),
            s: self.shell(if centre { "operator" } else { "head" }, "/unit/plans"),
            centre,
            waiting,
            others,
            told: None,
        };
        let waiting = vec![self.plan(3, own::ANNOUNCED, None)];
        let others =
            vec![self.plan(2, own::RUNNING, Some(61_000)), self.plan(1, states::REFUSED, None)];
        self.write("plans", &list(waiting, others, false))?;
        self.write(
            "plans-centre",
            &list(vec![self.plan(3, own::ACKNOWLEDGED, None)], vec![], true),
        )?;
        self.write("plans-empty", &list(vec![], vec![], false))?;
        let window = |key, name, chosen| WindowField {
            key,
            name,
            chosen,
            from: "22:00".into(),
            to: "05:00".into(),
        };
        let form = PlanForm {
            t: self.t.clone(),
            s: self.shell("integrator", "/unit/plans/new"),
            errors: vec![wrong("hours", self.t.get("planform-clock-wrong"))],
            systems: vec![choice("1", "ONESTOP", true)],
            services: vec![choice("10", &self.say("Xác thực theo lô", "Batch verify"), true)],
            windows: vec![window("window-in", "in", false), window("window-off", "off", true)],
            own_count: true,
            cap: 1_000,
            typed: Typed { from: "01/12/2026".into(), to: "31/12/2026".into(), ..<_>::default() },
            strip: Self::strip(),
            once: "0".repeat(32),
        };
        self.write("plan-form", &form)?;
        let event = |key, rule, reason: &str| Event {
            key,
            time: "14:05 24/11/2026".into(),
            by: "Lê Tích Hợp Mẫu".into(),
            rule,
            reason: reason.into(),
        };
        let page = PlanPage {
            t: self.t.clone(),
            s: self.shell("operator", "/centre/plans/2"),
            errors: vec![],
            row: self.plan(2, own::ACKNOWLEDGED, Some(61_000)),
            list: "/centre/plans",
            own_count: true,
            account: "kehoach.doisoat.thue".into(),
            contact: super::LONG_NAME.into(),
            phone: "0900 000 000".into(),
            purpose: self.say("Đối soát mã số thuế cá nhân", "Match tax numbers"),
            strip: Self::strip(),
            history: vec![
                event("plan-step-announced", "", "Chạy lô hằng đêm"),
                event("plan-step-acknowledged", "", ""),
                event("plan-step-refused", "D7", "Trùng giờ sao lưu"),
            ],
            acts: Acts {
                decide: true,
                acknowledge: true,
                stop: Some(Stop::End),
                ..Acts::default()
            },
            rules: vec![choice("D5", &self.t.get("rule-D5"), false)],
            sent: "",
            reason: String::new(),
            told: Some("plans-told-acknowledged"),
        };
        self.write("plan", &page)?;
        self.sent()
    }

    fn sent(&self) -> Result<(), Box<dyn Error>> {
        let row = |field, name: &str, change| SentRow {
            field,
            value: "1".into(),
            chosen: true,
            name: name.into(),
            login: "uyen.npbqtht@hoamaivang.mau".into(),
            role: self.say("Tiếp nhận hồ sơ hộ tịch", "Counter"),
            daily: "30".into(),
            purpose: self.say("Giải quyết thủ tục hộ tịch", "Civil status"),
            change,
        };
        let list = SentList {
            number: 7,
            system: "ONESTOP".into(),
            sent: "14:05 24/11/2026".into(),
            over: "0".repeat(32),
            added: 1,
            changed: 1,
            missing: 1,
            same: 12,
            wrong: 0,
            more: 0,
            most: false,
            takes_most: true,
            services: vec![choice("0", &self.say("Xác thực", "Verify"), true)],
            rows: vec![
                row("gone", super::OFFICER, states::REVOKED),
                row("row", super::LONG_NAME, states::ADDED),
                row("row", super::OFFICER, states::CHANGED),
            ],
        };
        for (name, lists) in [("sent", vec![list]), ("sent-empty", vec![])] {
            let (t, s) = (self.t.clone(), self.shell("head", "/unit/accounts-by-api"));
            self.write(name, &Sent { t, s, errors: vec![], lists, told: None })?;
        }
        Ok(())
    }
}
