//! A row of `jobs` as a [`Job`].

use anyhow::Result;
use rusqlite::{
    OptionalExtension, Row, ToSql, Transaction,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::job::{Job, State};

/// The columns that [`job`] reads.
pub(super) const COLUMNS: &str = "id, state, event, repository, reference, before, after, pusher, attempts, runner, \
                                  reason, created_at, lease_expires_at, finished_at";

/// Reads [`COLUMNS`].
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        state: row.get(1)?,
        event: row.get(2)?,
        repository: row.get(3)?,
        reference: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
        pusher: row.get(7)?,
        attempts: row.get(8)?,
        runner: row.get(9)?,
        reason: row.get(10)?,
        created_at: row.get(11)?,
        lease_expires_at: row.get(12)?,
        finished_at: row.get(13)?,
    })
}

/// The job with this id, if there is one.
pub(super) fn find(transaction: &Transaction<'_>, id: i64) -> Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    Ok(transaction.query_row(&sql, [id], job).optional()?)
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        [Self::Queued, Self::Running, Self::Success, Self::Failure]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(FromSqlError::InvalidType)
    }
}
