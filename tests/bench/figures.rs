//! What is made of measurements: rates, percentiles, medians, tables.

use std::fmt;

/// Requests, or transactions, one after the other.
#[derive(Clone, Default, Debug)]
pub(crate) struct Run {
    /// What each one took, in microseconds.
    pub(crate) micros: Vec<u32>,
    /// How many there were, with those that do not count.
    pub(crate) all: usize,
    /// How long those took that count.
    pub(crate) seconds: f64,
}

impl Run {
    /// How many in a second.
    #[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.micros.len() as f64 / self.seconds } else { 0.0 }
    }
}

/// The value below which the given share (0 to 1) of the values lies; 0 if there are none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the index of a value in a list"
)]
pub(crate) fn percentile<T: Copy + PartialOrd + Default>(values: &[T], share: f64) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// Microseconds as milliseconds.
pub(crate) fn ms(micros: u32) -> String {
    format!("{:.2}", f64::from(micros) / 1000.0)
}

/// A table for people: a title, a header and rows, each column as wide as its widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this header.
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let width = |column: usize| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                // Names to the left, figures to the right.
                if column == 0 {
                    write!(f, "{cell:<width$}")?;
                } else {
                    write!(f, "  {cell:>width$}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!((percentile(&values, 0.0), percentile(&values, 0.99), percentile(&values, 1.0)), (1, 99, 100));
        assert_eq!(percentile::<u32>(&[], 0.5), 0);
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
