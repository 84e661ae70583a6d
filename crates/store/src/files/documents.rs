//! Documents that the centre issued, by kind, year and number (A3, A4, B3, D6).

use dancu_domain::dossier::DossierNumber;
use dancu_domain::files::{DocumentKind, FileId};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;

use crate::engine::{Row, Tx, Value};
use crate::error::{Error, Result};
use crate::store::Store;
use crate::values;

/// Documents that one list shows at most: a page of work (*ours*).
const LISTED: u32 = 100;

macro_rules! listed {
    ($where:literal) => {
        concat!(
            "SELECT i.kind, i.year, i.number, i.dossier, i.system, i.file, \
             COALESCE(d.unit, s.unit), i.issued_at FROM issued_document i \
             LEFT JOIN dossier d ON d.id = i.dossier LEFT JOIN system s ON s.id = i.system ",
            $where,
            " ORDER BY i.file DESC LIMIT $2"
        )
    };
}
const OF_DOSSIER: &str = listed!("WHERE i.dossier = $1");
const OF_UNIT: &str = listed!("WHERE COALESCE(d.unit, s.unit) = $1");
const BY_FILE: &str = listed!("WHERE i.file = $1");
const BEFORE: &str = listed!("WHERE i.file < $1");

/// A document that was issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// What kind of.
    pub kind: DocumentKind,
    /// Year of its number.
    pub year: i16,
    /// Its number in that year.
    pub number: u32,
    /// The dossier it is about.
    pub dossier: Option<DossierNumber>,
    /// The system it is about.
    pub system: Option<SystemId>,
    /// The file.
    pub file: FileId,
    /// The unit whose dossier or system it is about, as things stand now.
    pub unit: UnitCode,
    /// When it was issued.
    pub at: Moment,
}

/// A document to be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewDocument<'a> {
    /// What kind of.
    pub kind: DocumentKind,
    /// Year of its number.
    pub year: i16,
    /// Its number in that year.
    pub number: u32,
    /// What it is about, which is issued once.
    pub about: &'a str,
    /// The dossier it is about.
    pub dossier: Option<DossierNumber>,
    /// The system it is about.
    pub system: Option<SystemId>,
    /// When it is issued.
    pub at: Moment,
}

/// The next number of a kind in a year; none where what it is about was issued already.
pub fn next_document(
    tx: &mut Tx<'_>,
    kind: DocumentKind,
    year: i16,
    about: &str,
) -> Result<Option<u32>> {
    let sql = "SELECT COUNT(*) FROM issued_document WHERE about = $1";
    if tx.one(sql, values![about], |r| r.get::<i64>(0))? > 0 {
        return Ok(None);
    }
    let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM issued_document \
               WHERE kind = $1 AND year = $2";
    tx.one(sql, values![kind as u8, year], |r| r.get(0)).map(Some)
}

/// Stores a document whose file is kept.
pub fn insert_document(tx: &mut Tx<'_>, new: &NewDocument<'_>, file: FileId) -> Result<()> {
    let (dossier, system) = (new.dossier.map(|d| d.0), new.system.map(|s| s.0));
    tx.execute(
        "INSERT INTO issued_document (kind, year, number, about, dossier, system, file, \
         issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![new.kind as u8, new.year, new.number, new.about, dossier, system, file.0, new.at.0],
    )?;
    Ok(())
}

impl Store {
    /// Documents of a dossier, the newest first.
    pub async fn documents_of(&self, dossier: DossierNumber) -> Result<Vec<Issued>> {
        self.documents(OF_DOSSIER, values![dossier.0, LISTED]).await
    }

    /// Documents about a unit's dossiers and systems, the newest first, at most 100.
    pub async fn documents_of_unit(&self, unit: &UnitCode) -> Result<Vec<Issued>> {
        self.documents(OF_UNIT, values![unit.as_str(), LISTED]).await
    }

    /// Documents of all units, the newest first, before a file's; at most 100.
    pub async fn documents_before(&self, before: FileId) -> Result<Vec<Issued>> {
        self.documents(BEFORE, values![before.0, LISTED]).await
    }

    /// The document that a file is.
    pub async fn document(&self, file: FileId) -> Result<Option<Issued>> {
        Ok(self.documents(BY_FILE, values![file.0, 1]).await?.pop())
    }

    async fn documents(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Issued>> {
        self.look(sql, values, read).await
    }
}

fn read(r: &Row<'_>) -> Result<Issued> {
    let damaged = || Error::Damaged("issued_document");
    Ok(Issued {
        kind: DocumentKind::from_number(r.get(0)?).ok_or_else(damaged)?,
        year: r.get(1)?,
        number: r.get(2)?,
        dossier: r.get::<Option<u32>>(3)?.map(DossierNumber),
        system: r.get::<Option<u32>>(4)?.map(SystemId),
        file: FileId(r.get(5)?),
        unit: UnitCode::parse(&r.get::<String>(6)?).map_err(|_| damaged())?,
        at: Moment(r.get(7)?),
    })
}
