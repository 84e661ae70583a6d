//! The report of a run: one line of JSON, signed by the key of the sandbox's log as a C2SP signed
//! note, so that whoever knows that key can tell it is the sandbox's.

use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use serde_json::json;

use super::Running;

/// The text that is signed.
pub(super) fn text(running: &Running, system: &System, now: Moment) -> String {
    let cases = running.run.cases().iter().map(|shown| {
        let text = shown.case.text();
        json!({
            "case": shown.case.code(),
            "nameVi": text.name_vi,
            "passed": !shown.entries.is_empty(),
            "entries": shown.entries,
        })
    });
    let report = json!({
        "format": "dancu-conformance/1",
        "run": running.name(),
        "systemCode": system.code.as_str(),
        "unitCode": system.unit.as_str(),
        "client": running.client,
        "begunBy": running.by,
        "from": running.began.rfc3339(),
        "to": now.rfc3339(),
        "cases": cases.collect::<Vec<_>>(),
        "otherRefusals": running.run.unexpected().len(),
    });
    format!("{report}\n")
}
