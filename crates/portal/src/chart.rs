//! Use per hour of one duty day against the registered counts, as geometry for an SVG.
//!
//! The duty day runs from 07:00 to 07:00 (rule D1), so the axis begins at 07:00 and the off-hours
//! part is one piece on the right. The page draws what stands here and a table beside it.

/// Hours of a duty day.
pub const HOURS: usize = 24;
/// The hour at which the duty day and the in-hours window begin.
const FIRST_HOUR: usize = 7;
/// In hours last from 07:00 to 18:00: this many columns.
const IN_HOURS: usize = 11;
/// Drawing area in units of the view box.
const LEFT: u64 = 56;
const TOP: u64 = 28;
const WIDTH: u64 = 696;
const HEIGHT: u64 = 196;
/// Width of one column's place and of the bar in it.
const STEP: u64 = WIDTH / HOURS as u64;
const BAR: u64 = 19;

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
}

/// A line across with its number.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number on the axis.
    pub value: u64,
    /// Height of the line.
    pub y: u64,
}

/// The chart.
#[derive(Clone, Debug)]
pub struct DayChart {
    /// 24 hours from 07:00.
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
    /// Where 18:00 stands.
    pub evening_x: u64,
    /// Left edge.
    pub left: u64,
    /// Right edge.
    pub right: u64,
    /// Upper edge.
    pub top: u64,
    /// Lower edge.
    pub bottom: u64,
    /// Used in hours.
    pub sum_in: u64,
    /// Used off hours.
    pub sum_off: u64,
}

impl DayChart {
    /// Draws `used` (24 values from 07:00, none for hours to come) against the registered counts.
    #[must_use]
    pub fn new(used: &[Option<u64>; HOURS], in_hours: u64, off_hours: u64) -> Self {
        let share_in = in_hours.div_ceil(IN_HOURS as u64);
        let share_off = off_hours.div_ceil((HOURS - IN_HOURS) as u64);
        let most = used.iter().flatten().copied().max().unwrap_or(0);
        let top_value = nice(most.max(share_in).max(share_off).max(4));
        let y_of = |value: u64| TOP + HEIGHT - HEIGHT * value.min(top_value) / top_value;
        let mut columns = Vec::with_capacity(HOURS);
        let (mut sum, mut sum_in) = (0, 0);
        for (at, value) in used.iter().enumerate() {
            if at == IN_HOURS {
                sum_in = sum;
                sum = 0;
            }
            sum += value.unwrap_or(0);
            let place = LEFT + STEP * at as u64;
            let y = y_of(value.unwrap_or(0));
            columns.push(Column {
                hour: format!("{:02}:00", (FIRST_HOUR + at) % HOURS),
                used: *value,
                sum,
                x: place + (STEP - BAR) / 2,
                y,
                height: TOP + HEIGHT - y,
                middle: place + STEP / 2,
                // 18:00 has a mark of its own, and the last would touch the mark of 07:00.
                labelled: at % 3 == 2 && at != IN_HOURS && at != HOURS - 1,
                over: value.unwrap_or(0) > if at < IN_HOURS { share_in } else { share_off },
            });
        }
        Self {
            columns,
            steps: (1..=4)
                .map(|n| top_value / 4 * n)
                .map(|v| Step { value: v, y: y_of(v) })
                .collect(),
            in_hours,
            off_hours,
            in_hours_y: y_of(share_in),
            off_hours_y: y_of(share_off),
            evening_x: LEFT + STEP * IN_HOURS as u64,
            left: LEFT,
            right: LEFT + WIDTH,
            top: TOP,
            bottom: TOP + HEIGHT,
            sum_in,
            sum_off: sum,
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
        let chart = DayChart::new(&used, 500, 200);
        assert_eq!((chart.sum_in, chart.sum_off), (110, 120));
        assert_eq!(chart.columns[10].sum, 110);
        assert_eq!(chart.columns[11].hour, "18:00");
        assert_eq!(chart.columns[11].sum, 10);
        assert!(chart.columns.iter().all(|c| c.y + c.height == chart.bottom));
        assert_eq!(chart.columns[23].height, 0);
    }

    #[test]
    fn the_axis_is_readable_at_any_size() {
        for value in [1, 4, 5, 46, 99, 1_000, 909_091] {
            let top = nice(value);
            assert!(top >= value && top.is_multiple_of(4) && top <= value.max(4) * 3);
        }
    }
}
