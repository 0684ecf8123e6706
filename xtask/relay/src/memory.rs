//! A small registry in memory, with the ways of different registries.

use crate::canned::Canned;
use crate::scripted::Received;
use crate::server::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Whose ways the registry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Deletes tags and digests, mounts blobs
    Capable,
    /// As distribution 2.8: deletes by digest only, answers 400 to a tag
    Distribution,
    /// As GHCR: 403 for repositories that do not exist, no deleting, 405 for cancelled uploads
    Ghcr,
}

/// A registry in memory. Clones are one registry; [`answer`](Self::answer) is a script for a server.
#[derive(Clone)]
pub struct Memory {
    profile: Profile,
    /// How bytes are named: the program under test brings its own function
    digest: fn(&[u8]) -> String,
    /// How many tags make a page
    page: usize,
    repositories: Arc<Mutex<BTreeMap<String, Repository>>>,
}

#[derive(Clone, Debug, Default)]
struct Repository {
    blobs: BTreeMap<String, Vec<u8>>,
    /// By digest: media type and bytes
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    tags: BTreeMap<String, String>,
}

impl Memory {
    /// An empty registry.
    pub fn new(profile: Profile, digest: fn(&[u8]) -> String) -> Self {
        Self { profile, digest, page: 100, repositories: Arc::default() }
    }

    /// The same registry with pages of so many tags.
    pub fn with_page(self, page: usize) -> Self {
        Self { page, ..self }
    }

