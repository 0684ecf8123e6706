//! Whole images: pushed from an OCI layout folder, copied from one repository to another.

use super::blobs::{Arrival, Source};
use super::oci::{Descriptor, Index, has_digest};
use super::reference::is_digest;
use super::{Fetched, Kind, Reason, Reference, Registry};
use camino::{Utf8Path, Utf8PathBuf};

/// What it took to bring an image to a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the index or manifest
    pub digest: String,
    /// Blobs that were there already
    pub present: u64,
    /// Blobs that were linked from the other repository
    pub mounted: u64,
    /// Blobs that were sent
    pub uploaded: u64,
    /// The size of those that were sent, in bytes
    pub bytes: u64,
}

/// Where an image comes from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Layout(&'a Utf8Path),
    Repository(&'a Reference),
}

impl Registry {
    /// Pushes the one image of an OCI layout folder (image specification, "Image Layout") under the
    /// reference's tag. Blobs that are there already are not sent. The tag is written last.
    pub fn push_layout(&self, layout: &Utf8Path, to: &Reference) -> Result<Pushed, Reason> {
        let bad = |detail: String| Reason::new(Kind::Local, format!("`{layout}`"), detail);
        let file = layout.join("index.json");
        let bytes =
            std::fs::read(&file).map_err(|e| bad(format!("cannot read index.json: {e}")))?;
        let index: Index =
            serde_json::from_slice(&bytes).map_err(|e| bad(format!("index.json: {e}")))?;
        let [image] = index.manifests.as_slice() else {
            return Err(bad(format!("it holds {} images instead of one", index.manifests.len())));
        };
        self.bring(Origin::Layout(layout), &image.digest, &image.media_type, to)
    }

    /// Copies an image with all that it consists of. Within one registry blobs are mounted, else
    /// they stream through. The tag is written last.
    pub fn copy_image(&self, from: &Reference, to: &Reference) -> Result<Pushed, Reason> {
        let origin = Origin::Repository(from);
        self.bring(origin, from.key(), "", to)
    }

    fn bring(
        &self,
        origin: Origin<'_>,
        key: &str,
        media_type: &str,
        to: &Reference,
    ) -> Result<Pushed, Reason> {
        let top = self.read(origin, key, media_type)?;
        let mut pushed = Pushed { digest: top.digest.clone(), ..Pushed::default() };
        self.bring_parts(origin, &top, to, &mut pushed)?;
        self.put_manifest(to, &top.media_type, &top.bytes)?;
        Ok(pushed)
    }

    /// Everything that a manifest points at, before it is written itself.
    fn bring_parts(
        &self,
        origin: Origin<'_>,
        fetched: &Fetched,
        to: &Reference,
        pushed: &mut Pushed,
    ) -> Result<(), Reason> {
        if !fetched.is_index() {
            let manifest = fetched.manifest()?;
            for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                self.bring_blob(origin, blob, to, pushed)?;
            }
            return Ok(());
        }
        for entry in fetched.index()?.manifests {
            let child = self.read(origin, &entry.digest, &entry.media_type)?;
            // An index within an index would nest without end if the bytes allowed a circle; as
            // each names the digest of the next, they do not.
            self.bring_parts(origin, &child, to, pushed)?;
            let by_digest = to.with_digest(&child.digest).map_err(|e| local(to, e))?;
            self.put_manifest(&by_digest, &child.media_type, &child.bytes)?;
        }
        Ok(())
    }

    fn bring_blob(
        &self,
        origin: Origin<'_>,
        blob: &Descriptor,
        to: &Reference,
        pushed: &mut Pushed,
    ) -> Result<(), Reason> {
        let arrival = match origin {
            Origin::Layout(layout) => {
                let file = blob_file(layout, &blob.digest)?;
                self.put_blob(to, &blob.digest, Source::File(&file), None)
            }
            Origin::Repository(from) => {
                self.put_blob(to, &blob.digest, Source::Blob(from, blob.size), Some(from))
            }
        };
        match arrival? {
            Arrival::Present => pushed.present += 1,
            Arrival::Mounted => pushed.mounted += 1,
            Arrival::Uploaded => {
                pushed.uploaded += 1;
                pushed.bytes += blob.size;
            }
        }
        Ok(())
    }

    fn read(&self, origin: Origin<'_>, key: &str, media_type: &str) -> Result<Fetched, Reason> {
        let layout = match origin {
            Origin::Layout(layout) => layout,
            Origin::Repository(from) => {
                let by_digest = from.with_digest(key);
                let reference = if is_digest(key) { by_digest } else { from.with_tag(key) };
                let reference = reference.map_err(|e| local(from, e))?;
                let absent =
                    || Reason::new(Kind::Rejected, reference.to_string(), "it is not there");
                return self.get_manifest(&reference).known()?.ok_or_else(absent);
            }
        };
        let file = blob_file(layout, key)?;
        let bad = |detail: String| Reason::new(Kind::Local, format!("`{file}`"), detail);
        let bytes = std::fs::read(&file).map_err(|e| bad(e.to_string()))?;
        if !has_digest(&bytes, key) {
            return Err(
                bad("the bytes do not have the digest that the file is named after".into()),
            );
        }
        let fetched = Fetched::from_bytes(bytes, media_type).map_err(bad)?;
        Ok(Fetched { digest: key.to_owned(), ..fetched })
    }
}

fn blob_file(layout: &Utf8Path, digest: &str) -> Result<Utf8PathBuf, Reason> {
    match digest.split_once(':') {
        Some((algorithm, hex)) if is_digest(digest) => {
            Ok(layout.join("blobs").join(algorithm).join(hex))
        }
        _ => {
            Err(Reason::new(Kind::Local, format!("`{layout}`"), format!("`{digest}` is no digest")))
        }
    }
}

fn local(reference: &Reference, error: impl std::fmt::Display) -> Reason {
    Reason::new(Kind::Local, reference.to_string(), error)
}
