//! Who holds a job: claiming, renewing, finishing, and what happens when a runner is never heard of again.

use anyhow::Result;
use rusqlite::{OptionalExtension, Transaction};

use super::{Store, row};
use crate::{
    clock::Millis,
    job::{Job, Outcome, Rules, State},
};

/// A job, and the word that proves who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job as it is now.
    pub job: Job,
    /// To be shown when the lease is renewed or the job is finished.
    pub lease: String,
}

/// The answer to somebody who says to hold a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// So it is; the job as it is now.
    Yes(Box<Job>),
    /// No: the lease has expired, or never was theirs.
    No,
    /// There is no such job.
    Unknown,
}

impl Store {
    /// Gives the oldest queued job to `runner`; `None` if there is none.
    pub fn claim(&mut self, runner: &str, rules: Rules, now: Millis) -> Result<Option<Claim>> {
        let transaction = self.begin()?;
        expire(&transaction, rules, now)?;
        let claimed: Option<(i64, String)> = transaction
            .query_row(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1, runner = ?1, \
                 lease_token = lower(hex(randomblob(16))), lease_expires_at = ?2 \
                 WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1) \
                 RETURNING id, lease_token",
                (runner, rules.expiry(now)),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let claim = match claimed {
            Some((id, lease)) => row::find(&transaction, id)?.map(|job| Claim { job, lease }),
            None => None,
        };
        transaction.commit()?;
        Ok(claim)
    }

    /// The lease starts anew.
    pub fn renew(&mut self, id: i64, lease: &str, rules: Rules, now: Millis) -> Result<Held> {
        self.change(id, rules, now, |transaction| {
            Ok(transaction.execute(
                "UPDATE jobs SET lease_expires_at = ?3 WHERE id = ?1 AND lease_token = ?2 AND state = 'running'",
                (id, lease, rules.expiry(now)),
            )?)
        })
    }

    /// The job has ended. Saying so twice, with the same outcome, is no error: the first answer may have been lost.
    pub fn finish(
        &mut self,
        id: i64,
        lease: &str,
        outcome: Outcome,
        rules: Rules,
        now: Millis,
    ) -> Result<Held> {
        self.change(id, rules, now, |transaction| {
            Ok(transaction.execute(
                "UPDATE jobs SET state = ?3, lease_expires_at = NULL, finished_at = coalesce(finished_at, ?4) \
                 WHERE id = ?1 AND lease_token = ?2 AND state IN ('running', ?3)",
                (id, lease, State::from(outcome), now),
            )?)
        })
    }

    fn change(
        &mut self,
        id: i64,
        rules: Rules,
        now: Millis,
        act: impl FnOnce(&Transaction<'_>) -> Result<usize>,
    ) -> Result<Held> {
        let transaction = self.begin()?;
        expire(&transaction, rules, now)?;
        let changed = act(&transaction)?;
        let job = row::find(&transaction, id)?;
        transaction.commit()?;
        Ok(match job {
            None => Held::Unknown,
            Some(_) if changed == 0 => Held::No,
            Some(job) => Held::Yes(Box::new(job)),
        })
    }
}

/// Takes jobs from runners whose lease has expired: back into the queue, or given up. A lost lease's word is forgotten.
pub(super) fn expire(transaction: &Transaction<'_>, rules: Rules, now: Millis) -> Result<()> {
    transaction.execute(
        "UPDATE jobs SET state = 'failure', finished_at = ?1, lease_expires_at = NULL, lease_token = NULL, \
         reason = 'given up: the lease expired ' || attempts || ' times' \
         WHERE state = 'running' AND lease_expires_at <= ?1 AND attempts >= ?2",
        (now, rules.max_attempts),
    )?;
    transaction.execute(
        "UPDATE jobs SET state = 'queued', lease_expires_at = NULL, lease_token = NULL \
         WHERE state = 'running' AND lease_expires_at <= ?1",
        [now],
    )?;
    Ok(())
}
