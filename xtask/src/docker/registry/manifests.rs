//! Manifests and indexes: read, looked for, written, deleted. Bytes are what counts, never their meaning.

use super::exchange::Request;
use super::message::{Content, Incoming};
use super::oci::{Index, Manifest, Platform, digest_of, has_digest, media};
use super::reference::is_digest;
use super::{Answer, Kind, Reason, Reference, Registry};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::Method;

/// The largest manifest that registries are held to take (specification: at least 4 MiB), in bytes.
const LIMIT: u64 = 4 << 20;

/// A manifest or index, byte for byte, and checked against its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes
    pub bytes: Vec<u8>,
    /// Its media type
    pub media_type: String,
    /// The digest of the bytes
    pub digest: String,
}

/// What a registry says about a manifest without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The digest that the registry names
    pub digest: String,
    /// The media type
    pub media_type: String,
    /// The size in bytes, where it is said
    pub size: Option<u64>,
}

impl Registry {
    /// Reads a manifest or index by tag or digest. What does not have the digest that was asked
    /// for, or that the registry names, is no answer.
    pub fn get_manifest(&self, reference: &Reference) -> Answer<Fetched> {
        let request = self.manifest(Method::GET, reference).may_be_absent();
        let read = |incoming: Incoming| {
            let what = incoming.what.clone();
            let content_type = incoming.header("content-type").unwrap_or_default().to_owned();
            let named = incoming.header("docker-content-digest").filter(|named| is_digest(named));
            let named = named.map(str::to_owned);
            let bytes = self.shared.wire.read(incoming, LIMIT)?;
            let media_type = media_type(&bytes, &content_type).map_err(|e| garbage(&what, e))?;
            for digest in reference.digest().into_iter().chain(named.as_deref()) {
                if !has_digest(&bytes, digest) {
                    return Err(garbage(
                        &what,
                        format!("the bytes do not have the digest {digest}"),
                    ));
                }
            }
            let digest = reference.digest().map_or_else(|| digest_of(&bytes), str::to_owned);
            Ok(Fetched { bytes, media_type, digest })
        };
        self.ask(&request, read).into()
    }

    /// Asks for a manifest's digest without reading it. Where the registry does not name it, it is
    /// read after all.
    pub fn head_manifest(&self, reference: &Reference) -> Answer<Stat> {
        let request = self.manifest(Method::HEAD, reference).may_be_absent();
        let read = |incoming: Incoming| {
            let header = |name| incoming.header(name).map(str::to_owned);
            let media_type = header("content-type").unwrap_or_default();
            if media_type.contains("html") {
                return Err(garbage(&incoming.what, "a page of HTML"));
            }
            let digest = header("docker-content-digest").filter(|digest| is_digest(digest));
            if digest.is_some()
                && reference.digest().is_some_and(|wanted| digest.as_deref() != Some(wanted))
            {
                return Err(garbage(&incoming.what, "the registry names another digest"));
            }
            let size = header("content-length").and_then(|length| length.parse().ok());
            Ok(digest.map(|digest| Stat { digest, media_type: essence(&media_type), size }))
        };
        match self.ask(&request, read) {
            Ok(Some(None)) => self.get_manifest(reference).map(|fetched| fetched.stat()),
            Ok(answer) => Ok(answer.flatten()).into(),
            Err(reason) => reason.into(),
        }
    }

    /// Writes a manifest or index under the reference's tag, or by its digest where it has one, and
    /// gives the digest of the bytes. Safe to repeat. Fails where the registry names another digest.
    pub fn put_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<String, Reason> {
        let request = self.manifest(Method::PUT, reference);
        let request = request.header("content-type", media_type).content(Content::Bytes(bytes));
        let digest = reference.digest().map_or_else(|| digest_of(bytes), str::to_owned);
        if !has_digest(bytes, &digest) {
            let detail = "the bytes do not have the digest that they are to be written under";
            return Err(Reason::new(Kind::Local, format!("PUT {reference}"), detail));
        }
        let check = |incoming: Incoming| {
            let named = incoming.header("docker-content-digest").filter(|named| is_digest(named));
            let wrong = named.is_some_and(|named| !has_digest(bytes, named));
            let what = incoming.what.clone();
            self.shared.wire.drain(incoming);
            if wrong { Err(garbage(&what, "the registry names another digest")) } else { Ok(()) }
        };
        self.ask(&request, check)?;
        Ok(digest)
    }

    fn manifest(&self, method: Method, reference: &Reference) -> Request<'static> {
        let reads = matches!(method, Method::GET | Method::HEAD);
        let request =
            Request::new(self, method, reference, &format!("manifests/{}", reference.key()));
        let accepted = [media::INDEX, media::MANIFEST, media::DOCKER_LIST, media::DOCKER_MANIFEST];
        if reads { request.header("accept", accepted.join(", ")) } else { request }
    }
}

impl Fetched {
    /// From bytes at hand, which may say themselves what they are.
    pub fn from_bytes(bytes: Vec<u8>, otherwise: &str) -> Result<Self, String> {
        let media_type = media_type(&bytes, otherwise)?;
        let digest = digest_of(&bytes);
        Ok(Self { bytes, media_type, digest })
    }

    /// Whether it is a list of manifests.
    pub fn is_index(&self) -> bool {
        media::is_index(&self.media_type)
    }

    /// Its meaning as an index. Fails for anything else.
    pub fn index(&self) -> Result<Index, Reason> {
        self.parse("an index", media::is_index(&self.media_type))
    }

    /// Its meaning as a manifest of one image or artifact. Fails for anything else.
    pub fn manifest(&self) -> Result<Manifest, Reason> {
        self.parse("a manifest", !media::is_index(&self.media_type))
    }

    /// The platforms that an index has images for; none for a single manifest, which does not say.
    pub fn platforms(&self) -> Vec<Platform> {
        self.index().map(|index| index.platforms()).unwrap_or_default()
    }

    fn stat(&self) -> Stat {
        let size = Some(self.bytes.len() as u64);
        Stat { digest: self.digest.clone(), media_type: self.media_type.clone(), size }
    }

    fn parse<T: DeserializeOwned>(&self, name: &str, fits: bool) -> Result<T, Reason> {
        if !fits {
            return Err(garbage(&self.digest, format!("{} is not {name}", self.media_type)));
        }
        serde_json::from_slice(&self.bytes)
            .map_err(|e| garbage(&self.digest, format!("not {name}: {e}")))
    }
}

/// What a manifest says of itself.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "mediaType")]
    media_type: Option<Value>,
}

/// The media type of a manifest's bytes: what they say themselves, else what the header says. An
/// error where they are no JSON object, or neither is a manifest's type.
fn media_type(bytes: &[u8], header: &str) -> Result<String, String> {
    // Serde would take an array for the fields in their order.
    let object = bytes.trim_ascii_start().starts_with(b"{");
    let Some(said) = object.then(|| serde_json::from_slice::<Said>(bytes).ok()).flatten() else {
        return Err(format!(
            "no JSON object, but {}",
            super::reason::excerpt(&String::from_utf8_lossy(bytes))
        ));
    };
    let header = essence(header);
    let own = said.media_type.as_ref().and_then(Value::as_str).unwrap_or(&header);
    if media::is_manifest(own) {
        Ok(own.to_owned())
    } else {
        Err(format!("`{own}` is no manifest's type"))
    }
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn garbage(what: &str, detail: impl std::fmt::Display) -> Reason {
    Reason::new(Kind::Garbage, what, detail)
}
