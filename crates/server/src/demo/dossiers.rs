//! The demo's dossiers: one at each stage that a desk works at, by the acts of its people.

use anyhow::{Context as _, anyhow};
use dancu_domain::dossier::{
    AccountRow, Confirmation, Contact, Content, DossierNumber, Item, LineRow, Part, ProcedureRow,
    Remark, ServiceUse,
};
use dancu_domain::files::Scan;
use dancu_domain::ids::Login;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{AccountKind, Channel, Group};
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use dancu_office::dossiers::{self as acts, At, Brought, DossierDesk, Side, Went, review};
use dancu_office::{Actor, Refused};
use dancu_papers::centre::{self, Receipt};
use dancu_store::Store;
use dancu_store::people::Person;

use crate::app::App;

/// How far a dossier is brought.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Until {
    Draft,
    Submitted,
    Changes,
    Accepted,
}

/// Login of the head, code and name of the system, how far.
const DOSSIERS: [(&str, &str, &str, Until); 4] = [
    ("noivu.thutruong", "LUUDONG", "Hệ thống tiếp nhận lưu động", Until::Draft),
    ("noivu.thutruong", "CANBO", "Cơ sở dữ liệu cán bộ, công chức", Until::Submitted),
    ("noivu.thutruong", "TUYENDUNG", "Hệ thống tuyển dụng công chức", Until::Changes),
    ("noivu.thutruong", "KIOSK", "Hệ thống ki-ốt tra cứu tại sảnh", Until::Accepted),
];
const REVIEWER: &str = "trungtam.thamdinh1";

/// Begins them.
pub async fn begin(app: &App) -> anyhow::Result<()> {
    let (store, now) = (app.gate.store(), app.clock.now());
    let reviewer = person(store, REVIEWER).await?;
    for (n, (login, code, name, until)) in DOSSIERS.into_iter().enumerate() {
        let head = person(store, login).await?;
        let made = one(store, now, (&head, &reviewer), (n, code, name, until)).await;
        made.map_err(|refused| anyhow!("{code}: {refused}"))?;
    }
    app.gate.reload(now).await?;
    Ok(())
}

async fn person(store: &Store, login: &str) -> anyhow::Result<Person> {
    let found = store.people().person_by_login(&Login::parse(login)?).await?;
    found.with_context(|| format!("không có {login} (no such person)"))
}

/// A dossier that was sent back with comments, for tests of its pages.
#[cfg(test)]
pub async fn sent_back(
    (store, now): (&Store, Moment),
    people: (&Person, &Person),
) -> Result<(), Refused> {
    one(store, now, people, (9, "TRALAI", "Hệ thống mẫu", Until::Changes)).await
}

async fn one(
    store: &Store,
    now: Moment,
    (head, reviewer): (&Person, &Person),
    (n, code, name, until): (usize, &str, &str, Until),
) -> Result<(), Refused> {
    let by = |person: &Person| Actor::Person(person.id, person.login.clone());
    let (head_by, reviewer_by) = (by(head), by(reviewer));
    let unit = DossierDesk { store, now, by: &head_by, side: Side::Unit(&head.unit) };
    let centre = DossierDesk { store, now, by: &reviewer_by, side: Side::Centre };
    let (_, number) = acts::begin(&unit, (Group::State, Channel::Api)).await?;
    let content = content((n, code, name));
    if until == Until::Draft {
        let half = Content {
            functions: content.functions,
            system_name: content.system_name,
            officer: content.officer,
            lines: content.lines,
            ..Content::default()
        };
        return acts::save(&unit, at(number, 0), half).await.map(drop);
    }
    let mut went = acts::save(&unit, at(number, 0), content).await?;
    went = acts::attach(&unit, next(number, &went), Part::Security, minutes(now)?).await?;
    for part in Part::ALL {
        went = acts::sign(&unit, next(number, &went), part).await?;
    }
    went = acts::submit(&unit, next(number, &went), false).await?;
    if until == Until::Changes {
        let remark = |item, text: &str| Remark { item, row: None, text: text.into() };
        let remarks = vec![
            remark(Item::Scope, "Nêu rõ những đơn vị trực thuộc nào dùng hệ thống."),
            remark(Item::InHours, "Số lượt cao hơn nhu cầu tính từ thủ tục; đề nghị giải trình."),
            remark(Item::Accounts, "Nêu rõ cán bộ nào trực ngoài giờ."),
        ];
        went = review::ask_changes(&centre, next(number, &went), remarks).await?;
        let text = "Chỉ bộ phận tuyển dụng của Sở dùng; đã ghi lại ở mục phạm vi.";
        acts::answer(&unit, next(number, &went), 0, text).await?;
    }
    if until == Until::Accepted {
        went = review::accept(&centre, next(number, &went)).await?;
        for part in [Part::Commitment, Part::Registration] {
            went = review::check(&centre, next(number, &went), part).await?;
        }
    }
    Ok(())
}

