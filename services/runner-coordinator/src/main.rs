//! `runner-coordinator [serve|health]`: reads the environment, opens the store, serves until SIGTERM.

use anyhow::{Context, Result, bail};
use runner_coordinator::{
    api::App, clock, health, log::Log, server, settings::Settings, store::Store,
};

fn main() -> Result<()> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    if arguments.next().is_some() {
        bail!("too many arguments: `runner-coordinator [serve|health]`");
    }
    match command.as_deref() {
        None | Some("serve") => serve(settings),
        Some("health") => health::ask(settings.listen.port()),
        Some(other) => bail!("unknown command `{other}`: `runner-coordinator [serve|health]`"),
    }
}

fn serve(settings: Settings) -> Result<()> {
    let log = Log { level: settings.log_level };
    if settings.token.is_none() {
        log.info("neither COORDINATOR_TOKEN_FILE nor COORDINATOR_TOKEN: nothing can be changed, jobs can be listed");
    }
    let store = Store::open(&settings.database).with_context(|| {
        format!("failed to open the database `{}`", settings.database.display())
    })?;
    let app = App::new(store, settings.rules, settings.token, clock::system(), log);
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("failed to listen on {}", settings.listen))?;
        log.info(&format!("listening on {}", listener.local_addr()?));
        server::run(listener, app, server::termination()?).await
    })
}
