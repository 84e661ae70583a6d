//! What the path of a query promises, by subject.

mod access;
mod claims;
mod counts;
mod disclosure;
mod durability;
mod faults;
mod fields;
mod intake;
pub(crate) mod jobs;
mod lists;
mod once;
mod policy;
mod portal;
mod requests;
mod results;
mod running;
mod search;
