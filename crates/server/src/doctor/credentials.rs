//! Credentials of connected systems that end soon: their integrators are reminded in the portal,
//! and here whoever runs the centre.

use dancu_domain::moment::Moment;
use dancu_domain::registration::Snapshot;

use super::{Check, State};
use crate::telemetry::lines::ending;

const CREDENTIALS: [&str; 3] = [
    "credentials",
    "thông tin xác thực của các hệ thống (credentials of systems)",
    "Nhắc đầu mối của hệ thống đổi khóa hoặc chứng thư: danh sách ở mục Kết nối hệ thống của cổng \
     (remind the integrators; the list stands in the portal).",
];

/// Counts them; whose they are is not told on a terminal.
pub fn check(snapshot: dancu_store::Result<Snapshot>, now: Moment) -> Check {
    let snapshot = match snapshot {
        Ok(snapshot) => snapshot,
        Err(error) => return Check::new(CREDENTIALS, State::Fail, error.to_string()),
    };
    let [(_, soon), (_, ended)] = ending(&snapshot, now);
    let found = format!(
        "{soon} sắp hết hạn trong 30 ngày, {ended} đã hết hạn (ending within 30 days, ended)"
    );
    Check::new(CREDENTIALS, if soon + ended > 0 { State::Warn } else { State::Ok }, found)
}
