//! The portal as a whole, over its routes.

mod campaigns;
mod centre;
mod dossiers;
mod entry;
mod files;
mod gathering;
mod notices;
mod operator;
mod pace;
pub(super) mod site;
mod walls;
