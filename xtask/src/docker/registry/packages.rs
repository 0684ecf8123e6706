//! GitHub's packages API: the only way to take something away from GHCR, which deletes nothing over OCI.
//! Written after its documentation ("REST API endpoints for packages"); tried on a stand-in alone.
//!
//! It deletes *versions*: a digest with all tags that stand on it.

use super::message::{Content, Limits, Outgoing, Server};
use super::url::{Url, is_loopback};
use super::{Kind, Reason, Reference, Registry, Secret, judge};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Instant;
use ureq::http::Method;

/// Where the API is, unless GITHUB_API_URL says otherwise.
const API: &str = "https://api.github.com";
/// How many versions make a page, and how many pages are read at most.
const PAGE: usize = 100;
const PAGES: usize = 1000;
/// The longest page, in bytes.
const LIMIT: u64 = 8 << 20;

/// What the API gives and takes of one package.
#[derive(Clone, Debug)]
pub struct Packages {
    api: Url,
    token: Secret,
    owner: String,
    package: String,
}

/// One digest of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What the API calls it
    pub id: u64,
    /// The tags that stand on it
    pub tags: Vec<String>,
    /// The address that it is deleted under
    path: String,
}

/// Whether a repository's packages are to be deleted by the API.
#[derive(Clone, Debug)]
pub enum ByApi {
    /// They are
    Yes(Packages),
    /// They are, and something is missing for it
    Cannot(String),
    /// It is another sort of registry
    No,
}

#[derive(Deserialize)]
struct Listed {
    id: u64,
    /// The digest
    name: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    container: Container,
}

#[derive(Default, Deserialize)]
struct Container {
    #[serde(default)]
    tags: Vec<String>,
}

impl Packages {
    /// For a repository of GHCR (or of a GitHub Enterprise Server, `containers.<host>`), by the
    /// variables of the environment.
    pub fn of(repository: &Reference, vars: &BTreeMap<String, String>) -> ByApi {
        let var = |name: &str| vars.get(name).map(String::as_str).filter(|it| !it.is_empty());
        let said = var("GITHUB_API_URL");
        let Some(api) = Url::parse(said.unwrap_or(API)) else { return ByApi::No };
        let host = repository.host();
        let on_server = host.strip_prefix("containers.").is_some_and(|server| server == api.host);
        // A stand-in for both, on this machine.
        let on_loopback = said.is_some() && is_loopback(host) && is_loopback(&api.host);
        if host != "ghcr.io" && !on_server && !on_loopback {
            return ByApi::No;
        }
        let Some((owner, package)) = repository.repository().split_once('/') else {
            return ByApi::No;
        };
        match var("GITHUB_TOKEN").or(var("GH_TOKEN")) {
            None => ByApi::Cannot(
                "GHCR deletes by GitHub's packages API alone: set GITHUB_TOKEN to a token that may \
                 delete packages"
                    .into(),
            ),
            Some(token) => ByApi::Yes(Self {
                api,
                token: Secret::new(format!("Bearer {token}")),
                owner: owner.to_owned(),
                package: package.replace('/', "%2F"),
            }),
        }
    }
}

impl Registry {
    /// All versions of a package, by digest. `None` where there is no such package.
    pub fn versions(
        &self,
        packages: &Packages,
    ) -> Result<Option<BTreeMap<String, Version>>, Reason> {
        for owners in ["orgs", "users"] {
            let base = format!("{}/versions", packages.path(owners));
            let mut all = BTreeMap::new();
            for page in 1..=PAGES {
                let path = format!("{base}?per_page={PAGE}&page={page}");
                let listed: Option<Vec<Listed>> = self.ask_api(packages, Method::GET, &path)?;
                let Some(listed) = listed else { break };
                let is_last = listed.len() < PAGE;
                all.extend(listed.into_iter().map(|it| {
                    let path = format!("{base}/{}", it.id);
                    (it.name, Version { id: it.id, tags: it.metadata.container.tags, path })
                }));
                if is_last {
                    return Ok(Some(all));
                }
            }
        }
        Ok(None)
    }

    /// Deletes a version: its digest, with all tags that stand on it. GitHub answers "not found" also to
    /// those who may not.
    pub fn delete_version(&self, packages: &Packages, version: &Version) -> Result<(), Reason> {
        let unknown = || {
            let detail = "GitHub knows of no such version: may the token delete packages?";
            Reason::new(Kind::Rejected, format!("DELETE {}", version.path), detail)
        };
        let deleted = self.send_api(packages, Method::DELETE, &version.path, |_| Ok(()))?;
        deleted.ok_or_else(unknown)
    }

    fn ask_api<T: DeserializeOwned>(
        &self,
        packages: &Packages,
        method: Method,
        path: &str,
    ) -> Result<Option<T>, Reason> {
        self.send_api(packages, method, path, |bytes| {
            serde_json::from_slice(bytes).map_err(|error| error.to_string())
        })
    }

    fn send_api<T>(
        &self,
        packages: &Packages,
        method: Method,
        path: &str,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, Reason> {
        let url = Url {
            path: format!("{}{path}", packages.api.path.trim_end_matches('/')),
            ..packages.api.clone()
        };
        let headers = [
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
            ("user-agent", "cargo-xtask".to_owned()),
        ];
        let wire = &self.shared.wire;
        self.retry(|registry, end| {
            let left = end.saturating_duration_since(Instant::now());
            let limits = Limits {
                connect: registry.patience.connect.min(left),
                whole: registry.patience.per_request.min(left),
                stalled: None,
            };
            let incoming = wire.send(&Outgoing {
                method: method.clone(),
                url: &url,
                headers: &headers,
                authorization: Some(&packages.token),
                content: Content::None,
                limits,
                to: Server::Registry,
            })?;
            let what = incoming.what.clone();
            let Some(incoming) = judge::outcome(wire, incoming, &self.shared.clock)? else {
                return Ok(None);
            };
            let bytes = wire.read(incoming, LIMIT)?;
            read(&bytes).map(Some).map_err(|detail| Reason::new(Kind::Garbage, what, detail))
        })
    }
}

impl Packages {
    fn path(&self, owners: &str) -> String {
        format!("/{owners}/{}/packages/container/{}", self.owner, self.package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(repository: &str, vars: &[(&str, &str)]) -> ByApi {
        let vars = vars.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Packages::of(&repository.parse().unwrap(), &vars)
    }

    #[test]
    fn the_api_is_for_githubs_own_registries() {
        let token = ("GITHUB_TOKEN", "hunter2");
        let ByApi::Yes(packages) = of("ghcr.io/tzervas/autogit/git-server", &[token]) else {
            panic!("GHCR deletes by the API")
        };
        assert_eq!(packages.path("orgs"), "/orgs/tzervas/packages/container/autogit%2Fgit-server");
        assert!(!format!("{packages:?}").contains("hunter2"));
        assert!(matches!(of("ghcr.io/a/b", &[]), ByApi::Cannot(_)));
        let server = ("GITHUB_API_URL", "https://git.corp.example/api/v3");
        assert!(matches!(of("containers.git.corp.example/a/b", &[token, server]), ByApi::Yes(_)));
        let github = ("GITHUB_API_URL", "https://api.github.com");
        for other in ["quay.io/a/b", "127.0.0.1:5000/a/b", "containers.evil.example/a/b"] {
            assert!(matches!(of(other, &[token, github]), ByApi::No), "{other}");
        }
    }
}
