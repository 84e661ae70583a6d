//! What a head asks for: a temporary raise of lines of the unit (D8). It is decided in
//! [`raises`](crate::raises), by somebody else.

use dancu_domain::ids::{LineId, SystemId};
use dancu_domain::moment::{DAY_MS, DutyDay, Hours, MINUTE_MS, Moment, VIET_NAM_OFFSET_MS};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::may::Ground;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::ConnectionState;
use dancu_store::desks::{self, RaiseRequest, RequestState, Requests};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::{self, accounts};
use jiff::civil::Date;

use crate::act::{Done, Entry, Refused, note};
use crate::notices::tell;
use crate::officers::HeadDesk;
use crate::raises::RAISE_DAYS_MAX;

/// A raise may be asked for so many days ahead (*ours*): what is further off belongs into the
/// registration itself.
pub const AHEAD_DAYS: i64 = 180;
/// Requests of one system that wait at a time: twice its 24 lines at most, so that nobody piles
/// them up.
pub const WAITING_MAX: usize = 48;
/// Requests of a system that a page lists, the newest.
const LISTED_MAX: u32 = 100;
/// Characters of the reason: as of a ground ([`Ground::LENGTH`]), so that it states something.
pub const REASON: std::ops::RangeInclusive<usize> = Ground::LENGTH;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The system.
    pub system: SystemId,
    /// Its lines.
    pub lines: Vec<LineId>,
    /// Count a day that is wanted on each.
    pub count: u32,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Why.
    pub reason: String,
}

/// Asks for a raise of each of the lines; one request per line, in one act. Gives their numbers.
///
/// # Errors
/// [`Refused::Field`] names what is wrong: `lines`, `from`, `to`, `wanted`, `reason`.
pub async fn ask(desk: &HeadDesk<'_>, wanted: Wanted) -> Result<(Done, Vec<i64>), Refused> {
    let by = desk.by.person().ok_or(PortalReason::NoPower)?;
    let (now, unit, keys) = (desk.now, desk.unit.clone(), desk.store.keys().clone());
    let hours = desk.store.profiles().at(now).hours.clone();
    let (from, to) = term(&hours, now, wanted.from, wanted.to)?;
    let why = stated(&wanted.reason)?;
    if wanted.lines.is_empty() {
        return Err(wrong("lines", "Chọn ít nhất một dòng dịch vụ.", "Choose at least one line."));
    }
    let asks = RaiseRequest {
        id: 0,
        system: wanted.system,
        line: LineId(0),
        extra: 0,
        from,
        to,
        reason: why,
        asked_by: by,
        asked_at: now,
        state: RequestState::Waiting,
        approvals: vec![],
        decided_at: None,
        answer: String::new(),
    };
    let entry = Entry::new("raise.asked", desk.by, Some(wanted.system));
    let asked = note((desk.store, now), entry, move |tx| {
        let owner = accounts::owner(tx, wanted.system)?.ok_or(Refused::Gone)?;
        if owner.unit != unit || owner.state == ConnectionState::Closed {
            return Err(Refused::Gone);
        }
        let ids = insert(tx, &keys, &wanted, &asks)?;
        let requests = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let told = Notice::RaiseAsked { system: owner.code.clone(), requests };
        tell(tx, &keys, now, &[Audience::Operators(Some(by))], &told)?;
        let lines: Vec<String> = wanted.lines.iter().map(|l| format!("#{}", l.0)).collect();
        let detail = format!(
            "{} dòng {} đến {} lượt/ngày, từ {} đến {}; lý do: {}",
            owner.code,
            lines.join(" "),
            wanted.count,
            from.rfc3339(),
            to.rfc3339(),
            asks.reason
        );
        Ok((detail, ids))
    });
    asked.await
}

/// Stores a request for each line; `asks` is what they have in common.
fn insert(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    wanted: &Wanted,
    asks: &RaiseRequest,
) -> Result<Vec<i64>, Refused> {
    let all = desks::raise_requests(tx, keys, Requests::Of(wanted.system), LISTED_MAX)?;
    let waiting: Vec<&RaiseRequest> = all.iter().filter(|r| is_open(r, asks.asked_at)).collect();
    if waiting.len() + wanted.lines.len() > WAITING_MAX {
        return Err(wrong(
            "lines",
            "Quá nhiều đề nghị đang chờ; rút bớt rồi gửi lại.",
            "Too many requests are waiting; withdraw some first.",
        ));
    }
    let own = accounts::lines_of(tx, wanted.system)?;
    let mut ids = vec![];
    for id in &wanted.lines {
        if !own.contains(id) {
            return Err(Refused::Gone);
        }
        if waiting.iter().any(|r| r.line == *id && r.from < asks.to && asks.from < r.to) {
            return Err(wrong(
                "lines",
                "Một dòng đã chọn đang có đề nghị chờ duyệt trong thời gian này.",
                "One of the lines has a request for these days that is waiting.",
            ));
        }
        let daily = policy::write::line(tx, *id, asks.asked_at)?.daily;
        let extra = wanted.count.saturating_sub(daily);
        if extra == 0 {
            return Err(more_than(daily));
        }
        let request = RaiseRequest { line: *id, extra, ..asks.clone() };
        ids.push(desks::insert_raise_request(tx, keys, &request)?);
    }
    Ok(ids)
}

