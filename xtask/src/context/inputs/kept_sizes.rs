//! What git told of sizes, kept for when the same is asked again: a content never changes its size.
#![expect(clippy::disallowed_methods, reason = "keeps them in the cache folder")]

use crate::plan::fingerprint::hex;
use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{SHA256, digest};
use std::collections::BTreeSet;

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// The answer to one question, on disk: the digest of the ids that were asked for, their sizes as
/// numbers of 8 bytes, and the digest of all that.
pub struct KeptSizes {
    file: Utf8PathBuf,
    ids: [u8; DIGEST],
    count: usize,
}

impl KeptSizes {
    /// That of these contents, of which there is one at a time for each set of folders.
    pub fn of(
        cache: &Utf8Path,
        root: &Utf8Path,
        folders: &BTreeSet<Utf8PathBuf>,
        ids: &[[u8; 20]],
    ) -> Self {
        let mut place = root.as_str().to_owned();
        for folder in folders {
            place.push('\0');
            place.push_str(folder.as_str());
        }
        let name = hex(&sha256(place.as_bytes())[..8]);
        let (file, ids_at_once) = (cache.join("sizes").join(name), ids.as_flattened());
        Self { file, ids: sha256(ids_at_once), count: ids.len() }
    }

    /// The sizes in the order of the ids, where all of them were told before.
    pub fn read(&self) -> Option<Vec<u64>> {
        let bytes = std::fs::read(&self.file).ok()?;
        let (body, check) = bytes.split_last_chunk::<DIGEST>()?;
        let (ids, sizes) = body.split_first_chunk::<DIGEST>()?;
        let (sizes, rest) = sizes.as_chunks::<8>();
        let whole = *ids == self.ids && sizes.len() == self.count && rest.is_empty();
        (whole && *check == sha256(body))
            .then(|| sizes.iter().map(|size| u64::from_be_bytes(*size)).collect())
    }

    /// Keeps sizes, in the order of the ids. That it cannot be done costs nothing but time.
    pub fn write(&self, sizes: &[u64]) {
        let mut bytes = self.ids.to_vec();
        for size in sizes {
            bytes.extend_from_slice(&size.to_be_bytes());
        }
        let check = sha256(&bytes);
        bytes.extend_from_slice(&check);
        let half = self.file.with_extension(format!("{}.part", std::process::id()));
        let folder = self.file.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(&half, bytes))
            .and_then(|()| std::fs::rename(&half, &self.file))
            .ok();
    }
}

fn sha256(bytes: &[u8]) -> [u8; DIGEST] {
    let mut out = [0; DIGEST];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::KeptSizes;
    use camino::Utf8PathBuf;

    #[test]
    fn only_the_same_question_has_the_answer() {
        let cache = std::env::temp_dir().join(format!("xtask-kept-{}", std::process::id()));
        let cache = Utf8PathBuf::from_path_buf(cache).unwrap();
        let folders = ["a".into()].into();
        let of = |ids: &[[u8; 20]]| KeptSizes::of(&cache, "/root".into(), &folders, ids);
        let kept = of(&[[1; 20], [2; 20]]);
        assert_eq!(kept.read(), None);
        kept.write(&[7, 8]);
        assert_eq!(of(&[[1; 20], [2; 20]]).read(), Some(vec![7, 8]));
        assert_eq!(of(&[[2; 20], [1; 20]]).read(), None);
        assert_eq!(of(&[[1; 20]]).read(), None);
        let elsewhere = KeptSizes::of(&cache, "/other".into(), &folders, &[[1; 20], [2; 20]]);
        assert_eq!(elsewhere.read(), None);
        let bytes = std::fs::read(&kept.file).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&kept.file, &damaged).unwrap();
            assert_eq!(kept.read(), None, "byte {at}");
            std::fs::write(&kept.file, &bytes[..at]).unwrap();
            assert_eq!(kept.read(), None, "cut at {at}");
        }
        std::fs::remove_dir_all(&cache).unwrap();
    }
}