    /// All tags and what they stand on: `repository:tag` to digest.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let repositories = lock(&self.repositories);
        let tags = repositories.iter().flat_map(|(name, repository)| {
            let tags = repository.tags.iter();
            tags.map(move |(tag, digest)| (format!("{name}:{tag}"), digest.clone()))
        });
        tags.collect()
    }

    /// The digests of all manifests of a repository.
    pub fn manifests_of(&self, repository: &str) -> Vec<String> {
        let repositories = lock(&self.repositories);
        let digests = repositories.get(repository).map(|own| own.manifests.keys().cloned());
        digests.into_iter().flatten().collect()
    }

    /// Takes a manifest out of a repository, with all tags that stand on it.
    pub fn forget(&self, repository: &str, digest: &str) -> bool {
        lock(&self.repositories).get_mut(repository).is_some_and(|own| {
            own.tags.retain(|_, on| on != digest);
            own.manifests.remove(digest).is_some()
        })
    }

    /// Takes a blob out of a repository, as garbage collection does.
    pub fn lose_blob(&self, repository: &str, digest: &str) {
        if let Some(repository) = lock(&self.repositories).get_mut(repository) {
            repository.blobs.remove(digest);
        }
    }

    /// Answers a request.
    pub fn answer(&self, request: &Received) -> Canned {
        let route = request.route().trim_start_matches("/v2/").to_owned();
        if route.is_empty() {
            return Canned::json(200, "{}");
        }
        for (part, handler) in [
            ("/blobs/uploads/", Self::uploads as fn(&Self, &Received, &str, &str) -> Canned),
            ("/manifests/", Self::manifests),
            ("/blobs/", Self::blobs),
            ("/tags/", Self::list),
        ] {
            if let Some((name, key)) = route.split_once(part) {
                let reads = matches!(request.method.as_str(), "GET" | "HEAD");
                let known = lock(&self.repositories).contains_key(name);
                if self.profile == Profile::Ghcr && reads && !known {
                    return Canned::error(403, "DENIED");
                }
                return handler(self, request, name, key);
            }
        }
        Canned::error(404, "UNSUPPORTED")
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Repository) -> T) -> T {
        let mut repositories = lock(&self.repositories);
        // Looking at a repository does not make one.
        let mut repository = repositories.remove(name).unwrap_or_default();
        let result = act(&mut repository);
        let empty = repository.blobs.is_empty() && repository.manifests.is_empty();
        if !empty {
            repositories.insert(name.to_owned(), repository);
        }
        result
    }

    fn uploads(&self, request: &Received, name: &str, key: &str) -> Canned {
        let wanted = request.query("digest").into_iter().next();
        match (request.method.as_str(), key) {
            ("POST", "") => {
                let (mount, from) = (request.query("mount"), request.query("from"));
                if let (Some(digest), Some(from)) = (mount.first(), from.first())
                    && let Some(blob) = self.with(from, |from| from.blobs.get(digest).cloned())
                {
                    self.with(name, |own| own.blobs.insert(digest.clone(), blob));
                    return Canned::status(201).header("Docker-Content-Digest", digest.clone());
                }
                let location = format!("/v2/{name}/blobs/uploads/session?state=x");
                Canned::status(202).header("Location", location)
            }
            ("PUT", _) => match wanted {
                Some(digest) if (self.digest)(&request.body) == digest => {
                    self.with(name, |own| own.blobs.insert(digest.clone(), request.body.clone()));
                    Canned::status(201).header("Docker-Content-Digest", digest)
                }
                _ => Canned::error(400, "DIGEST_INVALID"),
            },
            ("DELETE", _) if self.profile == Profile::Ghcr => Canned::error(405, "UNSUPPORTED"),
            ("DELETE", _) => Canned::status(204),
            _ => Canned::error(405, "UNSUPPORTED"),
        }
    }

    fn manifests(&self, request: &Received, name: &str, key: &str) -> Canned {
        match request.method.as_str() {
            "GET" | "HEAD" => self.with(name, |own| own.manifest(key)),
            "PUT" => {
                let digest = (self.digest)(&request.body);
                if key.contains(':') && key != digest {
                    return Canned::error(400, "DIGEST_INVALID");
                }
                let media_type = request.header("content-type").unwrap_or_default().to_owned();
                self.with(name, |own| {
                    own.manifests.insert(digest.clone(), (media_type, request.body.clone()));
                    if !key.contains(':') {
                        own.tags.insert(key.to_owned(), digest.clone());
                    }
                });
                Canned::status(201).header("Docker-Content-Digest", digest)
            }
            "DELETE" => self.delete(name, key),
            _ => Canned::error(405, "UNSUPPORTED"),
        }
    }

    fn delete(&self, name: &str, key: &str) -> Canned {
        let by_digest = key.contains(':');
        match self.profile {
            Profile::Ghcr => return Canned::error(405, "UNSUPPORTED"),
            Profile::Distribution if !by_digest => return Canned::error(400, "DIGEST_INVALID"),
            Profile::Distribution | Profile::Capable => {}
        }
        let gone = self.with(name, |own| {
            if !by_digest {
                return own.tags.remove(key).is_some();
            }
            own.tags.retain(|_, digest| digest != key);
            own.manifests.remove(key).is_some()
        });
        if gone { Canned::status(202) } else { Canned::error(404, "MANIFEST_UNKNOWN") }
    }

    fn blobs(&self, request: &Received, name: &str, digest: &str) -> Canned {
        let blob = self.with(name, |own| own.blobs.get(digest).cloned());
        match (request.method.as_str(), blob) {
            ("GET" | "HEAD", Some(blob)) => {
                let answer = Canned::status(200).header("Content-Type", "application/octet-stream");
                let answer = answer.header("Docker-Content-Digest", digest);
                answer.header("Content-Length", blob.len().to_string()).body(blob)
            }
            ("GET" | "HEAD", None) => Canned::error(404, "BLOB_UNKNOWN"),
            _ => Canned::error(405, "UNSUPPORTED"),
        }
    }

    fn list(&self, request: &Received, name: &str, _key: &str) -> Canned {
        let size = request.query("n").first().and_then(|n| n.parse().ok()).unwrap_or(self.page);
        let size = usize::min(size, self.page);
        let last = request.query("last").into_iter().next().unwrap_or_default();
        let (tags, more) = self.with(name, |own| {
            let mut rest = own.tags.keys().filter(|tag| **tag > last).cloned();
            let tags: Vec<String> = rest.by_ref().take(size).collect();
            (tags, rest.next().is_some())
        });
        let known = lock(&self.repositories).contains_key(name);
        if !known {
            return Canned::error(404, "NAME_UNKNOWN");
        }
        let next = tags
            .last()
            .filter(|_| more)
            .map(|last| format!(r#"</v2/{name}/tags/list?n={size}&last={last}>; rel="next""#));
        let names: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
        let list = format!(r#"{{"name":"{name}","tags":[{}]}}"#, names.join(","));
        let page = Canned::json(200, list);
        next.map_or(page.clone(), |next| page.header("Link", next))
    }
}

impl Repository {
    fn manifest(&self, key: &str) -> Canned {
        let digest = self.tags.get(key).map_or(key, String::as_str);
        let Some((media_type, bytes)) = self.manifests.get(digest) else {
            return Canned::error(404, "MANIFEST_UNKNOWN");
        };
        let answer = Canned::status(200).header("Content-Type", media_type.clone());
        let answer = answer.header("Docker-Content-Digest", digest);
        answer.header("Content-Length", bytes.len().to_string()).body(bytes.clone())
    }
}
