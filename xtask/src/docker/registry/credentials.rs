//! Who we are to a registry: the user's Docker configuration, and GitHub's token.
#![expect(clippy::disallowed_methods, reason = "reads the user's Docker configuration")]

use super::secret::{Secret, decode};
use crate::process::{Command, Processes};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name that Docker keeps the hub's credentials under.
const HUB_KEY: &str = "https://index.docker.io/v1/";
const HUB_HOSTS: [&str; 3] = ["docker.io", "registry-1.docker.io", "index.docker.io"];

/// How to log in to one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// User and password (or a token in its place)
    Password { user: String, password: Secret },
    /// A refresh token for the token server
    Refresh(Secret),
    /// A token that goes to the registry as it is
    Token(Secret),
}

/// Finds logins. The configuration is read when the first registry asks who we are.
pub(super) struct Credentials {
    vars: BTreeMap<String, String>,
    processes: Processes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    config: Option<Config>,
    logins: BTreeMap<String, Option<Login>>,
    /// What went wrong on the way, for the message of a refusal
    troubles: Vec<String>,
}

/// The parts of Docker's config.json that are about credentials.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl Credentials {
    pub fn new(vars: BTreeMap<String, String>, processes: Processes) -> Self {
        Self { vars, processes, state: Mutex::default() }
    }

    /// The login for a registry's host; `None` means anonymous. A credential helper runs once a host.
    pub fn login(&self, host: &str) -> Option<Login> {
        let mut state = self.state();
        if let Some(login) = state.logins.get(host) {
            return login.clone();
        }
        let config = match state.config.take() {
            Some(config) => config,
            None => self.read_config().unwrap_or_else(|trouble| {
                state.troubles.push(trouble);
                Config::default()
            }),
        };
        let login = match self.ask_helper(&config, host) {
            Ok(Some(login)) => Some(login),
            Ok(None) => config.entry(host),
            Err(trouble) => {
                state.troubles.push(trouble);
                config.entry(host)
            }
        };
        let login = login.or_else(|| self.github(host));
        state.config = Some(config);
        state.logins.insert(host.to_owned(), login.clone());
        login
    }

    /// What went wrong while logins were looked for. Never holds a secret.
    pub fn troubles(&self) -> String {
        self.state().troubles.join("; ")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn read_config(&self) -> Result<Config, String> {
        let dir = self.var("DOCKER_CONFIG").map(Utf8PathBuf::from);
        let home = || self.var("HOME").or(self.var("USERPROFILE"));
        let dir = dir.or_else(|| home().map(|home| Utf8Path::new(home).join(".docker")));
        let Some(file) = dir.map(|dir| dir.join("config.json")) else {
            return Ok(Config::default());
        };
        match std::fs::read_to_string(&file) {
            // The text of a parse error may quote what stands in the file: it is not shown.
            Ok(text) => serde_json::from_str(&text)
                .map_err(|e| format!("`{file}` is not Docker's configuration (line {})", e.line())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(e) => Err(format!("cannot read `{file}`: {e}")),
        }
    }

    /// Asks `docker-credential-<name> get`, with the host on its standard input.
    fn ask_helper(&self, config: &Config, host: &str) -> Result<Option<Login>, String> {
        let (helper, key) = match config.helper(host) {
            Some(found) => found,
            None => return Ok(None),
        };
        let program = format!("docker-credential-{helper}");
        let mut command = Command::new(format!("get the credentials for {host}"), &program)
            .args(["get"])
            .stdin(key);
        for name in ["PATH", "HOME", "DOCKER_CONFIG"] {
            if let Some(value) = self.var(name) {
                command = command.env(name, value);
            }
        }
        // A helper that knows nothing of this host exits with 1: that is no trouble by itself, but
        // worth naming when the registry then refuses us. What it printed is never shown.
        let printed = self
            .processes
            .read(&command)
            .map_err(|_| format!("`{program} get` gave no credentials"))?;
        let answer: Value = serde_json::from_str(&printed)
            .map_err(|_| format!("`{program} get` printed no JSON"))?;
        let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
        let Some(secret) = text("Secret").map(Secret::new) else { return Ok(None) };
        Ok(Some(match text("Username") {
            Some("<token>") | None => Login::Refresh(secret),
            Some(user) => Login::Password { user: user.to_owned(), password: secret },
        }))
    }

    /// GitHub's own token, for GitHub's own registry, on GitHub's own machines.
    fn github(&self, host: &str) -> Option<Login> {
        let ours = host == "ghcr.io" && self.var("GITHUB_ACTIONS") == Some("true");
        let token = self.var("GITHUB_TOKEN").filter(|_| ours)?;
        let user = self.var("GITHUB_ACTOR").unwrap_or("x-access-token").to_owned();
        Some(Login::Password { user, password: Secret::new(token) })
    }
}

impl Config {
    /// The helper for a host, and the name that it knows the host by.
    fn helper(&self, host: &str) -> Option<(&str, String)> {
        let names = names(host);
        let own = names.iter().find_map(|name| Some((self.cred_helpers.get(name)?, name.clone())));
        match own {
            Some((helper, name)) => Some((helper, name)),
            None if self.creds_store.is_empty() => None,
            None => Some((&self.creds_store, names.into_iter().next()?)),
        }
    }

    fn entry(&self, host: &str) -> Option<Login> {
        let names = names(host);
        let plain = |key: &str| {
            let key = key.trim_start_matches("https://").trim_start_matches("http://");
            key.split('/').next().unwrap_or_default().to_owned()
        };
        let exact = names.iter().find_map(|name| self.auths.get(name));
        let entry = exact.or_else(|| {
            self.auths.iter().find(|(key, _)| names.contains(&plain(key))).map(|(_, entry)| entry)
        })?;
        entry.login()
    }
}

impl Entry {
    fn login(&self) -> Option<Login> {
        if !self.identitytoken.is_empty() {
            return Some(Login::Refresh(Secret::new(&self.identitytoken)));
        }
        if !self.registrytoken.is_empty() {
            return Some(Login::Token(Secret::new(&self.registrytoken)));
        }
        let decoded = decode(&self.auth).and_then(|bytes| String::from_utf8(bytes).ok());
        let (user, password) = match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some((user, password)) => (user, password.trim_end_matches('\0')),
            None => (self.username.as_str(), self.password.as_str()),
        };
        let known = !user.is_empty() && !password.is_empty();
        known.then(|| Login::Password { user: user.to_owned(), password: Secret::new(password) })
    }
}

