//! Synthetic drafts: verifications by one plan account about people who do not exist.

use dancu_domain::ids::{AccountId, LineId, SystemId};
use dancu_domain::lines::Intent;
use dancu_domain::moment::{Duty, Moment};
use dancu_domain::profile::Profiles;
use dancu_domain::registration::LineLimit;
use dancu_journal::{Features, Query, Subject};
use dancu_store::entries::{SearchKind, system_digest};
use dancu_store::ledger::{Decided, Draft};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Number of the only system, account and line.
const ROW: u32 = 1;

/// Makes drafts that differ in what differs from query to query: request id, body, case, subject.
pub struct Drafts {
    template: Query,
    begin: Moment,
    duty: Duty,
    epoch: u64,
    random: ChaCha8Rng,
    number: u64,
}

impl Drafts {
    /// Drafts that arrive at `begin` or later on the same duty day.
    pub fn new(profiles: &Profiles, begin: Moment, epoch: u64, seed: u64) -> Self {
        let duty = profiles.at(begin).hours.duty(begin);
        let template = Query {
            system: ROW,
            system_code: "BIG".to_owned(),
            unit: "G01.001".to_owned(),
            account: ROW,
            officer: "big.plan".to_owned(),
            protocol: 2,
            source: vec![127, 0, 0, 1],
            procedure: "1.004194".to_owned(),
            purpose: "Đăng ký thường trú".to_owned(),
            window: duty.window as u8,
            duty_day: duty.day.0,
            line: ROW,
            answer: 1,
            features: Features {
                province: 99,
                birth_year: 1990,
                line_limit: u32::MAX,
                account_daily: u32::MAX,
                ..Features::default()
            },
            ..Query::default()
        };
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { template, begin, duty, epoch, random, number: 0 }
    }

    /// The next draft, arriving `after_ms` after the beginning.
    pub fn next(&mut self, after_ms: i64) -> Draft {
        self.number += 1;
        let at = self.begin.plus_ms(after_ms);
        let pseudonym: [u8; 16] = self.random.random();
        let mut query = Box::new(self.template.clone());
        query.request_id = format!("b{:018x}", self.number);
        query.case = format!("BENCH-{}", self.number % 1_000);
        query.body = self.random.random();
        query.features.neighbourhood = self.random.next_u32();
        query.features.name = self.random.next_u32();
        let epoch = at.viet_nam_date().year().unsigned_abs();
        query.subjects = vec![Subject { delivered: true, epoch, pseudonym }];
        Draft {
            query,
            arrival: at,
            epoch: self.epoch,
            decided: Decided::Count(self.intent(at)),
            request_key: self.random.random(),
            answered: None,
            header: None,
            guard: None,
            // A subject stands in the entry: with it four items for the indexer, as in the gate.
            search: vec![
                (SearchKind::System as u8, system_digest(ROW)),
                (SearchKind::Account as u8, [1; 16]),
                (SearchKind::Case as u8, self.random.random()),
            ],
        }
    }

    fn intent(&self, at: Moment) -> Intent {
        Intent {
            at,
            duty: self.duty,
            system: SystemId(ROW),
            line: LineId(ROW),
            limit: LineLimit { count: u32::MAX, raise_began: None, raise_approved: None },
            account: AccountId(ROW),
            account_daily: u32::MAX,
            own_plan: None,
            items: 1,
            repeat: false,
            unread: false,
        }
    }
}
