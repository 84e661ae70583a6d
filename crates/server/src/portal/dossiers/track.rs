//! The track of stages, with what happened at each (B3).

use dancu_domain::dossier::{Closing, Dossier, Evidence, Stage, Step};
use dancu_office::dossiers::read::Open;
use dancu_portal::dossier::Station;

use super::told::Names;
use crate::portal::frame;
use crate::portal::signed::Signed;

/// How a station stands: class, icon, key of the words.
type Look = (&'static str, &'static str, &'static str);

const DONE: Look = ("done", "check", "dossier-track-done");
const NOW: Look = ("now", "arrow-right", "dossier-track-now");
const AHEAD: Look = ("ahead", "minus", "dossier-track-ahead");
const LEFT_OUT: Look = ("left-out", "circle-minus", "dossier-track-exempt");
const END: Look = ("end", "ban", "dossier-track-end");

/// The stations of a dossier, from its beginning to its end.
pub(super) fn stations(signed: &Signed, names: &Names, open: &Open) -> Vec<Station> {
    let dossier = &open.dossier;
    let stage = dossier.stage();
    // Where a dossier that was turned down had got to is what its steps and versions say.
    let reached = match stage {
        Stage::Draft | Stage::Changes => 0,
        Stage::Submitted => 1,
        Stage::Accepted => 2,
        Stage::Approved => 3,
        Stage::Live | Stage::Closed => 4,
        Stage::Refused(_) | Stage::Withdrawn => u8::from(dossier.version() > 0),
    };
    let closed = Step::ALL.iter().all(|step| dossier.closing(*step).is_some());
    let ended = stage.is_final();
    let look = |at: u8, now: bool| match () {
        () if at <= reached => DONE,
        () if now && !ended => NOW,
        () => AHEAD,
    };
    let filling = matches!(stage, Stage::Draft | Stage::Changes);
    let since = frame::stamp(dossier.since());
    let here = |on: bool| if on { vec![since.clone()] } else { vec![] };
    let first = if filling { NOW } else { DONE };
    let begun = vec![names.mark(dossier.begun())];
    let mut all = vec![
        station("dossier-track-draft", first, false, begun),
        station("dossier-stage-submitted", look(1, false), false, handed_in(signed, dossier)),
        station(
            "dossier-track-accepted",
            look(2, *stage == Stage::Submitted),
            false,
            here(*stage == Stage::Accepted),
        ),
    ];
    all.extend(Step::ALL.map(|step| of_step(signed, names, (dossier, step), reached)));
    let approvals = dossier.approvals().iter().map(|mark| names.mark(*mark)).collect();
    all.push(station(
        "dossier-track-approved",
        look(3, *stage == Stage::Accepted && closed),
        false,
        approvals,
    ));
    all.push(station(
        "dossier-stage-live",
        look(4, *stage == Stage::Approved),
        false,
        here(*stage == Stage::Live),
    ));
    if ended {
        let key = format!("dossier-stage-{}", stage.code());
        all.push(station(&key, END, false, here(true)));
    }
    all
}

fn station(key: &str, look: Look, beside: bool, facts: Vec<String>) -> Station {
    let (class, icon, state_key) = look;
    Station { class, icon, key: key.to_owned(), state_key, beside, facts }
}

fn handed_in(signed: &Signed, dossier: &Dossier) -> Vec<String> {
    match dossier.version() {
        0 => vec![],
        version => vec![signed.text().with("dossier-version", "version", version)],
    }
}

fn of_step(
    signed: &Signed,
    names: &Names,
    (dossier, step): (&Dossier, Step),
    reached: u8,
) -> Station {
    let t = signed.text();
    let key = format!("dossier-step-{}", step.code());
    let (look, facts) = match dossier.closing(step) {
        Some(Closing::Done(evidence, mark)) => {
            let shown = match evidence {
                Evidence::Checked => t.get("dossier-evidence-checked"),
                Evidence::Conformance { report, passed, .. } => t.with_two(
                    "dossier-evidence-conformance",
                    "report",
                    report,
                    "passed",
                    t.num(u64::from(*passed)),
                ),
                Evidence::Report { number, passed, .. } => t.with_two(
                    "dossier-evidence-conformance",
                    "report",
                    number,
                    "passed",
                    t.num(u64::from(*passed)),
                ),
                Evidence::Confirmation { number, date } => t.with_two(
                    "dossier-evidence-confirmation",
                    "number",
                    number,
                    "day",
                    frame::date(*date),
                ),
            };
            (DONE, vec![shown, names.mark(*mark)])
        }
        Some(Closing::Exempt(exemption, mark)) => {
            let ground = t.get(format!("dossier-ground-{}", exemption.ground.code()));
            let on = format!("{}, {}", exemption.evidence, frame::date(exemption.date));
            (LEFT_OUT, vec![ground, on, names.mark(*mark)])
        }
        None if reached == 2 => (NOW, vec![t.get(turn_of(step))]),
        None => (AHEAD, vec![]),
    };
    station(&key, look, true, facts)
}

const fn turn_of(step: Step) -> &'static str {
    match step {
        Step::Documents => "dossier-turn-reviewer",
        Step::Sandbox => "dossier-turn-integrator",
        Step::Assessment => "dossier-turn-assessor",
    }
}
