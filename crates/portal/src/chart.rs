//! Use per hour of one duty day against the registered counts, as geometry for an SVG.
//!
//! The axis begins where the duty day begins (rule D1: 07:00), so the off-hours part is one piece
//! on the right. The page draws what stands here and a table beside it.

/// Hours of a duty day.
pub const HOURS: usize = 24;
/// Minutes of an hour and of a day.
const HOUR: u64 = 60;
const DAY: u64 = HOURS as u64 * HOUR;
/// Drawing area in units of the view box.
const LEFT: u64 = 56;
const TOP: u64 = 28;
const WIDTH: u64 = 696;
const HEIGHT: u64 = 196;
/// Width of one column's place and of the bar in it.
const STEP: u64 = WIDTH / HOURS as u64;
const BAR: u64 = 19;
/// The tall drawing, for a window of 360: its width, the place of the hours on the left and of what
/// stands above, the height of a row, and the gap in which the off-hours part is named.
pub const TALL_WIDTH: u64 = 328;
const TALL_LEFT: u64 = 52;
const TALL_TOP: u64 = 44;
const TALL_ROW: u64 = 20;
const TALL_GAP: u64 = 28;
/// Least height of the bar of an hour that was used at all.
const SEEN: u64 = 2;

/// When the duty day and its off-hours part begin, in minutes after midnight (rule D1).
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// The duty day and the in-hours window: 07:00 is 420.
    pub from: u16,
    /// The off-hours window, later on the same date: 18:00 is 1080. On a day off it begins with the
    /// duty day.
    pub to: u16,
}

/// `HH:MM`, over midnight.
fn clock(minutes: u64) -> String {
    format!("{:02}:{:02}", minutes % DAY / HOUR, minutes % HOUR)
}

/// Where the height `y` of the wide drawing stands across the tall one.
fn across(y: u64) -> u64 {
    TALL_LEFT + (TOP + HEIGHT).saturating_sub(y)
}

/// One hour of the chart and of the table.
#[derive(Clone, Debug)]
pub struct Column {
    /// `07:00`.
    pub hour: String,
    /// Queries in the hour; none when the hour has not come.
    pub used: Option<u64>,
    /// Sum since the window began, after this hour.
    pub sum: u64,
    /// Left edge of the bar.
    pub x: u64,
    /// Top edge of the bar.
    pub y: u64,
    /// Height of the bar.
    pub height: u64,
    /// Middle of the place, for the label under it.
    pub middle: u64,
    /// Whether a label fits under it: every third hour.
    pub labelled: bool,
    /// Whether the hour's use was above an even share of the registered count.
    pub over: bool,
    /// Top edge of the hour's row in the tall drawing.
    pub row: u64,
    /// Where the bar ends in the tall drawing.
    pub end: u64,
}

/// A line across with its number.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number on the axis.
    pub value: u64,
    /// Height of the line.
    pub y: u64,
    /// Where it stands across the tall drawing.
    pub x: u64,
}

/// The chart.
#[derive(Clone, Debug)]
pub struct DayChart {
    /// 24 hours of a duty day.
    pub columns: Vec<Column>,
    /// Lines across.
    pub steps: Vec<Step>,
    /// Registered count in hours.
    pub in_hours: u64,
    /// Registered count off hours.
    pub off_hours: u64,
    /// Height of an even share of the in-hours count per hour.
    pub in_hours_y: u64,
    /// Height of an even share of the off-hours count per hour.
    pub off_hours_y: u64,
    /// Where the off-hours part begins.
    pub evening_x: u64,
    /// When the duty day begins and ends, `HH:MM`.
    pub morning: String,
    /// When the off-hours part begins, `HH:MM`.
    pub evening: String,
    /// Left edge.
    pub left: u64,
    /// Right edge.
    pub right: u64,
    /// Upper edge.
    pub top: u64,
    /// Lower edge.
    pub bottom: u64,
    /// Left edge of the bars of the tall drawing.
    pub tall_left: u64,
    /// The even share of the in-hours count across the tall drawing.
    pub in_hours_x: u64,
    /// The even share of the off-hours count across the tall drawing.
    pub off_hours_x: u64,
    /// Upper edge of the tall drawing.
    pub tall_top: u64,
    /// Where the off-hours part of the tall drawing begins.
    pub tall_evening: u64,
    /// Where the rows of that part begin, below its name.
    pub tall_off: u64,
    /// Lower edge of the tall drawing.
    pub tall_bottom: u64,
    /// Used in hours.
    pub sum_in: u64,
    /// Used off hours.
    pub sum_off: u64,
}

