//! Acts of the operator's and the auditor's desks on both engines.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panic")]

#[path = "desks/open.rs"]
mod open;
#[path = "desks/world.rs"]
mod world;

#[path = "desks/appeals.rs"]
mod appeals;
#[path = "desks/audit.rs"]
mod audit;
#[path = "desks/campaigns.rs"]
mod campaigns;
#[path = "desks/citizens.rs"]
mod citizens;
#[path = "desks/credentials.rs"]
mod credentials;
#[path = "desks/dossiers.rs"]
mod dossiers;
#[path = "desks/files.rs"]
mod files;
#[path = "desks/gathering.rs"]
mod gathering;
#[path = "desks/imports.rs"]
mod imports;
#[path = "desks/locks.rs"]
mod locks;
#[path = "desks/news.rs"]
mod news;
#[path = "desks/notices.rs"]
mod notices;
#[path = "desks/officers.rs"]
mod officers;
#[path = "desks/plans.rs"]
mod plans;
#[path = "desks/raises.rs"]
mod raises;
#[path = "desks/sent.rs"]
mod sent;
#[path = "desks/staff.rs"]
mod staff;
#[path = "desks/statements.rs"]
mod statements;
#[path = "desks/turns.rs"]
mod turns;
#[path = "desks/unit.rs"]
mod unit;
#[path = "desks/units.rs"]
mod units;
#[path = "desks/webhooks.rs"]
mod webhooks;
