//! Units as this node knows them: read again where something was written down, or a new day began.

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_office::units::{Known, known};
use dancu_store::{Error, Store};
use jiff::civil::Date;
use parking_lot::RwLock;

/// The tree of today, kept so that a page tells names without reading.
#[derive(Default)]
pub struct UnitNames(RwLock<Option<(i64, Date, Known)>>);

impl UnitNames {
    /// The tree of today; read only where it is not the one that is kept.
    ///
    /// # Errors
    /// Of the store.
    pub async fn now(&self, store: &Store, now: Moment) -> Result<Known, Error> {
        let (last, today) = (store.units().last().await?, now.viet_nam_date());
        if let Some((number, day, known)) = self.0.read().as_ref()
            && (*number, *day) == (last, today)
        {
            return Ok(known.clone());
        }
        let read = known(store, today).await?;
        let number = read.written.last().map_or(0, |written| written.id);
        *self.0.write() = Some((number, today, read.clone()));
        Ok(read)
    }

    /// The name of a unit with its code, as it was last read; the code where nobody told a name.
    pub fn named(&self, code: &str) -> String {
        match self.name(code) {
            Some(name) if name != code => format!("{name} ({code})"),
            _ => code.to_owned(),
        }
    }

    /// The name alone.
    pub fn name(&self, code: &str) -> Option<String> {
        let code = UnitCode::parse(code).ok()?;
        let kept = self.0.read();
        let (.., known) = kept.as_ref()?;
        known.tree.get(&code).map(|unit| unit.name().to_owned())
    }
}
