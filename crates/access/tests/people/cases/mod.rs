//! What people do, and what others try.

mod account;
mod failures;
mod keys;
mod sessions;
mod sign_in;
