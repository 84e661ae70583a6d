//! Batches and lists over REST: the head of a submission, and how a job is told.
//!
//! Rows are read by [`crate::batch`], from the body alone: the head stands in the query of the
//! address, so that a file can be sent as it is.

mod head;
mod list;
mod view;

pub use head::{BATCHES, parse_batch, parse_page};
pub use list::{LISTS, parse_list};
pub use view::{BatchJob, BatchList, BatchReason};

pub(super) use head::PARAMETERS;
pub(super) use list::components as list_components;
