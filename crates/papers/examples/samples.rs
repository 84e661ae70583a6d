//! Writes every paper with synthetic contents into a folder, to be looked at:
//! `cargo run -p dancu-papers --example samples -- <folder>`.
#![expect(clippy::unwrap_used, reason = "a tool for whoever changes the papers")]

use std::path::Path;

use dancu_domain::editions::{ALL, Edition, Form};
use dancu_papers::centre::{self, Issued};
use dancu_papers::forms::{self, About, Account, Contact, Registered, Signer};
use jiff::civil::{Date, date};

const DAY: Date = date(2026, 3, 9);

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let keep = |name: &str, pdf: Result<dancu_papers::Pdf, dancu_papers::Failed>| {
        let pdf = pdf.unwrap();
        println!("{name}: {} pages, {} bytes", pdf.pages, pdf.bytes.len());
        std::fs::write(Path::new(&folder).join(format!("{name}.pdf")), pdf.bytes).unwrap();
    };
    for edition in ALL {
        let name = format!("{:?}-{}", edition.form, edition.name).to_lowercase();
        keep(&name, of(edition, &signer(), &services(), &accounts(45)));
        keep(&format!("{name}-empty"), of(edition, &Signer::default(), &[], &[]));
    }
    let list = Edition::at(Form::AccountList, DAY).unwrap();
    keep("accountlist-3000", forms::account_list(list, &about(), &accounts(3_000), DAY));
    let issued = Issued { number: "128/TTDLDC-KN".into(), ..Issued::by_centre(DAY) };
    keep("consent", centre::consent(&issued, &consent()));
    keep("connection", centre::connection(&issued, &connection()));
    keep("refusal", centre::refusal(&issued, &refusal()));
    keep("receipt", centre::receipt(&issued, &receipt()));
    keep("lock", centre::lock_notice(&issued, &lock()));
    keep("statement", centre::statement(&issued, &statement()));
}

fn of(
    edition: &Edition,
    signer: &Signer,
    services: &[Registered],
    accounts: &[Account],
) -> Result<dancu_papers::Pdf, dancu_papers::Failed> {
    let about = if accounts.is_empty() { About::default() } else { about() };
    match edition.form {
        Form::ServiceRegistration => {
            forms::service_registration(edition, &about, [services, &[]], DAY)
        }
        Form::AccountList => forms::account_list(edition, &about, accounts, DAY),
        Form::OrganisationCommitment => forms::organisation_commitment(edition, signer, DAY),
        Form::IndividualCommitment => {
            forms::individual_commitments(edition, &[signer.clone(), signer.clone()], DAY)
        }
    }
}

const UNIT: &str = "Ủy ban nhân dân phường Mỹ Lộc";

fn about() -> About {
    About {
        unit: UNIT.into(),
        system: "Hệ thống thông tin giải quyết thủ tục hành chính tỉnh Ninh Bình".into(),
        contact: Contact {
            name: "Trần Thị Thử".into(),
            position: "Công chức".into(),
            phone: "0900000001".into(),
            email: String::new(),
        },
    }
}

fn signer() -> Signer {
    Signer {
        name: "Nguyễn Văn Thử".into(),
        personal_id: "099000000017".into(),
        phone: "0900000002".into(),
        position: "Chủ tịch".into(),
        unit: UNIT.into(),
    }
}

fn services() -> Vec<Registered> {
    let row = |service: &str, daily, purpose: &str| Registered {
        service: service.into(),
        daily,
        purpose: purpose.into(),
    };
    vec![
        row(
            "Xác thực thông tin công dân",
            1_500,
            "Giải quyết thủ tục hành chính tại bộ phận một cửa",
        ),
        row("Tra cứu thông tin công dân", 300, "Đăng ký khai sinh; đăng ký kết hôn"),
        row("Tra cứu hộ gia đình", 50, "Xác nhận thông tin về cư trú"),
    ]
}

fn accounts(count: u32) -> Vec<Account> {
    let names = ["Nguyễn Thị Thử", "Trần Văn Nghiệm", "Đặng Nguyễn Hoàng Thử Nghiệm", "Lê Thử"];
    let one = |n: u32| Account {
        login: format!("canbo.thu{n}@ninhbinh.gov.vn"),
        name: names[n as usize % names.len()].into(),
        personal_id: format!("0990000{n:05}"),
        officer_code: format!("NB-{n:04}"),
        phone: format!("09000{n:05}"),
        role: "Cán bộ một cửa".into(),
        daily: 20 + n % 90,
        purpose: "Xác minh thông tin công dân".into(),
    };
    (1..=count).map(one).collect()
}

