//! The token exchange: from a challenge and a login to an `Authorization` header, kept while it is valid.

use super::credentials::{Credentials, Login};
use super::message::{Content, Incoming, Limits, Outgoing, Server};
use super::secret::encode;
use super::url::{Url, escape};
use super::wire::Wire;
use super::{Challenge, Clock, Kind, Reason, Secret, judge};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use ureq::http::Method;

/// The longest answer of a token server, in bytes.
const LIMIT: u64 = 1 << 20;
/// How long a token is valid that does not say so (the distribution project's specification).
const DEFAULT_SECONDS: u64 = 60;

/// What we are known as, by registry.
pub(super) struct Tokens {
    credentials: Credentials,
    clock: Clock,
    /// What each server asked for when it last refused us
    challenges: Mutex<BTreeMap<String, Challenge>>,
    kept: Mutex<BTreeMap<Key, Slot>>,
}

/// A token is for one registry and a set of scopes (its realm and service follow from the registry).
type Key = (String, String, String, String);
/// Held while the token is fetched, so that threads that want the same one fetch it once.
type Slot = Arc<Mutex<Option<Token>>>;

#[derive(Clone)]
struct Token {
    value: Secret,
    until: SystemTime,
}

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Whom a request is for.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    /// The registry
    pub origin: &'a Url,
    /// What is to be done there: `repository:a/b:pull`
    pub scopes: &'a [String],
    pub limits: Limits,
}

impl Tokens {
    pub fn new(credentials: Credentials, clock: Clock) -> Self {
        Self { credentials, clock, challenges: Mutex::default(), kept: Mutex::default() }
    }

    /// The header for a registry whose challenge is known from an earlier request.
    pub fn ready(&self, wire: &Wire, purpose: Purpose<'_>) -> Result<Option<Secret>, Reason> {
        let challenge = lock(&self.challenges).get(&purpose.origin.host).cloned();
        challenge.map_or(Ok(None), |challenge| self.meet(wire, purpose, &challenge, None))
    }

    /// The header that a challenge asks for; `None` where we have nothing better than what was used.
    pub fn answer(
        &self,
        wire: &Wire,
        purpose: Purpose<'_>,
        challenge: &Challenge,
        used: Option<&Secret>,
    ) -> Result<Option<Secret>, Reason> {
        lock(&self.challenges).insert(purpose.origin.host.clone(), challenge.clone());
        let new = self.meet(wire, purpose, challenge, used)?;
        Ok(new.filter(|new| Some(new) != used))
    }

    /// Drops the token for a purpose: it was refused.
    pub fn forget(&self, purpose: Purpose<'_>) {
        let scopes = purpose.scopes.join(" ");
        lock(&self.kept).retain(|key, _| key.0 != purpose.origin.host || key.3 != scopes);
    }

    /// What went wrong while credentials were looked for.
    pub fn troubles(&self) -> String {
        self.credentials.troubles()
    }

    fn meet(
        &self,
        wire: &Wire,
        purpose: Purpose<'_>,
        challenge: &Challenge,
        used: Option<&Secret>,
    ) -> Result<Option<Secret>, Reason> {
        let host = &purpose.origin.host;
        let login = self.credentials.login(host);
        let Challenge::Bearer { realm, service, scope } = challenge else {
            return Ok(login.and_then(|login| login.basic()));
        };
        if let Some(Login::Token(token)) = &login {
            return Ok(Some(bearer(token.reveal())));
        }
        let service = service.clone().unwrap_or_default();
        let key = (host.clone(), realm.clone(), service.clone(), purpose.scopes.join(" "));
        let slot = Arc::clone(lock(&self.kept).entry(key).or_default());
        let mut kept = lock(&slot);
        let now = (self.clock)();
        match &*kept {
            Some(token) if token.until > now && Some(&token.value) != used => {}
            _ => {
                let scopes = joined(purpose.scopes, scope.as_deref());
                let request = TokenRequest { realm, service: &service, scopes: &scopes };
                *kept = Some(self.fetch(wire, purpose, &request, login.as_ref())?);
            }
        }
        Ok(kept.as_ref().map(|token| token.value.clone()))
    }

