//! What is said of several runs. Pure.

use serde::{Deserialize, Serialize};

/// Seconds of several runs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Spread {
    /// The middle one
    pub median: f64,
    /// The shortest
    pub min: f64,
    /// The longest
    pub max: f64,
    /// All of them, as they came
    pub all: Vec<f64>,
}

impl Spread {
    /// Nothing where there was no run.
    pub fn of(all: Vec<f64>) -> Option<Self> {
        let all: Vec<f64> = all.into_iter().map(|seconds| (seconds * 1e4).round() / 1e4).collect();
        let median = median(&all)?;
        let min = all.iter().copied().fold(f64::INFINITY, f64::min);
        let max = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Self { median, min, max, all })
    }

    /// From the shortest to the longest, as a part of the median.
    pub fn relative(&self) -> f64 {
        if self.median > 0.0 { (self.max - self.min) / self.median } else { 0.0 }
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some(f64::midpoint(*sorted.get(below)?, *sorted.get(above)?))
}

/// The median of counts, as one of them or the mean of two.
pub fn median_count(values: impl IntoIterator<Item = u64>) -> u64 {
    let values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
    median(&values).unwrap_or_default().round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(values: &[f64], expected: Option<f64>) {
        assert_eq!(median(values), expected);
    }

    #[test]
    fn medians() {
        case(&[], None);
        case(&[2.0], Some(2.0));
        case(&[9.0, 1.0], Some(5.0));
        case(&[9.0, 1.0, 2.0], Some(2.0));
        case(&[4.0, 1.0, 2.0, 9.0], Some(3.0));
        assert_eq!(median_count([7, 1, 2]), 2);
        assert_eq!(median_count([]), 0);
    }

    #[test]
    fn a_spread_keeps_the_order_of_runs() {
        let spread = Spread::of(vec![0.3, 0.1, 0.200_04]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (0.2, 0.1, 0.3));
        assert_eq!(spread.all, [0.3, 0.1, 0.2]);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
