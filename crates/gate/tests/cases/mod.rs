//! What the path of a query promises, by subject.

mod access;
mod claims;
mod counts;
mod disclosure;
mod durability;
mod faults;
mod fields;
mod jobs;
mod lists;
mod policy;
mod requests;
mod search;
