//! Jobs as others see them: expired leases count as expired even if nobody has claimed since.

use anyhow::Result;

use super::{Store, leases::expire, row};
use crate::{
    clock::Millis,
    job::{Job, Rules, State},
};

/// Which jobs, newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Of this repository.
    pub repository: Option<String>,
    /// Of this ref.
    pub reference: Option<String>,
    /// With a smaller id: the next page.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// The jobs that pass the filter, newest first.
    pub fn list(&mut self, filter: &Filter, rules: Rules, now: Millis) -> Result<Vec<Job>> {
        let transaction = self.begin()?;
        expire(&transaction, rules, now)?;
        let sql = format!(
            "SELECT {} FROM jobs WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR repository = ?2) \
             AND (?3 IS NULL OR reference = ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT ?5",
            row::COLUMNS
        );
        let jobs = transaction
            .prepare_cached(&sql)?
            .query_map(
                (filter.state, &filter.repository, &filter.reference, filter.before, filter.limit),
                row::job,
            )?
            .collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(jobs)
    }

    /// The job with this id, if there is one.
    pub fn job(&mut self, id: i64, rules: Rules, now: Millis) -> Result<Option<Job>> {
        let transaction = self.begin()?;
        expire(&transaction, rules, now)?;
        let job = row::find(&transaction, id)?;
        transaction.commit()?;
        Ok(job)
    }
}
