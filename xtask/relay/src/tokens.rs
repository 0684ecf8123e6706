//! A token server as registries use it, with users that may only read and users that may write.

use crate::canned::Canned;
use crate::scripted::{Received, Reply, Scripted};
use crate::server::lock;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing at all
    None,
    /// Pull
    Read,
    /// Pull and push
    Write,
}

/// Gives tokens, and checks them for a registry that it guards.
pub struct TokenServer {
    server: Scripted,
    state: Arc<State>,
}

struct State {
    /// By the value of the `Authorization` header; empty for anonymous
    users: BTreeMap<String, Access>,
    /// By token: the scopes that were granted
    granted: Mutex<BTreeMap<String, Vec<String>>>,
    given: AtomicU64,
}

impl TokenServer {
    /// A token server that knows some users by their whole `Authorization` header (`Basic …`, or
    /// empty for anonymous) or by `refresh <token>` for an OAuth2 refresh token.
    pub fn start(users: &[(&str, Access)], expires_in: u64) -> io::Result<Self> {
        let users = users.iter().map(|(user, access)| ((*user).to_owned(), *access)).collect();
        let state =
            Arc::new(State { users, granted: Mutex::default(), given: AtomicU64::default() });
        let shared = Arc::clone(&state);
        let server = Scripted::start(move |request| shared.grant(request, expires_in).into())?;
        Ok(Self { server, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it was asked so far.
    pub fn received(&self) -> Vec<Received> {
        self.server.received()
    }

    /// Takes all tokens back.
    pub fn revoke(&self) {
        lock(&self.state.granted).clear();
    }

    /// A registry's script that first wants a token of this server.
    pub fn guard(
        &self,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> impl Fn(&Received) -> Reply + Send + Sync + 'static {
        let (state, realm) = (Arc::clone(&self.state), format!("http://{}/token", self.address()));
        move |request| match state.check(request, &realm) {
            Some(refusal) => refusal.into(),
            None => script(request),
        }
    }
}

impl State {
    fn grant(&self, request: &Received, expires_in: u64) -> Canned {
        let (user, scopes) = if request.method == "POST" {
            let form = Received {
                path: format!("?{}", String::from_utf8_lossy(&request.body)),
                ..Received::default()
            };
            let value = |name| form.query(name).join(" ");
            let scopes = value("scope").split(' ').map(str::to_owned).collect();
            (format!("refresh {}", value("refresh_token")), scopes)
        } else {
            (request.header("authorization").unwrap_or_default().to_owned(), request.query("scope"))
        };
        let access = match self.users.get(&user) {
            Some(access) => *access,
            None => return Canned::error(401, "UNAUTHORIZED"),
        };
        let allowed = |scope: &String| match access {
            Access::None => None,
            Access::Read => scope.rsplit_once(':').map(|(name, _)| format!("{name}:pull")),
            Access::Write => Some(scope.clone()),
        };
        let mut granted = lock(&self.granted);
        let token = format!("token-{}", self.given.fetch_add(1, Relaxed));
        granted.insert(token.clone(), scopes.iter().filter_map(allowed).collect());
        Canned::json(200, format!(r#"{{"token":"{token}","expires_in":{expires_in}}}"#))
    }

    /// Why a request is refused, if it is: 401 without a valid token, 403 where it grants too little.
    fn check(&self, request: &Received, realm: &str) -> Option<Canned> {
        let name = request.route().trim_start_matches("/v2/");
        let end = ["/manifests/", "/blobs/", "/tags/"].iter().find_map(|part| name.find(part));
        let resource = format!("repository:{}:", &name[..end.unwrap_or(0)]);
        let action =
            if matches!(request.method.as_str(), "GET" | "HEAD") { "pull" } else { "push" };
        let header = request.header("authorization").unwrap_or_default();
        let granted = lock(&self.granted).get(header.trim_start_matches("Bearer ")).cloned();
        let Some(scopes) = granted else {
            let challenge =
                format!(r#"Bearer realm="{realm}",service="test",scope="{resource}{action}""#);
            return Some(Canned::error(401, "UNAUTHORIZED").header("WWW-Authenticate", challenge));
        };
        let allows = |scope: &String| {
            let actions = scope.strip_prefix(&resource);
            actions.is_some_and(|actions| actions.split(',').any(|granted| granted == action))
        };
        (!scopes.iter().any(allows)).then(|| Canned::error(403, "DENIED"))
    }
}
