//! Documents of the centre: written consent (A4), refusal (A3, J3), receipt, notice of a lock (D3,
//! D6), monthly statement (A7). Their layout is that of Decree 30/2020/NĐ-CP; their wording is
//! *ours*, and each of them says so at its foot.

mod gathering;
mod statement;

use jiff::civil::Date;

pub use self::gathering::{Gathered, Gathering, gathering, gathering_sheet};
pub use self::statement::{Lock, Refusals, Served, Statement, statement};

use crate::layout::{Align, Block, INDENT, SIZE};
use crate::wording::{Known, filled, paragraph, signatures};
use crate::{Failed, Pdf, made};

/// What stands at the foot of each.
const OURS: &str = "Mẫu do phần mềm dancu soạn theo thể thức của Nghị định số 30/2020/NĐ-CP; lời \
                    văn không phải mẫu do văn bản quy phạm pháp luật ban hành.";

/// Who issues, and under which number.
#[derive(Clone)]
pub struct Issued {
    /// The body above, and the issuing one.
    pub agency: [String; 2],
    /// Number and sign, e.g. `12/TTDLDC-KN`; empty: for the pen.
    pub number: String,
    /// Where it is issued.
    pub place: String,
    /// When.
    pub day: Date,
    /// Whoever signs: the office held.
    pub office: String,
    /// Their name; empty: for the pen.
    pub signer: String,
}

impl Issued {
    /// By the centre, as its letters of 2025 name it.
    #[must_use]
    pub fn by_centre(day: Date) -> Self {
        Self {
            agency: [
                "CỤC CẢNH SÁT QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI".into(),
                "TRUNG TÂM DỮ LIỆU QUỐC GIA VỀ DÂN CƯ".into(),
            ],
            number: String::new(),
            place: "Hà Nội".into(),
            day,
            office: "GIÁM ĐỐC".into(),
            signer: String::new(),
        }
    }

    fn head(&self, subject: &str) -> Block {
        let number = if self.number.is_empty() { "…………" } else { &self.number };
        Block::Head {
            agency: self.agency.to_vec(),
            number: format!("Số: {number}"),
            subject: if subject.is_empty() { String::new() } else { format!("V/v {subject}") },
            dated: format!(
                "{}, ngày {:02} tháng {:02} năm {}",
                self.place,
                self.day.day(),
                self.day.month(),
                self.day.year()
            ),
        }
    }

    fn foot(&self) -> Vec<Block> {
        let known = Known::default().with("office", &self.office);
        let line = "***Nơi nhận:*** / - Như trên; / - Lưu: VT, hồ sơ kết nối. || **{office}**";
        let mut out = vec![signatures(line, &known)];
        if !self.signer.is_empty() {
            let known = Known::default().with("signer", &self.signer);
            out.push(signatures(" || **{signer}**", &known));
        }
        out.push(Block::Notes(vec![OURS.to_owned()]));
        out
    }

    /// The whole: head, whom it is for or its title, text, foot.
    fn paper(
        &self,
        subject: &str,
        opening: Block,
        body: Vec<Block>,
        name: &str,
    ) -> Result<Pdf, Failed> {
        let blocks: Vec<Block> = std::iter::once(self.head(subject))
            .chain([opening])
            .chain(body)
            .chain(self.foot())
            .collect();
        made(name, self.day, &blocks)
    }
}

/// `Kính gửi: …`
fn dear(unit: &str) -> Block {
    let known = Known::default().with("unit", unit);
    let text = filled("Kính gửi: {unit}", &known);
    let spans = vec![crate::layout::text::Span::new(crate::font::Face::Regular, text)];
    Block::Text { spans, align: Align::Centre, indent: 0.0 }
}

fn title(lines: &[&str]) -> Block {
    Block::Title { lines: lines.iter().map(|l| (*l).to_owned()).collect(), size: SIZE + 1.0 }
}

fn texts(lines: &[&str], known: &Known) -> Vec<Block> {
    lines.iter().map(|line| paragraph(line, known)).collect()
}

/// `dd/mm/yyyy`.
fn written(day: Date) -> String {
    format!("{:02}/{:02}/{}", day.day(), day.month(), day.year())
}

/// Written consent to hand data to a third party (A4).
pub struct Consent {
    /// Who asked.
    pub unit: String,
    /// The letter that asked: number and day.
    pub request: String,
    /// Who may receive.
    pub receiver: String,
    /// Which fields.
    pub fields: Vec<String>,
    /// For what.
    pub purpose: String,
    /// First and last day.
    pub days: [Date; 2],
}

