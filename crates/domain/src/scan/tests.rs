use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 3, 2);

/// What was understood, as text: id, old id, name, birth.
fn read(text: &str) -> [String; 4] {
    let found = sort(text, TODAY);
    let text = |t: Option<String>| t.unwrap_or_default();
    [
        text(found.personal_id.map(|id| id.to_string())),
        text(found.old_id.map(|id| id.to_string())),
        text(found.name.map(|name| name.as_str().to_owned())),
        text(found.birth.map(|birth| birth.to_string())),
    ]
}

fn all(text: &str, want: [&str; 4]) {
    assert_eq!(read(text), want.map(str::to_owned), "{text:?}");
    assert_eq!(sort(text, TODAY).flaws, vec![], "{text:?}");
}

const ID: &str = "099303000417";

#[test]
fn cards() {
    let name = "NGUYỄN VĂN MẪU";
    let want = [ID, "099417250", name, "2004-02-29"];
    let card = "099303000417|099417250|NGUYỄN VĂN MẪU|29022004|Nam|Số 1, Phường Hoa|12032021";
    all(card, want);
    // The separator as another layout types it, fields on lines, a scanner's control characters.
    for separator in [">", "~", "¦", "｜", "\t", "\r\n", "\u{1d}", ";", ","] {
        all(&card.replace('|', separator), want);
    }
    all(&format!("  {card}\n"), want);
    all(&format!("{card}||||"), want);
    let want = [ID, "", name, "1990-02-01"];
    all("099303000417||NGUYỄN VĂN MẪU|01021990|Nữ|X|12032021", want);
    all("099303000417|| NGUYỄN  VĂN MẪU |01021990|Nữ|", want);
    // Only the year is known.
    all("099303000417||NGUYỄN VĂN MẪU|00001950|Nữ|X|", [ID, "", name, "1950"]);
    all("099303000417||NGUYỄN VĂN MẪU|1950|Nữ|X|", [ID, "", name, "1950"]);
    // Decomposed letters are the same name.
    all("099303000417||NGUYE\u{302}\u{303}N VA\u{306}N MA\u{302}\u{303}U|01021990|Nữ|X|", want);
}

/// The number row of the Vietnamese keyboard layout: 1 to 9 and 0.
fn by_layout(text: &str) -> String {
    let row = ['đ', 'ă', 'â', 'ê', 'ô', '\u{300}', '\u{309}', '\u{303}', '\u{301}', '\u{323}'];
    text.chars().map(|c| c.to_digit(10).map_or(c, |digit| row[digit as usize])).collect()
}

#[test]
fn digits_that_the_layout_typed_as_marks() {
    let card = by_layout("099303000417|099417250|NGUYEN VAN MAU|29021988|Nam|So 1|12032021");
    all(&card, [ID, "099417250", "NGUYEN VAN MAU", "1988-02-29"]);
    // Once composed, the order of two marks is lost, so nothing is guessed.
    let composed: String = crate::text::composed(&card).into_owned();
    assert_eq!(sort(&composed, TODAY).personal_id, None);
}

#[test]
fn a_damaged_card_says_so() {
    let flaws = |text| sort(text, TODAY).flaws;
    assert_eq!(flaws("099303000417||NGUY?N V?N M?U|01021990|Nam|X|"), [Flaw::Name]);
    let impossible = Flaw::Birth(BirthError::Impossible);
    assert_eq!(flaws("099303000417||NGUYỄN VĂN MẪU|31021990|Nam|X|"), [impossible]);
    let future = Flaw::Birth(BirthError::Future);
    assert_eq!(flaws("099303000417||NGUYỄN VĂN MẪU|01012090|Nam|X|"), [future]);
    let found = sort("099303000417|||01021990|Nam|X|", TODAY);
    assert_eq!((found.missing(), found.flaws), (vec![Part::Name], vec![]));
}

