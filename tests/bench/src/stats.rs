//! Medians and spreads.
//!
//! Invariant: no mean is ever shown; one disturbed round must not move a figure.

use std::fmt;

/// Median, least and greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The middle one, or halfway between the two middle ones.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Summary {
    /// `None` for no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Self { median: (upper + lower) / 2.0, min: *values.first()?, max: *values.last()? })
    }
}

impl fmt::Display for Summary {
    /// The median, and the spread where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", figure(self.median))?;
        if self.min < self.max {
            write!(f, " ({}–{})", figure(self.min), figure(self.max))?;
        }
        Ok(())
    }
}

/// Three significant digits below a thousand, whole numbers above.
pub(crate) fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// The least value that is not below this share of them; nothing of none is 0.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(summary, Summary { median: 2.5, min: 1.0, max: 4.0 });
    }

    #[test]
    fn one_disturbed_round_does_not_move_the_median() {
        assert_eq!(Summary::of([10.0, 900.0, 11.0]).unwrap().median, 11.0);
    }

    #[test]
    fn there_is_no_summary_of_nothing() {
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn figures_have_about_three_digits() {
        assert_eq!([12.345, 1.2345, 54321.9].map(figure), ["12.3", "1.23", "54322"]);
    }
}
