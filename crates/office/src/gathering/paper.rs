//! The summary as a paper and as a spreadsheet, journaled before anybody has it.

use dancu_domain::dossier::{Part, Stage};
use dancu_domain::gathering::{Row, Whose};
use dancu_domain::geo;
use dancu_domain::person::Dataset;
use dancu_papers::centre::{self, Gathered, Gathering};
use dancu_store::Error;
use dancu_store::gathering::Receipt;
use jiff::civil::Date;

use super::{GatherDesk, number};
use crate::act::{Entry, Refused, note};

/// Names of stages under way, by number.
const STAGES: [&str; 5] = [
    Stage::Draft.name_vi(),
    Stage::Submitted.name_vi(),
    Stage::Changes.name_vi(),
    Stage::Accepted.name_vi(),
    Stage::Approved.name_vi(),
];

/// As what a summary is taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// PDF/A.
    Pdf,
    /// XLSX.
    Sheet,
}

/// What is taken away.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// Where it was gathered, by name; the centre's own name where none.
    pub focal: Option<&'a dancu_domain::ids::UnitCode>,
    /// The day of the figures.
    pub day: Date,
    /// Rows as they are shown, in this order.
    pub rows: Vec<&'a Row>,
    /// What was chosen, in words; empty: everything.
    pub scope: String,
    /// Its receipt, where it was handed up.
    pub receipt: Option<&'a Receipt>,
}

/// Makes the file and journals who took what away.
///
/// # Errors
/// It could not be made, or not journaled: nobody gets it.
pub async fn export(desk: &GatherDesk<'_>, of: &File<'_>, kind: Kind) -> Result<Vec<u8>, Refused> {
    let paper = paper(desk, of);
    let (bytes, word) = match kind {
        Kind::Pdf => (centre::gathering(&paper).map(|pdf| pdf.bytes).ok(), "pdf"),
        Kind::Sheet => (centre::gathering_sheet(&paper).ok(), "xlsx"),
    };
    let bytes = bytes.ok_or(Refused::Store(Error::Damaged("summary")))?;
    let at = of.focal.map_or("-", dancu_domain::ids::UnitCode::as_str);
    let receipt = of.receipt.map(|receipt| format!(" {}", number(receipt.id))).unwrap_or_default();
    let detail = format!("{at}{receipt} {word}: ngày {}, {} đơn vị", of.day, of.rows.len());
    let entry = Entry::new("gathering.exported", desk.by, None);
    note((desk.store, desk.now), entry, move |_| Ok((detail, ()))).await?;
    Ok(bytes)
}

fn paper(desk: &GatherDesk<'_>, of: &File<'_>) -> Gathering {
    let centre = || centre::Issued::by_centre(of.day);
    let unit = of.focal.and_then(|at| desk.tree.get(at));
    let (agency, place) = match unit {
        Some(unit) => {
            let above = unit.parent().and_then(|above| desk.tree.resolve(above));
            let above = above.map(|above| above.name().to_owned()).unwrap_or_default();
            let province = dancu_domain::campaigns::province_of(desk.tree, &unit.code);
            let place = province.and_then(|code| geo::province(Dataset::Y2026, code));
            let place = place.map(|p| p.name.to_owned()).unwrap_or_default();
            ([above, unit.name().to_owned()], place)
        }
        None => (centre().agency, centre().place),
    };
    let receipt = of.receipt.map(|receipt| {
        let digest = hex::encode(receipt.digest);
        let (id, version) = (number(receipt.id), receipt.version);
        format!("Biên nhận {id}, bản {version} trong ngày, mã kiểm tra SHA-256 {digest}.")
    });
    Gathering {
        agency,
        place,
        day: of.day,
        scope: of.scope.clone(),
        receipt: receipt.unwrap_or_default(),
        rows: of.rows.iter().map(|row| gathered(row)).collect(),
    }
}

fn gathered(row: &Row) -> Gathered {
    let c = row.counts;
    let stage = row.stage.and_then(|stage| STAGES.get(usize::from(stage))).copied();
    let parts: Vec<&str> = row.lacks.iter().map(|part| short(*part)).collect();
    Gathered {
        name: row.name.clone(),
        code: row.unit.to_string(),
        counts: [c.live, c.incomplete, c.locked, c.accounts],
        dossier: match (stage, row.whose) {
            (None, _) => String::new(),
            (Some(stage), Whose::Nobody) => stage.to_owned(),
            (Some(stage), whose) => format!("{stage} (chờ {})", whose.name_vi()),
        },
        lacks: parts.join(", "),
        deadline: row.deadline,
        level: row.level.name_vi().to_owned(),
    }
}

/// A part in a narrow column.
const fn short(part: Part) -> &'static str {
    match part {
        Part::Commitment => "cam kết",
        Part::Registration => "phiếu đăng ký",
        Part::Accounts => "danh sách tài khoản",
        Part::Security => "xác nhận an ninh",
    }
}
