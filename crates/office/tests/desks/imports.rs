//! What is live already enters from one workbook (B3, B4).

use dancu_domain::campaigns::{Plan, Scope};
use dancu_domain::dossier::{Part, Stage};
use dancu_domain::ids::{SystemCode, UnitCode};
use dancu_domain::moment::DAY_MS;
use dancu_domain::registration::{ConnectionState, System};
use dancu_domain::service::{Service, Window};
use dancu_office::dossiers::Side;
use dancu_office::dossiers::{DossierDesk, read};
use dancu_office::imports::{self, ImportDesk, Look, SHEETS};
use dancu_office::{Refused, campaigns, units};
use dancu_papers::book;

use super::world::*;

type Rows = Vec<Vec<String>>;

fn cells(all: &[&str]) -> Vec<String> {
    all.iter().map(|cell| (*cell).to_owned()).collect()
}

fn workbook([systems, lines, accounts, procedures]: [Rows; 4]) -> Vec<u8> {
    let mut all = [systems, lines, accounts, procedures].into_iter();
    let tables = SHEETS.map(|sheet| {
        let head = sheet.columns.iter().map(|c| c.trim_start_matches('*').to_owned()).collect();
        (sheet.name, [vec![head], all.next().unwrap()].concat())
    });
    book::write(&tables).unwrap()
}

fn system_row(code: &str, user: &str, secret: &str) -> Vec<String> {
    let mut row = cells(&[code, "H26.001", "", "Hệ thống một cửa cũ"]);
    row.resize(17, String::new());
    row.extend(cells(&[user, secret]));
    row
}

fn line_row(code: &str) -> Vec<String> {
    cells(&[code, "003", "Trong giờ", "500", "Một cửa", "fullName, dateOfBirth", "1.004194"])
}

fn account_row(code: &str, n: u32) -> Vec<String> {
    let (login, id) = (format!("canbo.nhap{n}"), format!("0993{n:08}"));
    cells(&[code, &login, "Nguyễn Thị Mẫu", &id, "", "0900000001", "Một cửa", "50"])
}

fn whole(accounts: u32) -> [Rows; 4] {
    [
        vec![system_row("CU", "cu_soap", "=khoa-bi-mat")],
        vec![line_row("CU")],
        (0..accounts).map(|n| account_row("CU", n)).collect(),
        vec![cells(&["CU", "1.004194", "Đăng ký thường trú", "40", "3", "có"])],
    ]
}

async fn look(world: &World, rows: [Rows; 4]) -> Result<Look, Refused> {
    look_at(world, &workbook(rows)).await
}

async fn look_at(world: &World, bytes: &[u8]) -> Result<Look, Refused> {
    units::keep(&world.store, clock()).await.unwrap();
    let tree = units::known(&world.store, clock().viet_nam_date()).await.unwrap().tree;
    let book = imports::open(bytes)?;
    imports::look((&world.store, &world.snapshot(), &tree), clock(), &book).await
}

fn plan() -> Plan {
    let today = clock().viet_nam_date();
    Plan {
        name: "Hoàn thiện".into(),
        document: "12/TTDL".into(),
        dated: today,
        scope: Scope { imported: true, ..Scope::default() },
        deadline: clock().plus_ms(30 * DAY_MS).viet_nam_date(),
        remind: vec![],
        parts: Part::ALL.to_vec(),
    }
}

fn book_of(tables: &[book::Table]) -> Vec<u8> {
    let rows = |t: &book::Table| t.lines.iter().map(|l| l.cells.clone()).collect::<Rows>();
    let tables: Vec<_> = tables.iter().map(|t| (t.name.as_str(), rows(t))).collect();
    book::write(&tables).unwrap()
}