/// Minutes of a check: a paper of our own stands in for the scan, synthetic as everything here.
fn minutes(now: Moment) -> Result<Brought<Vec<u8>>, Refused> {
    let paper = Receipt {
        unit: "Sở Nội vụ (mẫu)".into(),
        system: "hệ thống mẫu".into(),
        dossier: "12/BB-KT".into(),
        received: "buổi kiểm tra mẫu".into(),
        parts: vec![["Biên bản kiểm tra theo cấp độ (mẫu)".into(), "1 trang".into()]],
        due: None,
    };
    let pdf = centre::receipt(&centre::Issued::by_centre(now.viet_nam_date()), &paper);
    let pdf = pdf.map_err(|_| dancu_store::Error::Damaged("paper"))?;
    let name = "bien-ban-kiem-tra.pdf".to_owned();
    Ok(Brought { name, kind: "pdf", bytes: pdf.bytes, scan: Scan::Unasked })
}

const fn at(number: DossierNumber, revision: i64) -> At {
    At { number, revision }
}

const fn next(number: DossierNumber, went: &Went) -> At {
    at(number, went.revision)
}

fn content((n, code, name): (usize, &str, &str)) -> Content {
    let text = |text: &str| text.to_owned();
    let line = |window, daily| LineRow {
        service: Service::CitizenVerify,
        window,
        daily,
        purpose: text("Xác thực người nộp hồ sơ"),
    };
    let account = |row: usize, full_name: &str| AccountRow {
        login: format!("{}.canbo{row}", code.to_lowercase()),
        full_name: text(full_name),
        citizen_id: format!("0993{n:04}{row:04}"),
        officer_code: String::new(),
        phone: format!("09000{n:03}{row:02}"),
        role: text("Cán bộ tiếp nhận"),
        kind: AccountKind::Officer,
        daily: 60,
        services: ServiceSet::default(),
    };
    Content {
        functions: text("Tiếp nhận và giải quyết thủ tục hành chính theo quyết định thành lập."),
        system_code: text(code),
        system_name: text(name),
        officer: Contact {
            name: text("Trần Thị Đầu Mối"),
            position: text("Phó Trưởng phòng"),
            phone: text("0900000123"),
            email: text("daumoi@mau.example.vn"),
            workplace: text("Phòng Công nghệ thông tin"),
        },
        representative: text("Lê Văn Đại Diện"),
        representative_position: text("Giám đốc"),
        purpose: text("Xác thực người nộp hồ sơ, không yêu cầu bản sao giấy tờ."),
        scope: text("Các quầy tiếp nhận của đơn vị trên địa bàn thành phố Mẫu."),
        matter: text("Đối chiếu họ tên, ngày sinh, nơi thường trú với hồ sơ."),
        technical: text("Máy chủ ứng dụng đặt tại trung tâm dữ liệu của tỉnh, gọi API qua TLS."),
        security_level: 3,
        confirmation: Confirmation {
            number: text("12/BB-KT"),
            date: text("15/01/2026"),
            body: text("Sở Khoa học và Công nghệ thành phố Mẫu"),
        },
        protection: [
            "Mã dùng một lần trên thiết bị đã đăng ký; ảnh chụp ở phụ lục 1.",
            "Captcha sau ba lần nhập sai; ảnh chụp ở phụ lục 2.",
            "60 lượt mỗi phút cho một địa chỉ, 200 lượt mỗi ngày cho một tài khoản.",
            "Cảnh báo khi tra cứu nhiều người liên tiếp; nhật ký ở phụ lục 3.",
        ]
        .map(text),
        lines: vec![line(Window::InHours, 300), line(Window::OffHours, 50)],
        uses: vec![ServiceUse {
            service: Service::CitizenVerify,
            fields: FieldSet::of(&[Field::FullName, Field::DateOfBirth, Field::PermanentResidence]),
            purpose: text("Xác thực người nộp hồ sơ"),
            procedures: vec![text("1.004194")],
        }],
        procedures: vec![ProcedureRow {
            code: text("1.004194"),
            purpose: text("Đăng ký thường trú"),
            cases: 100,
            queries: 3,
            case_required: true,
        }],
        accounts: vec![account(1, "Nguyễn Văn Quầy"), account(2, "Phạm Thị Quầy")],
    }
}
