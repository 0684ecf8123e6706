//! `/jobs`: listing for everybody, claiming, renewing and finishing for runners.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App,
    body::{Body, Path, Query},
    error::Error,
};
use crate::{
    job::{self, Job, Outcome},
    store::{Filter, Held},
};

/// How many jobs a list has unless asked, and at most.
const USUAL_LIMIT: u32 = 50;
const HIGHEST_LIMIT: u32 = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    state: Option<job::State>,
    repo: Option<String>,
    r#ref: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claimant {
    runner: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    lease: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    lease: String,
    outcome: Outcome,
}

/// `GET /jobs?state=&repo=&ref=&before=&limit=`
pub async fn list(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Error> {
    let limit = wanted.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=HIGHEST_LIMIT).contains(&limit) {
        return Err(Error::new(
            StatusCode::BAD_REQUEST,
            format!("`limit` must be 1 to {HIGHEST_LIMIT}"),
        ));
    }
    let filter = Filter {
        state: wanted.state,
        repository: wanted.repo,
        reference: wanted.r#ref,
        before: wanted.before,
        limit,
    };
    let jobs = app.store(move |store, rules, now| store.list(&filter, rules, now)).await?;
    // A full page may have another one behind it.
    let next = jobs.last().filter(|_| jobs.len() == limit as usize).map(|job| job.id);
    Ok(Json(json!({ "jobs": jobs, "next_before": next })))
}

/// `GET /jobs/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Job>, Error> {
    let job = app.store(move |store, rules, now| store.job(id, rules, now)).await?;
    job.map(Json).ok_or_else(|| Error::no_job(id))
}

/// `POST /jobs/claim`: 204 if there is nothing to do
pub async fn claim(
    State(app): State<App>,
    Body(claimant): Body<Claimant>,
) -> Result<Response, Error> {
    let runner = claimant.runner;
    if runner.is_empty() || runner.len() > 100 || runner.chars().any(char::is_control) {
        return Err(Error::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`runner` must be a name of 1 to 100 bytes",
        ));
    }
    let claim = app.store(move |store, rules, now| store.claim(&runner, rules, now)).await?;
    let Some(claim) = claim else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let runner = claim.job.runner.as_deref().unwrap_or_default();
    app.log
        .info(&format!("job {} claimed by {runner}, attempt {}", claim.job.id, claim.job.attempts));
    Ok(Json(json!({ "job": claim.job, "lease": claim.lease })).into_response())
}

/// `POST /jobs/{id}/renew`
pub async fn renew(
    State(app): State<App>,
    Path(id): Path<i64>,
    Body(renewal): Body<Renewal>,
) -> Result<Json<Job>, Error> {
    held(id, app.store(move |store, rules, now| store.renew(id, &renewal.lease, rules, now)).await?)
}

/// `POST /jobs/{id}/finish`
pub async fn finish(
    State(app): State<App>,
    Path(id): Path<i64>,
    Body(end): Body<End>,
) -> Result<Json<Job>, Error> {
    let Json(job) = held(
        id,
        app.store(move |store, rules, now| store.finish(id, &end.lease, end.outcome, rules, now))
            .await?,
    )?;
    app.log.info(&format!("job {id} finished: {}", job.state.as_str()));
    Ok(Json(job))
}

fn held(id: i64, held: Held) -> Result<Json<Job>, Error> {
    match held {
        Held::Yes(job) => Ok(Json(*job)),
        Held::No => {
            Err(Error::new(StatusCode::CONFLICT, format!("job {id} is not held by this lease")))
        }
        Held::Unknown => Err(Error::no_job(id)),
    }
}
