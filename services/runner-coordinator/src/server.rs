//! Serves on a bound listener until told to stop.

use std::{future::Future, time::Duration};

use anyhow::Result;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::api::{self, App};

/// What a stopping server gives the requests that it has; a change that has begun is always carried through.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves until `stop` is done; running requests may end.
pub async fn run(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let log = app.log;
    let (stopping, stopped) = oneshot::channel();
    let graceful = async move {
        stop.await;
        let _ = stopping.send(());
    };
    let serving = axum::serve(listener, api::router(app)).with_graceful_shutdown(graceful);
    tokio::select! {
        ended = serving.into_future() => ended?,
        () = async { let _ = stopped.await; tokio::time::sleep(LAST_WORDS).await } => log.info("a connection was still open"),
    }
    log.info("stopped");
    Ok(())
}

/// Done at SIGTERM or SIGINT.
pub fn termination() -> Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}
