//! The HTTP API: JSON in, JSON out, errors included. README.md describes it.

mod auth;
mod body;
mod error;
mod events;
mod jobs;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, Millis},
    job::Rules,
    log::Log,
    store::Store,
};
use error::Error;

/// The longest body: an event of the longest names fits in many times.
const LONGEST_BODY: usize = 64 * 1024;

/// What every request needs.
#[derive(Clone)]
pub struct App {
    store: Arc<Mutex<Store>>,
    rules: Rules,
    token: Option<Arc<str>>,
    clock: Clock,
    /// Where it says what happened.
    pub log: Log,
}

/// All routes.
pub fn router(app: App) -> Router {
    let changes = Router::new()
        .route("/events", post(events::receive))
        .route("/jobs/claim", post(jobs::claim))
        .route("/jobs/{id}/renew", post(jobs::renew))
        .route("/jobs/{id}/finish", post(jobs::finish))
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::require));
    Router::new()
        .route("/healthz", get(health))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show))
        .merge(changes)
        .fallback(async || Error::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Error::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), log_request))
        .with_state(app)
}

impl App {
    /// Puts together what every request needs. Without a token nothing can be changed.
    pub fn new(store: Store, rules: Rules, token: Option<String>, clock: Clock, log: Log) -> Self {
        Self { store: Arc::new(Mutex::new(store)), rules, token: token.map(Into::into), clock, log }
    }

    /// Runs one transaction on a thread that may block. It is carried through even if the client has gone.
    async fn store<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Store, Rules, Millis) -> Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let app = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // A panic in another transaction has rolled that one back.
            let mut store = app.store.lock().unwrap_or_else(PoisonError::into_inner);
            act(&mut store, app.rules, (app.clock)())
        });
        let failure = match done.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => panic.to_string(),
        };
        self.log.error(&failure);
        Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the database failed: see the log"))
    }
}

async fn health(State(app): State<App>) -> Result<Json<Value>, Error> {
    app.store(|store, _, _| store.ping()).await?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn log_request(State(app): State<App>, request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let response = next.run(request).await;
    app.log.debug(&format!("{line} {}", response.status().as_u16()));
    response
}
