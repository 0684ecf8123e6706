//! Blobs: read, looked for, uploaded in one piece, mounted from a neighbour repository.

use super::exchange::Request;
use super::message::{Content, Incoming, Open};
use super::oci::{has_digest, written};
use super::reference::is_digest;
use super::url::Url;
use super::{Answer, Kind, Reason, Reference, Registry};
use camino::Utf8Path;
use ring::digest::{SHA256, SHA512};
use std::fs::File;
use std::io::{Read, Write as _};
use ureq::http::Method;

/// What a blob's bytes come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Bytes at hand
    Bytes(&'a [u8]),
    /// A file
    File(&'a Utf8Path),
    /// A blob in another repository (of any registry) and its size in bytes
    Blob(&'a Reference, u64),
}

/// How a blob got to where it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was there already
    Present,
    /// The registry linked it from another repository: no bytes were sent
    Mounted,
    /// Its bytes were sent
    Uploaded,
}

impl Registry {
    /// Reads a blob of at most `limit` bytes, checked against its digest.
    pub fn get_blob(&self, repository: &Reference, digest: &str, limit: u64) -> Answer<Vec<u8>> {
        let request = match self.blob(Method::GET, repository, digest) {
            Ok(request) => request.may_be_absent().of_blob(),
            Err(reason) => return reason.into(),
        };
        let read = |incoming: Incoming| {
            let what = incoming.what.clone();
            let bytes = self.shared.wire.read(incoming, limit)?;
            if has_digest(&bytes, digest) {
                return Ok(bytes);
            }
            Err(Reason::new(Kind::Garbage, what, "the bytes do not have the blob's digest"))
        };
        self.ask(&request, read).into()
    }

    /// Reads a blob into a file, checked against its digest. What was there is replaced; after a failure
    /// there may be a part of it.
    pub fn save_blob(&self, repository: &Reference, digest: &str, file: &Utf8Path) -> Answer<()> {
        let request = match self.blob(Method::GET, repository, digest) {
            Ok(request) => request.may_be_absent().of_blob(),
            Err(reason) => return reason.into(),
        };
        let read = |incoming: Incoming| {
            let what = incoming.what.clone();
            let (name, algorithm) = match digest.split_once(':') {
                Some(("sha512", _)) => ("sha512", &SHA512),
                _ => ("sha256", &SHA256),
            };
            let mut hash = ring::digest::Context::new(algorithm);
            let mut to = File::create(file).map_err(|e| unreadable(file, &e))?;
            let mut body = self.shared.wire.reader(incoming);
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = body.read(&mut buffer);
                let read = read.map_err(|e| self.shared.wire.failure(&what, &e.into()))?;
                if read == 0 {
                    break;
                }
                hash.update(&buffer[..read]);
                to.write_all(&buffer[..read]).map_err(|e| unreadable(file, &e))?;
            }
            if written(name, hash.finish().as_ref()) == digest {
                return Ok(());
            }
            Err(Reason::new(Kind::Garbage, what, "the bytes do not have the blob's digest"))
        };
        self.ask(&request, read).into()
    }

    /// Asks whether a blob is there, and gives its size in bytes where the registry says it.
    pub fn head_blob(&self, repository: &Reference, digest: &str) -> Answer<Option<u64>> {
        let request = match self.blob(Method::HEAD, repository, digest) {
            Ok(request) => request.may_be_absent(),
            Err(reason) => return reason.into(),
        };
        let read = |incoming: Incoming| {
            if incoming.header("content-type").is_some_and(|kind| kind.contains("html")) {
                return Err(Reason::new(Kind::Garbage, &incoming.what, "a page of HTML"));
            }
            Ok(incoming.header("content-length").and_then(|length| length.parse().ok()))
        };
        self.ask(&request, read).into()
    }

    /// Sees to it that a blob is in a repository: looks first, then mounts it from `neighbour` (a
    /// repository of the same registry) where there is one, then uploads it. Safe to repeat.
    pub fn put_blob(
        &self,
        repository: &Reference,
        digest: &str,
        source: Source<'_>,
        neighbour: Option<&Reference>,
    ) -> Result<Arrival, Reason> {
        match self.head_blob(repository, digest) {
            Answer::Found(_) => return Ok(Arrival::Present),
            Answer::Absent => {}
            // A token that may push shows whether we are really refused: some registries (GHCR)
            // refuse to look at what does not exist yet.
            Answer::Refused(_) => {}
            Answer::Unknown(reason) => return Err(reason),
        }
        let neighbour = neighbour.filter(|other| other.host() == repository.host());
        if let Some(neighbour) = neighbour
            && self.mount_blob(repository, digest, neighbour)?
        {
            return Ok(Arrival::Mounted);
        }
        self.upload(repository, digest, source)?;
        Ok(Arrival::Uploaded)
    }

    /// Asks the registry to link a blob from another of its repositories; `false` where it would
    /// rather have the bytes (which is no error).
    pub fn mount_blob(
        &self,
        repository: &Reference,
        digest: &str,
        from: &Reference,
    ) -> Result<bool, Reason> {
        let mut request = Request::new(self, Method::POST, repository, "blobs/uploads/");
        request.url = request.url.query("mount", digest).query("from", from.repository());
        request.scopes.push(format!("repository:{}:pull", from.repository()));
        let opened = self.ask(&request.content(Content::Bytes(b"")), |incoming| {
            let session = (incoming.status != 201).then(|| self.session(repository, &incoming));
            self.shared.wire.drain(incoming);
            session.transpose()
        })?;
        match opened.flatten() {
            None => Ok(true),
            Some(session) => {
                self.cancel(repository, session);
                Ok(false)
            }
        }
    }

    /// Finds out whether we may push to a repository, by opening an upload and cancelling it.
    /// Nothing stays behind (a registry that cannot cancel, as GHCR, lets it lapse).
    pub fn may_push(&self, repository: &Reference) -> Result<(), Reason> {
        let session = self.open_session(repository)?;
        self.cancel(repository, session);
        Ok(())
    }

    fn upload(
        &self,
        repository: &Reference,
        digest: &str,
        source: Source<'_>,
    ) -> Result<(), Reason> {
        let length = match source {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File(path) => path.metadata().map_err(|e| unreadable(path, &e))?.len(),
            Source::Blob(_, length) => length,
        };
        let open: &Open<'_> = &|| match source {
            Source::Bytes(bytes) => Ok(Box::new(std::io::Cursor::new(bytes.to_vec()))),
            Source::File(path) => Ok(Box::new(File::open(path).map_err(|e| unreadable(path, &e))?)),
            Source::Blob(from, _) => self.open_blob(from, digest),
        };
        let content = match source {
            Source::Bytes(bytes) => Content::Bytes(bytes),
            _ => Content::Stream { length, open },
        };
        // A session that has failed is not used again: each try opens its own.
        let quick = self.once_only();
        self.retry(|_, _| {
            let url = quick.open_session(repository)?.query("digest", digest);
            let request = Request::new(self, Method::PUT, repository, "blobs/uploads/").of_blob();
            let request = Request { url, ..request };
            let request =
                request.header("content-type", "application/octet-stream").content(content);
            let read = |incoming| {
                self.shared.wire.drain(incoming);
                Ok(())
            };
            quick.ask(&request, read).map(|_| ())
        })
    }

    fn open_blob(&self, repository: &Reference, digest: &str) -> Result<Box<dyn Read>, Reason> {
        let request = self.blob(Method::GET, repository, digest)?.of_blob();
        let read = |incoming: Incoming| Ok(self.shared.wire.reader(incoming));
        match self.ask(&request, read)? {
            Some(reader) => Ok(Box::new(reader)),
            None => Err(Reason::new(
                Kind::Rejected,
                repository.name(),
                format!("{digest} is not there"),
            )),
        }
    }

    /// Opens an upload and gives the address that its bytes go to.
    fn open_session(&self, repository: &Reference) -> Result<Url, Reason> {
        let request = Request::new(self, Method::POST, repository, "blobs/uploads/");
        let address = self.ask(&request.content(Content::Bytes(b"")), |incoming| {
            let session = self.session(repository, &incoming);
            self.shared.wire.drain(incoming);
            session
        })?;
        address
            .ok_or_else(|| Reason::new(Kind::Rejected, repository.name(), "no upload was opened"))
    }

    fn session(&self, repository: &Reference, incoming: &Incoming) -> Result<Url, Reason> {
        let bad =
            || Reason::new(Kind::Garbage, &incoming.what, "an upload without a usable address");
        let base = Request::new(self, Method::POST, repository, "blobs/uploads/").url;
        incoming.header("location").and_then(|location| base.join(location)).ok_or_else(bad)
    }

    fn cancel(&self, repository: &Reference, session: Url) {
        let request = Request::new(self, Method::DELETE, repository, "blobs/uploads/");
        let scopes = Request::new(self, Method::POST, repository, "blobs/uploads/").scopes;
        let request = Request { url: session, scopes, ..request };
        // An upload that is not cancelled lapses by itself.
        self.once_only().ask(&request, |_| Ok(())).ok();
    }

    fn blob(
        &self,
        method: Method,
        repository: &Reference,
        digest: &str,
    ) -> Result<Request<'static>, Reason> {
        if !is_digest(digest) {
            return Err(Reason::new(
                Kind::Local,
                repository.name(),
                format!("`{digest}` is no digest"),
            ));
        }
        Ok(Request::new(self, method, repository, &format!("blobs/{digest}")))
    }

    fn once_only(&self) -> Self {
        let patience = super::Patience { tries: 1, ..self.patience };
        self.with_patience(patience)
    }
}

fn unreadable(path: &Utf8Path, error: &std::io::Error) -> Reason {
    Reason::new(Kind::Local, format!("`{path}`"), error)
}
