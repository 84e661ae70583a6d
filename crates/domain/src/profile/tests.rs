//! What a profile file may say, and what it is refused for.

use super::*;
use crate::ids::Login;

#[test]
fn the_shipped_profile_is_valid_and_dated() {
    let p = Profiles::parse(DEFAULT_PROFILE).unwrap();
    let at = |t: &str| p.at(Moment::parse_rfc3339(t).unwrap()).version.clone();
    assert_eq!(at("2025-10-01T06:59:59+07:00"), "VN-2022.12");
    assert_eq!(at("2025-10-01T07:00:00+07:00"), "VN-2025.10");
    assert_eq!(at("2020-01-01T00:00:00+07:00"), "VN-2022.12");
}

#[test]
fn errors_name_line_and_reason() {
    let cases = [
        ("inHoursTo = \"18:00\"", "inHoursTo = \"06:00\"", "inHoursFrom"),
        ("offHoursCap = 1000 ", "offHoursCap = 1001 ", "D4"),
        ("reading = \"twoEpisodes\" ", "reading = \"sometimes\" ", "sometimes"),
        ("burst = 10\n", "burst = 0\n", "burst"),
        ("personsPerMinute = 1200", "personsPerMinute = 1201", "personsPerMinute"),
        ("loginMax = 60 ", "loginMax = 61 ", "B6"),
        ("idleDays = 45 ", "idleDays = 46 ", "E2"),
        ("trainingLapse = \"warn\" ", "trainingLapse = \"never\" ", "never"),
        ("passwordDays = 90 ", "passwordDays = 91 ", "E2"),
        ("sessionsPerPerson = 1 ", "sessionsPerPerson = 2 ", "E2"),
        ("assessmentMonths = 12 ", "assessmentMonths = 13 ", "C3"),
        ("acknowledgeMinutes = 15 ", "acknowledgeMinutes = 16 ", "D6"),
        ("decideMinutes = 120 ", "decideMinutes = 121 ", "D6"),
        ("firstNoticeHours = 24 ", "firstNoticeHours = 25 ", "E6"),
        ("completeBy = \"\" ", "completeBy = \"soon\" ", "YYYY-MM-DD"),
        ("approvers = 1 ", "approvers = 3 ", "1..2"),
        ("reportDays = 180 ", "reportDays = 0 ", "1..3660"),
        ("systemNamePattern = \"\" ", "systemNamePattern = \"(a|b)\" ", "B1"),
        ("status = \"default\" ", "status = \"draft\" ", "A2"),
        ("graceMinutes = 15 ", "graceMinuets = 15 ", "graceMinuets"),
        ("validFrom = \"2025-10-01\"", "validFrom = \"2021-10-01\"", "validFrom"),
    ];
    for (good, bad, word) in cases {
        assert!(DEFAULT_PROFILE.contains(good), "{good}");
        let text = DEFAULT_PROFILE.replacen(good, bad, 1);
        let error = Profiles::parse(&text).unwrap_err();
        assert!(error.line > 1, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(Profiles::parse("").unwrap_err().line, 1);
}

#[test]
fn drafts_are_not_in_force() {
    let (first, second) = DEFAULT_PROFILE.split_once("version = \"VN-2025.10\"").unwrap();
    let drafted = second.replacen("status = \"inForce\"", "status = \"draft\"", 1);
    let text = format!("{first}version = \"VN-2025.10\"{drafted}");
    let profiles = Profiles::parse(&text).unwrap();
    let versions: Vec<_> = profiles.versions().iter().map(|p| p.version.as_str()).collect();
    assert_eq!(versions, ["VN-2022.12"]);
    let later = Moment::parse_rfc3339("2026-01-05T08:00:00+07:00").unwrap();
    assert_eq!(profiles.at(later).version, "VN-2022.12");
    let none = DEFAULT_PROFILE.replace("status = \"inForce\"", "status = \"draft\"");
    let error = Profiles::parse(&none).unwrap_err();
    assert!(error.to_string().contains("inForce"), "{error}");
    // A draft is checked like the others.
    let wrong = text.replace("status = \"draft\"\n", "status = \"draft\"\nnonsense = 1\n");
    assert!(Profiles::parse(&wrong).is_err());
}

#[test]
fn figures_of_the_rules() {
    let profiles = Profiles::parse(DEFAULT_PROFILE).unwrap();
    let latest = profiles.versions().last().unwrap();
    assert_eq!(latest.dossier.complete_by, Some(jiff::civil::date(2025, 10, 1)));
    assert_eq!(latest.dossier.system_name_pattern, None);
    assert_eq!(latest.accounts.logins(), Login::LENGTH);
    assert_eq!(latest.accounts.training_lapse, TrainingLapse::Warn);
    assert_eq!(latest.sign_in.mfa_on_enrolled_device, MfaRule::WorkingDay);
    assert_eq!(latest.security.overdue_assessment, OverdueRule::NamedDecision);
    assert_eq!((latest.abnormal.acknowledge_minutes, latest.abnormal.decide_minutes), (15, 120));
    let incidents = latest.incidents;
    assert_eq!(
        (incidents.first_notice_hours, incidents.report_hours, incidents.personal_data_hours),
        (24, 72, 72)
    );
    assert_eq!(latest.channels_origin.status, ChannelsStatus::Default);
    assert_eq!(profiles.versions()[0].dossier.complete_by, None);
}