/// Whether a request waits and can still be granted. One whose last day has passed unanswered is
/// over: it counts for nothing and holds up nobody.
#[must_use]
pub fn is_open(request: &RaiseRequest, now: Moment) -> bool {
    request.state == RequestState::Waiting && now < request.to
}

/// Withdraws a request that waits.
///
/// # Errors
/// [`Refused::Gone`] where it is not the unit's; [`PortalReason::AlreadyDecided`].
pub async fn withdraw(desk: &HeadDesk<'_>, request: i64) -> Result<Done, Refused> {
    let (now, unit, keys) = (desk.now, desk.unit.clone(), desk.store.keys().clone());
    let known = desk.store.desks().raise_request(request).await?.ok_or(Refused::Gone)?;
    let entry = Entry::new("raise.withdrawn", desk.by, Some(known.system));
    let done = note((desk.store, now), entry, move |tx| {
        let mut asked = desks::raise_request(tx, &keys, request)?.ok_or(Refused::Gone)?;
        let owner = accounts::owner(tx, asked.system)?.ok_or(Refused::Gone)?;
        if owner.unit != unit {
            return Err(Refused::Gone);
        }
        if asked.state != RequestState::Waiting {
            return Err(PortalReason::AlreadyDecided.into());
        }
        asked.state = RequestState::Withdrawn;
        asked.decided_at = Some(now);
        desks::save_raise_request(tx, &keys, &asked)?;
        Ok((format!("{} đề nghị #{request}", owner.code), ()))
    });
    done.await.map(|(done, ())| done)
}

/// Requests of a unit's systems, the newest first.
///
/// # Errors
/// The store could not be read.
pub async fn list(desk: &HeadDesk<'_>) -> Result<Vec<RaiseRequest>, Refused> {
    let mut all = vec![];
    for system in desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit) {
        all.extend(desk.store.desks().raise_requests(Requests::Of(system.id), LISTED_MAX).await?);
    }
    all.sort_by_key(|r| std::cmp::Reverse((r.asked_at, r.id)));
    all.truncate(LISTED_MAX as usize);
    Ok(all)
}

/// From the beginning of the first duty day to the end of the last one (D1).
fn term(hours: &Hours, now: Moment, from: Date, to: Date) -> Result<(Moment, Moment), Refused> {
    let today = hours.duty(now).day;
    let (first, last) = (duty_day(from), duty_day(to));
    if first < today {
        return Err(wrong("from", "Ngày bắt đầu đã qua.", "The first day has passed."));
    }
    if last < first {
        return Err(wrong(
            "to",
            "Ngày kết thúc trước ngày bắt đầu.",
            "The last day is before the first.",
        ));
    }
    if i64::from(first.0) - i64::from(today.0) > AHEAD_DAYS {
        return Err(Refused::Field {
            field: "from",
            vi: format!("Chỉ đề nghị trước tối đa {AHEAD_DAYS} ngày."),
            en: format!("At most {AHEAD_DAYS} days ahead."),
        });
    }
    let days = i64::from(last.0) - i64::from(first.0) + 1;
    if days > i64::from(RAISE_DAYS_MAX) {
        return Err(Refused::Field {
            field: "to",
            vi: format!("Tăng tạm thời tối đa {RAISE_DAYS_MAX} ngày; lâu hơn thì sửa đăng ký."),
            en: format!("A raise lasts at most {RAISE_DAYS_MAX} days (D8)."),
        });
    }
    Ok((begins(hours, first), begins(hours, DutyDay(last.0 + 1))))
}

/// The duty day that begins on a date.
#[must_use]
pub fn duty_day(date: Date) -> DutyDay {
    let epoch = jiff::civil::date(1970, 1, 1);
    DutyDay((date.duration_since(epoch).as_hours() / 24) as i32)
}

/// When a duty day begins.
#[must_use]
pub fn begins(hours: &Hours, day: DutyDay) -> Moment {
    let start = i64::from(hours.from_minute) * MINUTE_MS;
    Moment(i64::from(day.0) * DAY_MS + start - VIET_NAM_OFFSET_MS)
}

/// A reason that states something.
fn stated(text: &str) -> Result<String, Refused> {
    let ground = Ground::parse(text).map_err(|_| Refused::Field {
        field: "reason",
        vi: format!("Nêu lý do, từ {} đến {} ký tự.", REASON.start(), REASON.end()),
        en: format!("State a reason of {} to {} characters.", REASON.start(), REASON.end()),
    })?;
    Ok(ground.as_str().to_owned())
}

fn more_than(daily: u32) -> Refused {
    Refused::Field {
        field: "wanted",
        vi: format!("Số lượt cần phải lớn hơn số đã đăng ký ({daily})."),
        en: format!("The count must be above the registered one ({daily})."),
    }
}

fn wrong(field: &'static str, vi: &str, en: &str) -> Refused {
    Refused::Field { field, vi: vi.to_owned(), en: en.to_owned() }
}