impl DayChart {
    /// Draws `used` (24 values of a duty day, none for hours to come) against the registered
    /// counts. An hour that the off-hours part begins in counts as in hours.
    #[must_use]
    pub fn new(
        used: &[Option<u64>; HOURS],
        (in_hours, off_hours): (u64, u64),
        marks: Marks,
    ) -> Self {
        let from = u64::from(marks.from);
        let length = u64::from(marks.to.saturating_sub(marks.from)).min(DAY - 1);
        let share_in = if length == 0 { 0 } else { (in_hours * HOUR).div_ceil(length) };
        let share_off = (off_hours * HOUR).div_ceil(DAY - length);
        let most = used.iter().flatten().copied().max().unwrap_or(0);
        let top_value = nice(most.max(share_in).max(share_off).max(4));
        let y_of = |value: u64| TOP + HEIGHT - HEIGHT * value.min(top_value) / top_value;
        let mut columns = Vec::with_capacity(HOURS);
        let (mut sum_in, mut sum_off) = (0, 0);
        // A day off has no part in hours, and its only part is named at the top.
        let gap = if length == 0 { 0 } else { TALL_GAP };
        for (at, value) in (0..).zip(used) {
            let begins = at * HOUR;
            let off = begins >= length;
            let sum = if off { &mut sum_off } else { &mut sum_in };
            *sum += value.unwrap_or(0);
            let place = LEFT + STEP * at;
            let y = match value.unwrap_or(0) {
                0 => TOP + HEIGHT,
                some => y_of(some).min(TOP + HEIGHT - SEEN),
            };
            columns.push(Column {
                hour: clock(from + begins),
                used: *value,
                sum: *sum,
                x: place + (STEP - BAR) / 2,
                y,
                height: TOP + HEIGHT - y,
                middle: place + STEP / 2,
                // The evening has a mark of its own, and the last would touch the mark of the end.
                labelled: at % 3 == 2 && begins != length && begins + HOUR < DAY,
                row: TALL_TOP + TALL_ROW * at + if off { gap } else { 0 },
                end: across(y),
                over: value.unwrap_or(0) > if off { share_off } else { share_in },
            });
        }
        Self {
            columns,
            steps: (1..=4)
                .map(|n| top_value / 4 * n)
                .map(|v| Step { value: v, y: y_of(v), x: across(y_of(v)) })
                .collect(),
            in_hours,
            off_hours,
            in_hours_y: y_of(share_in),
            off_hours_y: y_of(share_off),
            evening_x: LEFT + WIDTH * length / DAY,
            morning: clock(from),
            evening: clock(from + length),
            left: LEFT,
            right: LEFT + WIDTH,
            top: TOP,
            bottom: TOP + HEIGHT,
            tall_left: TALL_LEFT,
            in_hours_x: across(y_of(share_in)),
            off_hours_x: across(y_of(share_off)),
            tall_top: TALL_TOP,
            tall_evening: TALL_TOP + TALL_ROW * length.div_ceil(HOUR),
            tall_off: TALL_TOP + TALL_ROW * length.div_ceil(HOUR) + gap,
            tall_bottom: TALL_TOP + TALL_ROW * HOURS as u64 + gap,
            sum_in,
            sum_off,
        }
    }
}

/// The next number at or above `value` that divides into four readable steps.
fn nice(value: u64) -> u64 {
    let mut unit = 1;
    loop {
        for factor in [4, 8, 12, 20] {
            if unit * factor >= value {
                return unit * factor;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_begin_anew_at_eighteen_and_bars_stand_on_the_line() {
        let mut used = [Some(10); HOURS];
        used[HOURS - 1] = None;
        let chart = DayChart::new(&used, (500, 200), Marks { from: 420, to: 1_080 });
        assert_eq!((chart.morning.as_str(), chart.evening.as_str()), ("07:00", "18:00"));
        assert_eq!((chart.sum_in, chart.sum_off), (110, 120));
        assert_eq!(chart.columns[10].sum, 110);
        assert_eq!(chart.columns[11].hour, "18:00");
        assert_eq!(chart.columns[11].sum, 10);
        assert!(chart.columns.iter().all(|c| c.y + c.height == chart.bottom));
        assert_eq!(chart.columns[23].height, 0);
        let rows: Vec<u64> = chart.columns.iter().map(|column| column.row).collect();
        assert!(rows.windows(2).all(|pair| pair[1] - pair[0] >= TALL_ROW));
        assert_eq!(
            (rows[11], rows[11] - chart.tall_evening),
            (chart.tall_off, TALL_GAP),
            "the evening is named before 18:00"
        );
        assert_eq!(rows[23] + TALL_ROW, chart.tall_bottom);
        assert!(chart.columns.iter().all(|c| c.end == chart.tall_left + c.height));
        assert!(chart.steps.iter().all(|s| s.x < TALL_WIDTH && s.x > chart.tall_left));
        used[1] = Some(1);
        let large = DayChart::new(&used, (90_000, 200), Marks { from: 420, to: 1_080 });
        assert_eq!(large.columns[1].height, SEEN, "one question is seen beside thousands");
    }

    #[test]
    fn rule_d1_the_marks_are_those_of_the_profile() {
        let chart = DayChart::new(&[Some(1); HOURS], (8, 16), Marks { from: 450, to: 930 });
        assert_eq!((chart.morning.as_str(), chart.evening.as_str()), ("07:30", "15:30"));
        assert_eq!((chart.sum_in, chart.sum_off), (8, 16));
        assert_eq!(chart.columns[23].hour, "06:30");
        assert_eq!(chart.evening_x, chart.left + (chart.right - chart.left) / 3);
        assert!(chart.columns.iter().all(|column| !column.over));
    }

    #[test]
    fn the_axis_is_readable_at_any_size() {
        for value in [1, 4, 5, 46, 99, 1_000, 909_091] {
            let top = nice(value);
            assert!(top >= value && top.is_multiple_of(4) && top <= value.max(4) * 3);
        }
    }

    #[test]
    fn rule_d1_a_day_off_is_off_hours_from_its_beginning() {
        let chart = DayChart::new(&[Some(2); HOURS], (500, 24), Marks { from: 420, to: 420 });
        assert_eq!((chart.sum_in, chart.sum_off), (0, 48));
        assert_eq!((chart.evening_x, chart.in_hours_y), (chart.left, chart.bottom));
        assert_eq!((chart.tall_evening, chart.columns[0].row), (chart.tall_top, chart.tall_top));
        assert!(chart.columns.iter().all(|column| column.over), "an even share is 1");
    }
}