    fn fetch(
        &self,
        wire: &Wire,
        purpose: Purpose<'_>,
        request: &TokenRequest<'_>,
        login: Option<&Login>,
    ) -> Result<Token, Reason> {
        let bad = |detail| {
            Reason::new(Kind::Garbage, format!("token server of {}", purpose.origin.host), detail)
        };
        let realm = Url::parse(request.realm).ok_or_else(|| bad("its address is not one"))?;
        if purpose.origin.tls && !realm.tls {
            return Err(bad("it is not reached by TLS, while the registry is"));
        }
        let now = (self.clock)();
        let incoming = match login {
            Some(Login::Refresh(secret)) => request.post(wire, &realm, secret, purpose.limits),
            login => request.get(wire, &realm, login.and_then(Login::basic), purpose.limits),
        }?;
        let incoming = judge::success(wire, incoming, &self.clock)?;
        let bytes = wire.read(incoming, LIMIT)?;
        // The text of a parse error may quote a token: it is not shown.
        let granted: Granted =
            serde_json::from_slice(&bytes).map_err(|_| bad("no JSON with a token"))?;
        let value = granted.token.or(granted.access_token).filter(|token| !token.is_empty());
        let value = bearer(&value.ok_or_else(|| bad("no JSON with a token"))?);
        let seconds = granted.expires_in.filter(|s| *s > 0).unwrap_or(DEFAULT_SECONDS).min(86_400);
        // A tenth less, so that it does not run out on its way.
        let valid = Duration::from_secs(seconds) * 9 / 10;
        Ok(Token { value, until: now.checked_add(valid).unwrap_or(now) })
    }
}

struct TokenRequest<'a> {
    realm: &'a str,
    service: &'a str,
    scopes: &'a [String],
}

impl TokenRequest<'_> {
    fn get(
        &self,
        wire: &Wire,
        realm: &Url,
        basic: Option<Secret>,
        limits: Limits,
    ) -> Result<Incoming, Reason> {
        let mut url = realm.clone();
        if !self.service.is_empty() {
            url = url.query("service", self.service);
        }
        for scope in self.scopes {
            url = url.query("scope", scope);
        }
        wire.send(&Outgoing {
            method: Method::GET,
            url: &url,
            headers: &[],
            authorization: basic.as_ref(),
            content: Content::None,
            limits,
            to: Server::Token,
        })
    }

    /// OAuth2 with a refresh token (what Docker calls an identity token).
    fn post(
        &self,
        wire: &Wire,
        realm: &Url,
        refresh: &Secret,
        limits: Limits,
    ) -> Result<Incoming, Reason> {
        let form = format!(
            "grant_type=refresh_token&client_id=cargo-xtask&service={}&scope={}&refresh_token={}",
            escape(self.service),
            escape(&self.scopes.join(" ")),
            escape(refresh.reveal()),
        );
        wire.send(&Outgoing {
            method: Method::POST,
            url: realm,
            headers: &[("content-type", "application/x-www-form-urlencoded".into())],
            authorization: None,
            content: Content::Bytes(form.as_bytes()),
            limits,
            to: Server::Token,
        })
    }
}

impl Login {
    fn basic(&self) -> Option<Secret> {
        let Self::Password { user, password } = self else { return None };
        let pair = encode(format!("{user}:{}", password.reveal()).as_bytes());
        Some(Secret::new(format!("Basic {pair}")))
    }
}

/// What we want, and what the registry named besides.
fn joined(ours: &[String], named: Option<&str>) -> Vec<String> {
    let mut scopes = ours.to_vec();
    for scope in named.unwrap_or_default().split_whitespace() {
        let covered = scopes.iter().any(|own| own.starts_with(scope) || same_resource(own, scope));
        if !covered {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Whether two scopes are about the same repository: then ours says better what we want to do there.
fn same_resource(a: &str, b: &str) -> bool {
    let resource = |scope: &str| scope.rsplit_once(':').map(|(resource, _)| resource.to_owned());
    resource(a) == resource(b)
}

fn bearer(token: &str) -> Secret {
    Secret::new(format!("Bearer {token}"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