/// Văn bản đồng ý.
///
/// # Errors
/// The file could not be made.
pub fn consent(issued: &Issued, consent: &Consent) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &consent.unit)
        .with("request", &consent.request)
        .with("receiver", &consent.receiver)
        .with("fields", &consent.fields.join("; "))
        .with("purpose", &consent.purpose)
        .with("from", &written(consent.days[0]))
        .with("to", &written(consent.days[1]));
    let body = texts(
        &[
            "Xét đề nghị của {unit} tại văn bản {request}, Trung tâm dữ liệu quốc gia về dân cư có \
             ý kiến như sau:",
            "1. Đồng ý để {unit} cung cấp cho **{receiver}** các thông tin sau đây, khai thác được \
             từ Cơ sở dữ liệu quốc gia về dân cư: {fields}.",
            "2. Mục đích: {purpose}. Thông tin không được dùng cho mục đích khác.",
            "3. Thời hạn: từ ngày {from} đến hết ngày {to}. Sau ngày đó, văn bản đồng ý tự hết giá \
             trị.",
            "4. Bên nhận không được sao chép, cung cấp tiếp cho bên khác. {unit} chịu trách nhiệm \
             theo dõi việc sử dụng và thông báo ngay khi phát hiện sử dụng sai.",
            "Việc cung cấp ngoài phạm vi, mục đích hoặc thời hạn nêu trên phải được đồng ý bằng \
             văn bản khác./.",
        ],
        &known,
    );
    let subject = "đồng ý cung cấp thông tin cho bên thứ ba";
    issued.paper(subject, dear(&consent.unit), body, "Văn bản đồng ý")
}

/// Consent to a connection, as its dossier was approved (A4, B3).
pub struct Connection {
    /// Whose dossier.
    pub unit: String,
    /// The dossier.
    pub request: String,
    /// The system.
    pub system: String,
    /// What for.
    pub purpose: String,
    /// Services: name, whether in hours, queries a day.
    pub lines: Vec<(String, bool, u32)>,
}

/// Văn bản chấp thuận kết nối.
///
/// # Errors
/// The file could not be made.
pub fn connection(issued: &Issued, of: &Connection) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &of.unit)
        .with("request", &of.request)
        .with("system", &of.system)
        .with("purpose", &of.purpose);
    let mut body = texts(
        &[
            "Xét {request} của {unit}, Trung tâm dữ liệu quốc gia về dân cư **chấp thuận** kết nối \
             hệ thống **{system}** với Cơ sở dữ liệu quốc gia về dân cư như sau:",
            "1. Mục đích: {purpose}",
            "2. Dịch vụ và số lượt mỗi ngày:",
        ],
        &known,
    );
    let row = |(at, (name, in_hours, daily)): (usize, &(String, bool, u32))| {
        let window = if *in_hours { "Trong giờ" } else { "Ngoài giờ" };
        vec![(at + 1).to_string(), name.clone(), window.into(), daily.to_string()]
    };
    body.push(Block::Table(crate::layout::Table {
        columns: vec![
            ("TT".into(), 8.0),
            ("Dịch vụ".into(), 70.0),
            ("Khung giờ".into(), 22.0),
            ("Số lượt mỗi ngày".into(), 22.0),
        ],
        centred: vec![true, false, true, true],
        rows: of.lines.iter().enumerate().map(row).collect(),
    }));
    body.extend(texts(
        &[
            "3. Chỉ dùng thông tin đúng mục đích đã đăng ký; không sao chép, không cung cấp cho \
             bên thứ ba khi chưa có văn bản đồng ý riêng của Trung tâm.",
            "4. Kết nối có hiệu lực từ khi được đưa vào hoạt động và chấm dứt theo quy định./.",
        ],
        &known,
    ));
    issued.paper("chấp thuận kết nối", dear(&of.unit), body, "Văn bản chấp thuận")
}

/// A refusal with its ground (A3, J3).
pub struct Refusal {
    /// Who asked.
    pub unit: String,
    /// What was asked: a connection, a service, fields.
    pub what: String,
    /// The letter or dossier that asked.
    pub request: String,
    /// Why: the rule in words.
    pub ground: String,
    /// The provision.
    pub provision: String,
    /// What to do.
    pub remedy: String,
}