fn consent() -> centre::Consent {
    centre::Consent {
        unit: "Sở Tư pháp tỉnh Ninh Bình".into(),
        request: "số 412/STP-HCTP ngày 02/03/2026".into(),
        receiver: "Công ty cổ phần Phần mềm Thử Nghiệm".into(),
        fields: vec!["họ, chữ đệm và tên khai sinh".into(), "ngày, tháng, năm sinh".into()],
        purpose: "in và trả kết quả đăng ký hộ tịch tại nhà".into(),
        days: [date(2026, 3, 15), date(2026, 9, 14)],
    }
}

fn refusal() -> centre::Refusal {
    centre::Refusal {
        unit: "Công ty cổ phần Phần mềm Thử Nghiệm".into(),
        what: "kết nối trực tiếp đến Cơ sở dữ liệu quốc gia về dân cư".into(),
        request: "hồ sơ số HS-2026-00041".into(),
        ground:
            "Hình thức khai thác qua giao diện lập trình ứng dụng không dành cho nhóm đối tượng \
                 của đơn vị."
                .into(),
        provision: "Điều 5 Thông tư số 46/2022/TT-BCA".into(),
        remedy:
            "Đơn vị gửi văn bản yêu cầu khai thác, hoặc đề nghị được xem xét ngoại lệ kèm lý do."
                .into(),
    }
}

fn receipt() -> centre::Receipt {
    let part = |name: &str, size: &str| [name.to_owned(), size.to_owned()];
    centre::Receipt {
        unit: UNIT.into(),
        system: "NB-MOTCUA".into(),
        dossier: "HS-2026-00042".into(),
        received: "08 giờ 15 phút ngày 09/03/2026".into(),
        parts: vec![
            part("Bản cam kết đối với tổ chức", "04 trang"),
            part("Phiếu đăng ký sử dụng dịch vụ", "03 dòng"),
            part("Danh sách tài khoản", "45 dòng"),
        ],
        due: Some(date(2026, 3, 11)),
    }
}

fn lock() -> centre::LockNotice {
    centre::LockNotice {
        unit: UNIT.into(),
        system: "NB-MOTCUA".into(),
        what: "dòng Xác thực thông tin công dân, trong giờ hành chính".into(),
        since: "10 giờ 42 phút ngày 09/03/2026".into(),
        reason: "Vượt quá số lượt đã đăng ký lần thứ hai trong ngày (quy tắc D3).".into(),
        evidence: "1.500 lượt đã dùng lúc 09 giờ 58 phút; sau cảnh báo 15 phút còn 212 yêu cầu."
            .into(),
        ends:
            "Tự kết thúc lúc 07 giờ 00 phút ngày 10/03/2026, hoặc khi người có thẩm quyền mở khóa."
                .into(),
    }
}

fn statement() -> centre::Statement {
    let served = |s: Registered| centre::Served {
        service: s.service,
        window: "Trong giờ".into(),
        purpose: s.purpose,
        daily: s.daily,
        counted: s.daily * 17,
    };
    centre::Statement {
        unit: UNIT.into(),
        system: "NB-MOTCUA".into(),
        days: [date(2026, 2, 1), date(2026, 2, 28)],
        served: services().into_iter().map(served).collect(),
        refused: vec![centre::Refusals {
            reason: "Dòng dịch vụ đã hết lượt".into(),
            rule: "D2".into(),
            count: 214,
        }],
        locks: vec![],
        entries: Some([10_512, 48_907]),
        replaces: String::new(),
        tree: (48_908, "0f".repeat(32)),
        sha256: "a1".repeat(32),
        check: "/unit/statements".into(),
    }
}

fn connection() -> centre::Connection {
    centre::Connection {
        unit: UNIT.into(),
        request: "hồ sơ số HS-00012, lần nộp 2".into(),
        system: "Hệ thống một cửa".into(),
        purpose: "Xác thực người nộp hồ sơ.".into(),
        lines: vec![
            ("Xác thực thông tin công dân".into(), true, 500),
            ("Xác thực thông tin công dân".into(), false, 200),
        ],
    }
}
