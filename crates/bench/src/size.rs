//! The same load on two registries of different size: what a query costs must not grow with
//! the number of people.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::demo::{Caller, Demo};
use crate::http;
use crate::load::{self, Arrivals, LoadPlan, LoadReport};
use crate::report::Row;
use crate::requests::{self, RequestIds};
use crate::verify::{clean, probe, read_demo};

/// One running program.
pub struct Registry {
    /// Its `demo.json`.
    pub demo_json: PathBuf,
    /// More citizens than that names, if wanted.
    pub citizens: Option<PathBuf>,
    /// Its process.
    pub pid: u32,
}

/// What to do with both.
pub struct SizePlan {
    /// The calling system.
    pub system: String,
    /// Connections kept busy.
    pub connections: usize,
    /// Length of one round.
    pub round: Duration,
    /// Rounds per registry.
    pub rounds: u32,
}

/// Verifies over REST on both in turn; gives the figures of the small and of the large one.
pub async fn compare(plan: &SizePlan, pair: [&Registry; 2]) -> anyhow::Result<[Row; 2]> {
    anyhow::ensure!(plan.rounds > 0, "nothing to measure");
    let mut sides = [Target::open(plan, pair[0])?, Target::open(plan, pair[1])?];
    let mut reports = [LoadReport::default(), LoadReport::default()];
    for side in &mut sides {
        // Unmeasured: both begin warm.
        side.round(plan).await?;
    }
    for round in 0..plan.rounds as usize {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            reports[which].add(sides[which].round(plan).await?);
        }
    }
    Ok(reports.map(|report| Row::of(&report)))
}

struct Target {
    demo: Demo,
    caller: Caller,
    pid: u32,
    people: usize,
}

impl Target {
    fn open(plan: &SizePlan, registry: &Registry) -> anyhow::Result<Self> {
        let demo = read_demo(&registry.demo_json, registry.citizens.as_deref())?;
        let caller = demo.caller(&plan.system)?;
        let people = demo.citizens.len();
        Ok(Self { demo, caller, pid: registry.pid, people })
    }

    async fn round(&mut self, plan: &SizePlan) -> anyhow::Result<LoadReport> {
        let token = self.demo.token(&self.caller.system).await?;
        let (address, _) = http::local_address(&self.demo.base_url)?;
        let ids = RequestIds::of_now();
        // Each round begins with another citizen.
        self.demo.citizens.rotate_left(self.people / 3);
        let mut set = requests::rest_verify(&self.demo, &self.caller, &token, ids);
        probe(address, &mut set).await?;
        let load = LoadPlan {
            address,
            connections: plan.connections,
            duration: plan.round,
            arrivals: Arrivals::Closed,
            server_pid: Some(self.pid),
            seed: 0,
        };
        clean(load::run(&load, &Arc::new(Mutex::new(set))).await?, "registry")
    }
}