/// Văn bản từ chối.
///
/// # Errors
/// The file could not be made.
pub fn refusal(issued: &Issued, refusal: &Refusal) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &refusal.unit)
        .with("what", &refusal.what)
        .with("request", &refusal.request)
        .with("ground", &refusal.ground)
        .with("provision", &refusal.provision)
        .with("remedy", &refusal.remedy);
    let body = texts(
        &[
            "Trung tâm dữ liệu quốc gia về dân cư đã xem xét đề nghị của {unit} tại {request} về \
             việc {what}.",
            "Trung tâm **không chấp thuận** đề nghị nêu trên.",
            "Lý do: {ground}",
            "Căn cứ: {provision}.",
            "Hướng giải quyết: {remedy}",
            "Trung tâm thông báo để {unit} biết, thực hiện./.",
        ],
        &known,
    );
    issued.paper("từ chối đề nghị", dear(&refusal.unit), body, "Văn bản từ chối")
}

/// A receipt for what a unit handed in.
pub struct Receipt {
    /// Who handed it in.
    pub unit: String,
    /// For which system.
    pub system: String,
    /// Its number, by which it is asked for.
    pub dossier: String,
    /// When it came, as it is written.
    pub received: String,
    /// What came: name and number of pages or rows, in words.
    pub parts: Vec<[String; 2]>,
    /// By when an answer is due; none: nothing says.
    pub due: Option<Date>,
}

/// Giấy tiếp nhận.
///
/// # Errors
/// The file could not be made.
pub fn receipt(issued: &Issued, receipt: &Receipt) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &receipt.unit)
        .with("system", &receipt.system)
        .with("dossier", &receipt.dossier)
        .with("received", &receipt.received)
        .with("due", &receipt.due.map(written).unwrap_or_default());
    let mut body = texts(
        &["Trung tâm dữ liệu quốc gia về dân cư đã nhận hồ sơ số **{dossier}** của {unit} cho hệ \
             thống **{system}**, lúc {received}, gồm:"],
        &known,
    );
    let row = |(at, [name, size]): (usize, &[String; 2])| {
        vec![(at + 1).to_string(), name.clone(), size.clone()]
    };
    body.push(Block::Table(crate::layout::Table {
        columns: vec![
            ("TT".into(), 8.0),
            ("Thành phần hồ sơ".into(), 80.0),
            ("Số trang, số dòng".into(), 30.0),
        ],
        centred: vec![true, false, true],
        rows: receipt.parts.iter().enumerate().map(row).collect(),
    }));
    if receipt.due.is_some() {
        body.extend(texts(&["Thời hạn trả lời: ngày **{due}**."], &known));
    }
    body.extend(texts(
        &["Giấy này xác nhận việc đã nhận hồ sơ, không xác nhận hồ sơ đã đầy đủ hoặc hợp lệ. Khi \
             liên hệ, đề nghị nêu số hồ sơ trên./."],
        &known,
    ));
    issued.paper("", title(&["GIẤY TIẾP NHẬN HỒ SƠ KẾT NỐI"]), body, "Giấy tiếp nhận")
}

/// A lock that a unit is told of (D3, D6).
pub struct LockNotice {
    /// Whose.
    pub unit: String,
    /// Which system.
    pub system: String,
    /// What is locked: line, account, connection.
    pub what: String,
    /// Since when, as it is written.
    pub since: String,
    /// Why.
    pub reason: String,
    /// What it was seen by.
    pub evidence: String,
    /// How it ends.
    pub ends: String,
}

/// Thông báo khóa.
///
/// # Errors
/// The file could not be made.
pub fn lock_notice(issued: &Issued, lock: &LockNotice) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("unit", &lock.unit)
        .with("system", &lock.system)
        .with("what", &lock.what)
        .with("since", &lock.since)
        .with("reason", &lock.reason)
        .with("evidence", &lock.evidence)
        .with("ends", &lock.ends);
    let body = texts(
        &[
            "Trung tâm dữ liệu quốc gia về dân cư thông báo đến {unit} việc khóa như sau:",
            "1. Hệ thống: **{system}**.",
            "2. Phạm vi khóa: **{what}**.",
            "3. Thời điểm khóa: {since}.",
            "4. Lý do: {reason}",
            "5. Căn cứ ghi nhận: {evidence}",
            "6. Kết thúc khóa: {ends}",
            "{unit} có quyền khiếu nại việc khóa trên cổng hoặc bằng văn bản./.",
        ],
        &known,
    );
    issued.paper(
        "",
        title(&["THÔNG BÁO", "Về việc khóa khai thác dịch vụ dân cư"]),
        body,
        "Thông báo khóa",
    )
}

/// A line of a list within a text.
fn item(line: &str, known: &Known) -> Block {
    match paragraph(line, known) {
        Block::Text { spans, .. } => Block::Text { spans, align: Align::Left, indent: INDENT },
        other => other,
    }
}

#[cfg(test)]
mod tests;
