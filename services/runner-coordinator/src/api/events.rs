//! `POST /events`

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use serde_json::json;

use super::{App, body::Body, error::Error};
use crate::{event::PushEvent, store::Enqueued};

/// 201: a new event; 200: known already, nothing was done. Both name the job.
pub async fn receive(
    State(app): State<App>,
    Body(event): Body<PushEvent>,
) -> Result<impl IntoResponse, Error> {
    event.check().map_err(|text| Error::new(StatusCode::UNPROCESSABLE_ENTITY, text))?;
    let id = event.id.clone();
    let what = format!("{} {}", event.repository, event.reference);
    let (status, job) = match app.store(move |store, _, now| store.enqueue(&event, now)).await? {
        Enqueued::New(job) => (StatusCode::CREATED, job),
        Enqueued::Known(job) => (StatusCode::OK, job),
        Enqueued::Conflict => {
            return Err(Error::new(
                StatusCode::CONFLICT,
                format!("event `{id}` was here before, with other content"),
            ));
        }
    };
    if let (StatusCode::CREATED, Some(job)) = (status, &job) {
        app.log.info(&format!("job {} queued: {what}", job.id));
    }
    Ok((status, Json(json!({ "event": id, "job": job }))))
}