/// The names that a host's credentials may be kept under, the usual one first.
fn names(host: &str) -> Vec<String> {
    if HUB_HOSTS.contains(&host) {
        let hosts = HUB_HOSTS.iter().map(|name| (*name).to_owned());
        return std::iter::once(HUB_KEY.to_owned()).chain(hosts).collect();
    }
    vec![host.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(vars: &[(&str, &str)]) -> Credentials {
        let vars = vars.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Credentials::new(vars, Processes::default())
    }

    fn password(user: &str, password: &str) -> Option<Login> {
        Some(Login::Password { user: user.into(), password: Secret::new(password) })
    }

    #[test]
    fn github_logs_in_to_its_own_registry_on_its_own_machines() {
        let own = [("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "me")];
        assert_eq!(credentials(&own).login("ghcr.io"), password("me", "t"));
        assert_eq!(credentials(&own[..2]).login("ghcr.io"), password("x-access-token", "t"));
        assert_eq!(credentials(&own[1..]).login("ghcr.io"), None);
        assert_eq!(credentials(&own).login("quay.io"), None);
        assert_eq!(credentials(&own).login("ghcr.io.evil.io"), None);
    }

    #[test]
    fn entries_are_found_by_any_of_their_names() {
        let config = |text| serde_json::from_str::<Config>(text).unwrap();
        let hub = config(r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpwOnE="}}}"#);
        assert_eq!(hub.entry("registry-1.docker.io"), password("u", "p:q"));
        assert_eq!(hub.entry("ghcr.io"), None);
        let other = config(r#"{"auths":{"https://h.x:5000/v2/":{"username":"u","password":"p"}}}"#);
        assert_eq!(other.entry("h.x:5000"), password("u", "p"));
        assert_eq!(other.entry("h.x"), None);
        let token = config(r#"{"auths":{"h.x":{"registrytoken":"t"},"i.x":{"auth":"%"}}}"#);
        assert_eq!(token.entry("h.x"), Some(Login::Token(Secret::new("t"))));
        assert_eq!(token.entry("i.x"), None);
        let helpers = config(r#"{"credHelpers":{"h.x":"a"},"credsStore":"b"}"#);
        assert_eq!(helpers.helper("h.x"), Some(("a", "h.x".into())));
        assert_eq!(helpers.helper("registry-1.docker.io"), Some(("b", HUB_KEY.into())));
    }

    #[test]
    fn logins_do_not_print_their_secrets() {
        assert!(!format!("{:?}", password("u", "hunter2")).contains("hunter2"));
    }
}