#[test]
fn typing_and_pastes() {
    let name = "Nguyễn Văn Mẫu";
    let want = [ID, "", name, "1990-02-01"];
    for text in [
        "099303000417 Nguyễn Văn Mẫu 01/02/1990",
        "099 303 000 417 Nguyễn Văn Mẫu 1/2/1990",
        "099.303.000.417 Nguyễn Văn Mẫu 1.2.1990",
        "0993 0300 0417 Nguyễn Văn Mẫu 1 2 1990",
        "Nguyễn Văn Mẫu\t01-02-1990\t099303000417",
        "Nguyễn Văn Mẫu; 01021990; 099303000417",
        "1990-02-01, 099303000417, Nguyễn Văn Mẫu",
        "19900201\n099303000417\nNguyễn Văn Mẫu",
        "099303000417|Nguyễn Văn Mẫu|01/02/1990",
        "Họ và tên: Nguyễn Văn Mẫu; Ngày sinh: 01/02/1990; Số định danh: 099303000417",
        "099303000417, Nguyễn Văn Mẫu, Nam, 01/02/1990, Phường Hoa Mai, Thành phố Mẫu",
        "Số 12 đường Hoa Ban\tNguyễn Văn Mẫu\t01/02/1990\t099303000417",
        "099303000417 - Nguyễn Văn Mẫu - 01/02/1990",
        "099303000417 Nguyễn Văn Mẫu 01/02/1990 1990",
        "\u{feff}０９９３０３０００４１７ Nguyễn\u{a0}Văn Mẫu 01/02/1990",
    ] {
        all(text, want);
    }
    all("099303000417, Lò Thị O’Mẫu, 1990", [ID, "", "Lò Thị O’Mẫu", "1990"]);
    all("099417250 Nguyễn Văn Mẫu 01021990", ["", "099417250", name, "1990-02-01"]);
    all("099 417 250 Nguyễn Văn Mẫu 1990", ["", "099417250", name, "1990"]);
    all("Nguyễn Văn Mẫu 1990 099 303 000 417", [ID, "", name, "1990"]);
    all("099303000417 099417250 Nguyễn Văn Mẫu 1990", [ID, "099417250", name, "1990"]);
    // What stands beside a name is told from it, also where it is a surname without accents.
    for other in ["Kinh", "Việt Nam", "Nữ", "Hà Nội", "Tỉnh Cà Mau", "ngõ Mẫu", "Tổ dân phố Mẫu"]
    {
        for surname in
            ["Ngô", "Dương", "Tô", "Quan", "Bàn", "Thành", "Thị", "Xa", "Phương", "DUONG"]
        {
            let name = format!("{surname} Văn Mẫu");
            all(&format!("{other}\t{name}\t01/02/1990\t{ID}"), [ID, "", &name, "1990-02-01"]);
            all(&format!("{ID}\t1990\t{name}\t{other}"), [ID, "", &name, "1990"]);
        }
    }
    all("099303000417, Mẫu Văn A, MẪU VĂN A, 1990", [ID, "", "Mẫu Văn A", "1990"]);
    // The only piece of letters is the name, even where it looks like something else.
    all("099303000417 Nam 1990", [ID, "", "Nam", "1990"]);
}

#[test]
fn what_is_missing_or_wrong() {
    let found = |text: &str| {
        let found = sort(text, TODAY);
        (found.missing(), found.flaws)
    };
    let every = vec![Part::Id, Part::Name, Part::Birth];
    assert_eq!(found(""), (every.clone(), vec![]));
    assert_eq!(found(" | ;\t"), (every.clone(), vec![]));
    assert_eq!(found("Nguyễn Văn Mẫu"), (vec![Part::Id, Part::Birth], vec![]));
    assert_eq!(found("099303000417"), (vec![Part::Name, Part::Birth], vec![]));
    assert_eq!(found("099303000417 1990"), (vec![Part::Name], vec![]));
    let eleven = vec![Flaw::Digits(11)];
    assert_eq!(found("09930300041 Mẫu Văn A 1990"), (vec![], eleven.clone()));
    assert_eq!(found("099 303 000 41 Mẫu Văn A 1990"), (vec![], eleven));
    assert_eq!(found("0912345678 Mẫu Văn A 1990"), (vec![], vec![Flaw::Digits(10)]));
    let two = found("099303000417 099303000418 Mẫu Văn A 1990");
    assert_eq!(two, (vec![], vec![Flaw::TwoIds]));
    assert_eq!(sort("099303000417 099303000418 Mẫu", TODAY).id(), None);
    let births = found("099303000417 Mẫu Văn A 01/02/1990 02/02/1990");
    assert_eq!(births, (vec![], vec![Flaw::TwoBirths]));
    let two = (vec![], vec![Flaw::TwoNames]);
    assert_eq!(found("099303000417, Mẫu Văn A, Mẫu Văn B, 1990"), two);
    assert_eq!(found("099303000417, NGO VAN A, DUONG VAN B, 1990"), two);
    assert_eq!(found("099303000417, Nam, Kinh, 1990"), (vec![], vec![Flaw::Name]));
    assert_eq!(found("099303000417 Mẫu Văn A 02/1990"), (vec![], vec![Flaw::MonthOnly]));
    let wrong_day = |error| (vec![], vec![Flaw::Birth(error)]);
    assert_eq!(found("099303000417 Mẫu 31/02/1990"), wrong_day(BirthError::Impossible));
    assert_eq!(found("099303000417 Mẫu 01/02/2090"), wrong_day(BirthError::Future));
    assert_eq!(found("099303000417 Mẫu 01/02/1690"), wrong_day(BirthError::TooOld));
    assert_eq!(found("099303000417 Mẫu 2090"), wrong_day(BirthError::Future));
    assert_eq!(found("099303000417 M?u 1990"), (vec![], vec![Flaw::Name]));
    assert_eq!(found("099303000417 Mẫu 12 1990"), (vec![Part::Name], vec![Flaw::Number]));
    assert_eq!(found(&"a".repeat(TEXT_MAX + 1)), (every.clone(), vec![Flaw::TooLong]));
    assert_eq!(found(&"ế".repeat(3 * TEXT_MAX)), (every, vec![Flaw::TooLong]));
    // The personal id is the one to ask by.
    let both = sort("099417250 099303000417", TODAY);
    assert!(matches!(both.id(), Some(SubjectId::Personal(_))));
}

