//! The queue in SQLite. Every method is one transaction and takes the time as an argument.

mod enqueue;
mod leases;
mod list;
mod row;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use enqueue::Enqueued;
pub use leases::{Claim, Held};
pub use list::Filter;

/// The version of `schema.sql`.
const SCHEMA: i64 = 1;

/// The database, open.
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        Self::prepare(Connection::open(path)?)
    }

    /// A store that is gone with this value.
    pub fn in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// An error if the database does not answer.
    pub fn ping(&self) -> Result<()> {
        Ok(self.connection.query_row(
            "SELECT count(*) FROM (SELECT 1 FROM jobs LIMIT 1)",
            [],
            |_| Ok(()),
        )?)
    }

    fn prepare(mut connection: Connection) -> Result<Self> {
        // What was answered is on the disk: FULL, because WAL alone may forget the last commits when the power fails.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        ensure!(
            version <= SCHEMA,
            "the database is of version {version}, this program knows {SCHEMA}: use a newer one"
        );
        if version < SCHEMA {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
            transaction
                .execute_batch(include_str!("schema.sql"))
                .context("failed to make the tables")?;
            transaction.pragma_update(None, "user_version", SCHEMA)?;
            transaction.commit()?;
        }
        Ok(Self { connection })
    }

    fn begin(&mut self) -> Result<Transaction<'_>> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}
