//! Push events in, jobs out.

use anyhow::Result;
use rusqlite::OptionalExtension;

use super::{Store, row};
use crate::{clock::Millis, event::PushEvent, job::Job};

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is new; a deleted ref makes no job.
    New(Option<Job>),
    /// It was here before, and made this job.
    Known(Option<Job>),
    /// Its id was here before, with other content.
    Conflict,
}

impl Store {
    /// Keeps an event, and makes its job the first time that it comes.
    pub fn enqueue(&mut self, event: &PushEvent, now: Millis) -> Result<Enqueued> {
        let body = serde_json::to_string(event)?;
        let transaction = self.begin()?;
        let known: Option<String> = transaction
            .query_row("SELECT body FROM events WHERE id = ?1", [&event.id], |row| row.get(0))
            .optional()?;
        match &known {
            Some(earlier) if *earlier != body => return Ok(Enqueued::Conflict),
            Some(_) => {}
            None => {
                transaction
                    .execute("INSERT INTO events VALUES (?1, ?2, ?3)", (&event.id, &body, now))?;
                if !event.is_deletion() {
                    transaction.execute(
                        "INSERT INTO jobs (event, repository, reference, before, after, pusher, created_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        (&event.id, &event.repository, &event.reference, &event.before, &event.after, &event.pusher, now),
                    )?;
                }
            }
        }
        let id: Option<i64> = transaction
            .query_row("SELECT id FROM jobs WHERE event = ?1", [&event.id], |row| row.get(0))
            .optional()?;
        let job = match id {
            Some(id) => row::find(&transaction, id)?,
            None => None,
        };
        transaction.commit()?;
        Ok(if known.is_some() { Enqueued::Known(job) } else { Enqueued::New(job) })
    }
}
