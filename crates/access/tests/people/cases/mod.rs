//! What people do, and what others try.

mod account;
mod codes;
mod failures;
mod identity;
mod keys;
mod sessions;
mod sign_in;