fn system(world: &World) -> Option<System> {
    let code = SystemCode::parse("CU").unwrap();
    world.snapshot().by_code(&code).map(|s| s.as_ref().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_is_live_enters_whole_once_and_is_served_until_the_deadline() {
    for world in World::both("import").await {
        let by = operator();
        let desk =
            ImportDesk { store: &world.store, now: clock(), by: &by, reason: "Tiếp nhận" };
        let looked = look(&world, whole(3)).await.unwrap();
        assert_eq!(looked.wrong, []);
        assert_eq!((looked.sums(), looked.known.len()), ((1, 3), 0));
        let (done, entered) = imports::import(&desk, looked, plan()).await.unwrap().unwrap();
        assert_eq!(entered.systems, 1);
        assert!(done.detail.contains("12/TTDL") && done.detail.ends_with("lý do: Tiếp nhận"));
        let entered = system(&world).unwrap();
        assert_eq!(entered.state, ConnectionState::Live);
        let grant = entered.service(Service::CitizenVerify).unwrap();
        assert_eq!(grant.line(Window::InHours).unwrap().daily, 500);
        assert_eq!(entered.accounts.iter().count(), 3);
        let soap = entered.soap.as_ref().unwrap();
        assert_eq!((soap.user.as_str(), &*soap.secrets[0].0), ("cu_soap", &b"=khoa-bi-mat"[..]));
        // The dossier is incomplete, open, and in the campaign.
        let first = actor(FIRST);
        let unit = UnitCode::parse("H26.001").unwrap();
        let store = &world.store;
        let desk_of = DossierDesk { store, now: clock(), by: &first, side: Side::Unit(&unit) };
        let task = store.campaigns().of_unit(&unit).await.unwrap().pop().unwrap();
        let open = read::open(&desk_of, task.dossier, |_| true).await.unwrap().unwrap();
        assert_eq!(open.dossier.stage(), &Stage::Draft);
        assert!(open.missing.len() > 10, "{:?}", open.missing);
        assert!(open.dossier.papers(Part::Commitment).last().unwrap().signed.is_none());
        // Again: nothing changes, and that is said.
        let before = store.ledger().next_index();
        let again = look(&world, whole(3)).await.unwrap();
        assert_eq!((again.entering.len(), again.known.len(), again.wrong.len()), (0, 1, 0));
        assert!(imports::import(&desk, again, plan()).await.unwrap().is_none());
        assert_eq!(store.ledger().next_index(), before);
        // What goes out in the same layout is what came in, without secrets.
        let (done, bytes) = imports::export(&desk).await.unwrap();
        assert!(done.detail.starts_with("1 hệ thống, 3 tài khoản; "), "{}", done.detail);
        let [out, back] = [workbook(whole(3)), bytes].map(|bytes| book::read(&bytes).unwrap());
        let cell = |line: &book::Line, at: usize| line.cells.get(at).cloned().unwrap_or_default();
        let rows = |table: &book::Table| -> Vec<Vec<String>> {
            table.lines.iter().map(|l| [0, 3, 5].map(|at| cell(l, at)).to_vec()).collect()
        };
        assert_eq!(
            out.iter().map(rows).collect::<Vec<_>>()[1..],
            back.iter().map(rows).collect::<Vec<_>>()[1..]
        );
        assert!(back[0].lines[1].cells.len() < 18, "no secret");
        let again = look_at(&world, &book_of(&back)).await.unwrap();
        assert_eq!((again.known.len(), again.wrong.len()), (1, 0));
        // Served to the end of the deadline's day, locked after.
        for (days, state) in [(30, ConnectionState::Live), (31, ConnectionState::Locked)] {
            campaigns::keep(store, clock().plus_ms(days * DAY_MS)).await.unwrap();
            assert_eq!(system(&world).unwrap().state, state, "{days}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_wrong_rows_are_named_and_nothing_enters_by_halves() {
    for world in World::both("import-wrong").await {
        let [mut systems, mut lines, mut accounts, procedures] = whole(2);
        systems.push(system_row("MAU", "", ""));
        systems.push(system_row("CU2", "cu_soap", "khoa-bi-mat"));
        lines.push(cells(&["CU2", "003", "Buổi trưa", "5", "x"]));
        lines.push(cells(&["CU2", "citizen.verify", "Ngoài giờ", "1001", "Một cửa"]));
        lines.push(cells(&["LA", "003", "Trong giờ", "5", "x"]));
        accounts[1][1] = "a".into();
        accounts.push(account_row("CU", 0));
        let looked = look(&world, [systems, lines, accounts, procedures]).await.unwrap();
        let mut wrong: Vec<_> =
            looked.wrong.iter().map(|w| (w.sheet, w.line, w.rule.code())).collect();
        wrong.sort_unstable();
        wrong.dedup();
        let expected = [
            ("Dịch vụ", 3, "B5"),
            ("Dịch vụ", 5, "B1"),
            ("Hệ thống", 3, "B1"),
            ("Hệ thống", 4, "D4"),
            ("Hệ thống", 4, "H1"),
            ("Tài khoản", 3, "B6"),
            ("Tài khoản", 4, "B6"),
            ("Tài khoản", 4, "E1"),
        ];
        assert_eq!(wrong, expected, "{:?}", looked.wrong);
        assert!(looked.wrong.iter().all(|w| !w.column.is_empty()), "{:?}", looked.wrong);
        let column = |line| looked.wrong.iter().find(|w| w.sheet == "Tài khoản" && w.line == line);
        assert!(column(3).is_some_and(|w| !w.column.is_empty()));
        let sentence = looked.wrong.iter().find(|w| w.rule.code() == "H1").unwrap().sentence();
        let begins = ("Hệ thống, dòng 4, cột “SOAP: tên truy cập”: ", "Hệ thống, row 4, column “");
        assert!(
            sentence.0.starts_with(begins.0) && sentence.1.starts_with(begins.1),
            "{sentence:?}"
        );
        assert!(
            looked
                .wrong
                .iter()
                .all(|w| !w.vi.contains("canbo") && w.vi.ends_with('.') && w.en.ends_with('.'))
        );
        let by = operator();
        let desk = ImportDesk { store: &world.store, now: clock(), by: &by, reason: "x" };
        let before = world.store.ledger().next_index();
        assert!(imports::import(&desk, looked, plan()).await.is_err());
        let late = Plan { deadline: clock().viet_nam_date(), ..plan() };
        let looked = look(&world, whole(1)).await.unwrap();
        assert!(imports::import(&desk, looked, late).await.is_err());
        assert_eq!(world.store.ledger().next_index(), before);
        assert!(system(&world).is_none());
        for bytes in [&b"no workbook"[..], &imports::template().unwrap()[..100]] {
            assert!(look_at(&world, bytes).await.is_err());
        }
        let empty = look_at(&world, &imports::template().unwrap()).await.unwrap();
        assert!(empty.entering.is_empty() && empty.wrong.is_empty());
    }
}

/// Accounts in the columns of 2021, which have no citizen id: it is completed by the campaign.
#[tokio::test(flavor = "multi_thread")]
async fn rule_b6_accounts_enter_in_the_columns_of_2021() {
    for world in World::both("import-2021").await {
        let head = ["TT", "Mã hệ thống", "Họ tên ²", "Tài khoản đăng nhập ³", "SĐT"];
        let more = ["Vai trò trách nhiệm ⁴", "Số lần truy vấn trong ngày ⁵", "Mục đích sử dụng ⁶"];
        let book = |login: &str, daily: &str| {
            let row = ["1", "CU", "Nguyễn Thị Mẫu", login, "0900000001", "Một cửa", daily, "Việc"];
            let accounts = vec![cells(&[&head[..], &more[..]].concat()), cells(&row)];
            let mut tables = book::read(&workbook(whole(0))).unwrap();
            let lines = (1..).zip(accounts).map(|(number, cells)| book::Line { number, cells });
            tables[2].lines = lines.collect();
            book_of(&tables)
        };
        let wrong = look_at(&world, &book("canbo.cu21", "nhiều")).await.unwrap().wrong;
        assert_eq!(wrong[0].column, "Số lần truy vấn trong ngày");
        let wrong = look_at(&world, &book("cu", "5")).await.unwrap().wrong;
        assert_eq!((wrong.len(), wrong[0].column), (1, "Tài khoản đăng nhập"));
        let looked = look_at(&world, &book("canbo.cu21", "50")).await.unwrap();
        assert_eq!(looked.wrong, []);
        let by = operator();
        let desk =
            ImportDesk { store: &world.store, now: clock(), by: &by, reason: "Tiếp nhận" };
        imports::import(&desk, looked, plan()).await.unwrap().unwrap();
        let entered = system(&world).unwrap();
        let account = entered.accounts.iter().next().unwrap();
        assert_eq!((account.login.as_str(), account.daily), ("canbo.cu21", 50));
        let content = world.store.dossiers().of_system(entered.id).await.unwrap().unwrap();
        let row = &content.dossier.content().accounts[0];
        assert_eq!((row.role.as_str(), row.citizen_id.as_str()), ("Một cửa", ""));
    }
}

/// The sheets as CSV files.
fn csv(rows: [Rows; 4]) -> Vec<(String, Vec<u8>)> {
    let tables = SHEETS.iter().zip(rows);
    let cell = |text: &String| match text.as_str() {
        text if text.len() == 12 && text.starts_with("099") => format!("\"=\"\"{text}\"\"\""),
        text if text.starts_with('=') => format!("'{text}"),
        text => format!("\"{text}\""),
    };
    let files = tables.zip([";", ",", "\t", ";"]).map(|((sheet, rows), between)| {
        let head = sheet.columns.iter().map(|c| c.trim_start_matches('*').to_owned()).collect();
        let lines = [vec![head], rows].concat().into_iter();
        let lines = lines.map(|row: Vec<String>| {
            row.iter().map(cell).collect::<Vec<_>>().join(between) + "\r\n"
        });
        (format!("bang {}.csv", sheet.columns.len()), lines.collect::<String>().into_bytes())
    });
    files.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_csv_files_says_what_the_workbook_says() {
    for world in World::both("import-csv").await {
        let archive = |files: &[(String, Vec<u8>)]| book::archive(files).unwrap();
        let files = csv(whole(3));
        let by_text = look_at(&world, &archive(&files)).await.unwrap();
        let by_book = look(&world, whole(3)).await.unwrap();
        assert!(by_text.wrong.is_empty(), "{:?}", by_text.wrong);
        let content = |look: &Look| {
            let one = &look.entering[0];
            (one.content.clone(), one.soap.as_ref().map(|soap| soap.user.clone()))
        };
        assert_eq!(content(&by_text), content(&by_book));

        let mut rows = whole(2);
        rows[2][1][7] = "nhiều".into();
        let wrong = look_at(&world, &archive(&csv(rows))).await.unwrap().wrong;
        let told = "Tài khoản, dòng 3, cột “Số lần truy vấn trong ngày”: ";
        assert!(wrong.len() == 1 && wrong[0].sentence().0.starts_with(told), "{wrong:?}");

        // The accounts alone say of no system where it belongs.
        let refused = |bytes: Vec<u8>| imports::open(&bytes).err().unwrap().to_string();
        assert!(refused(files[2].1.clone()).contains("Hệ thống"));
        let twice = [files.clone(), vec![("khac.csv".into(), files[2].1.clone())]].concat();
        assert!(refused(archive(&twice)).contains("Có hai bảng “Tài khoản”"));
        let less = String::from_utf8(files[2].1.clone()).unwrap().replace("Số CCCD", "Số");
        let less = [files[0].clone(), ("x.csv".into(), less.into_bytes())];
        assert!(refused(archive(&less)).contains("không tìm thấy cột “Số CCCD”"));
        let alone = look_at(&world, &files[0].1).await.unwrap();
        assert!(alone.wrong.iter().any(|w| w.rule.code() == "B5"), "{:?}", alone.wrong);
    }
}

/// 3,000 accounts in one workbook, by one transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_accounts_enter_at_once() {
    for world in World::both("import-large").await {
        let by = operator();
        let desk =
            ImportDesk { store: &world.store, now: clock(), by: &by, reason: "Tiếp nhận" };
        let looked = look(&world, whole(3_000)).await.unwrap();
        imports::import(&desk, looked, plan()).await.unwrap().unwrap();
        assert_eq!(system(&world).unwrap().accounts.iter().count(), 3_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_large_campaign_ends_slice_by_slice_and_goes_on_where_it_was_broken_off() {
    for world in World::both("import-stopped").await {
        let (by, store) = (operator(), &world.store);
        let desk = ImportDesk { store, now: clock(), by: &by, reason: "Tiếp nhận" };
        let codes: Vec<String> = (0..80).map(|n| format!("CU{n}")).collect();
        let row = |code: &String| system_row(code, &format!("soap_{code}"), "=khoa-bi-mat");
        let rows = [
            codes.iter().map(row).collect(),
            codes.iter().map(|code| line_row(code)).collect(),
            (0..).zip(&codes).map(|(n, code)| account_row(code, n)).collect(),
            codes
                .iter()
                .map(|code| cells(&[code, "1.004194", "Đăng ký", "40", "3", "có"]))
                .collect(),
        ];
        let looked = look(&world, rows).await.unwrap();
        assert_eq!(looked.wrong, []);
        let (_, entered) = imports::import(&desk, looked, plan()).await.unwrap().unwrap();
        let (id, later) = (entered.campaign, clock().plus_ms(31 * DAY_MS));
        campaigns::keep(store, later).await.unwrap();
        let count = |state| {
            let snapshot = world.snapshot();
            let ours = snapshot.systems().iter().filter(|s| s.code.as_str().starts_with("CU"));
            ours.filter(|s| s.state == state).count()
        };
        assert_eq!(count(ConnectionState::Locked), 80);
        // As it stands where it was broken off.
        let (keys, tasks) =
            (store.keys().clone(), store.campaigns().of_campaign(id).await.unwrap());
        let some = store.ledger().tidy(later, move |tx| {
            for found in tasks.iter().take(10) {
                let task = found.task.clone().ended().0;
                dancu_store::campaigns::save_task(tx, &keys, (id, found.dossier), &task)?;
                dancu_store::policy::write::set_system_state(
                    tx,
                    found.system,
                    ConnectionState::Live,
                )?;
            }
            Ok(())
        });
        some.await.unwrap();
        let (before, first) = (store.ledger().next_index(), actor(FIRST));
        let desk = campaigns::CampaignDesk { store, now: later, by: &first };
        let done = campaigns::stop(&desk, id, "Đợt lập nhầm").await.unwrap();
        assert_eq!(store.ledger().next_index() - before, 2);
        let told = format!("{id}: 20 hồ sơ chưa xong, mở khóa 20; lý do: Đợt lập nhầm");
        assert_eq!(done.detail, told);
        assert_eq!(count(ConnectionState::Live), 80);
        let again = campaigns::stop(&desk, id, "Lần nữa").await;
        assert!(matches!(again, Err(Refused::Gone)));
    }
}
