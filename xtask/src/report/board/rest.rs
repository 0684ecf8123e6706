//! How long a run will take yet, judged by how long its services took in earlier runs.

use super::{Board, Row, State};
use std::collections::BTreeMap;

impl Board {
    /// Seconds until the last is done; none where nothing is known of those that are left, or it
    /// takes longer than it did.
    pub fn rest(&self, now: f64) -> Option<f64> {
        let now = self.builders(now);
        let known: Vec<f64> = self.rows.iter().filter_map(|row| row.usual).collect();
        let usual = crate::plan::matrix::median(known);
        let left: Vec<&Row> =
            self.rows.iter().filter(|row| !matches!(row.state, State::Done(_))).collect();
        if left.iter().all(|row| row.usual.is_none()) {
            return None;
        }
        let mut ends: BTreeMap<&str, f64> = BTreeMap::new();
        // The plan's order puts each after what it builds on; so few rounds suffice for any other.
        for _ in 0..left.len() {
            let before = ends.clone();
            for row in &left {
                let needs = row.needs.iter().filter_map(|on| ends.get(on.as_str()));
                let begins = needs.copied().fold(0.0, f64::max);
                let takes = row.usual.unwrap_or(usual);
                let end = match row.began {
                    Some(began) => (takes - (now - began).max(0.0)).max(0.0),
                    None => begins + takes,
                };
                ends.insert(&row.service, end);
            }
            if ends == before {
                break;
            }
        }
        ends.into_values().reduce(f64::max).filter(|rest| *rest > 0.0)
    }
}