#[test]
fn debug_output_shows_nothing() {
    let shown = format!("{:?}", sort("099303000417 Nguyễn Văn Mẫu 01/02/1990", TODAY));
    assert!(!shown.contains("0993") && !shown.contains("Mẫu") && !shown.contains("1990"));
}

fn a_birth() -> impl Strategy<Value = (String, String)> {
    (1850i16..=2025, 1i8..=12, 1i8..=28, 0usize..4).prop_map(|(year, month, day, form)| {
        let iso = format!("{year:04}-{month:02}-{day:02}");
        let text = match form {
            0 => format!("{day:02}/{month:02}/{year}"),
            1 => format!("{day}-{month}-{year}"),
            2 => format!("{day:02}{month:02}{year}"),
            _ => iso.clone(),
        };
        (text, iso)
    })
}

proptest! {
    #[test]
    fn whatever_the_order_the_keys_are_found(
        id in 0u64..1_000_000_000_000,
        name in "[A-Z][a-zàáảãạ]{0,6}( [A-ZĐ][a-zêềếểễệ]{0,6}){1,4}",
        (birth, iso) in a_birth(),
        order in Just([0usize, 1, 2]).prop_shuffle(),
        separator in prop::sample::select(vec!["\t", ",", "; ", "\n", "|", " "]),
    ) {
        let id = format!("{id:012}");
        let parts = [id.as_str(), name.as_str(), birth.as_str()];
        let text = order.map(|at| parts[at]).join(separator);
        let want = [id.as_str(), "", name.as_str(), iso.as_str()].map(str::to_owned);
        prop_assert_eq!(read(&text), want);
    }

    #[test]
    fn every_card_is_read(
        id in 0u64..1_000_000_000_000,
        old in prop::option::of(0u32..1_000_000_000),
        name in "[A-Z]{1,7}( [A-ZĐẾỄ]{1,7}){1,4}",
        (year, month, day) in (1850i16..=2025, 1i8..=12, 1i8..=28),
        address in "[^|]{0,80}",
        separator in prop::sample::select(vec!['|', '>', '~', '¦']),
        layout in any::<bool>(),
    ) {
        let old = old.map(|old| format!("{old:09}")).unwrap_or_default();
        let (id, birth) = (format!("{id:012}"), format!("{day:02}{month:02}{year:04}"));
        let typed = |text: &str| if layout { by_layout(text) } else { text.to_owned() };
        let fields = [&typed(&id), &typed(&old), &name, &typed(&birth), "Nữ", &address, "01012021"];
        let text = fields.join(&separator.to_string());
        let want = [id, old, name, format!("{year:04}-{month:02}-{day:02}")];
        prop_assert_eq!(read(&text), want);
    }

    /// Digits of an id that was understood stand in the text in this order.
    #[test]
    fn no_text_panics_and_no_id_is_invented(text in "[0-9A-Za-zăâêôđ ./|,;:\\t-]{0,60}") {
        let found = sort(&text, TODAY);
        if let Some(id) = found.personal_id {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let typed = by_layout(&id.to_string());
            prop_assert!(digits.contains(&id.to_string()) || text.contains(&typed));
        }
        prop_assert!(found.flaws.len() <= 16);
    }

    #[test]
    fn arbitrary_texts_do_not_panic(text in any::<String>(), long in "\\PC{0,700}") {
        let _ = (sort(&text, TODAY), sort(&long, TODAY));
    }
}
