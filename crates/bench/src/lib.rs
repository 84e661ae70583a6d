//! The measuring tools of dancu: an empty handler of the same stack, a load generator, the table
//! of governed verification against that handler, the ledger beside an append-only loop, sign-ins
//! of people, and kill -9 under load.
//!
//! What it does not know: any room of the program but the store, whose ledger is measured alone
//! beside an append-only loop, and access, whose sign-ins are. All else talks HTTP, as an agency's
//! system does, and reads `demo.json`, so that what it measures is what a caller meets.
//!
//! **Invariant:** loads go to this machine only, and every load is bounded in time, in
//! connections and in requests.
//! **Invariant:** latency of an open-loop run counts from the moment a request was due, not from
//! the moment a connection was free to send it, so a stalled server cannot hide its stall.
//!
//! To add a kind of load, write a function that gives [`requests::RequestSet`] its templates:
//!
//! ```
//! use dancu_bench::requests::{Expect, RequestIds, RequestSet, Template};
//!
//! let template = Template::plain("GET", "/healthz", &[], "");
//! let ids = RequestIds::new(7);
//! let mut set = RequestSet::new(vec![template], ids, None, Expect::Anything);
//! let mut bytes = Vec::new();
//! assert!(set.render(&mut bytes).is_some());
//! assert!(bytes.starts_with(b"GET /healthz HTTP/1.1\r\n"));
//! ```
#![expect(clippy::disallowed_methods, reason = "measuring is asking the machine for the time")]

pub mod audit;
pub mod crash;
pub mod demo;
pub mod empty;
pub mod fsync;
pub mod histogram;
pub mod http;
pub mod ledger;
pub mod load;
pub mod machine;
pub mod report;
pub mod requests;
pub mod server;
pub mod sign_in;
pub mod size;
pub mod stamps;
pub mod verify;
