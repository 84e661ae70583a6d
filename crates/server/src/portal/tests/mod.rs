//! The portal as a whole, over its routes.

mod entry;
mod operator;
pub(super) mod site;
mod walls;
