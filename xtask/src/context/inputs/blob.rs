//! A file's content by its bytes.

use super::stat::Stat;
use crate::plan::fingerprint::BlobId;
use camino::Utf8Path;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use std::fs::File;
use std::io::{ErrorKind, Read as _};

/// So much is read at once.
const CHUNK: usize = 128 * 1024;

/// Git's name for the bytes of a file, which has to be as it was seen before and to stay so.
pub fn of_file(path: &Utf8Path, seen: &Stat) -> Result<BlobId, String> {
    let trouble = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("`{path}` vanished while it was read"),
        _ => format!("`{path}` cannot be read: {error}"),
    };
    let changed = || format!("`{path}` was written while it was read");
    let mut file = File::open(path).map_err(trouble)?;
    if Stat::of(&file.metadata().map_err(trouble)?) != *seen {
        return Err(changed());
    }
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(format!("blob {}\0", seen.size).as_bytes());
    let mut chunk = vec![0; CHUNK.min(seen.size as usize + 1)];
    let mut length = 0;
    loop {
        let read = file.read(&mut chunk).map_err(trouble)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        hash.update(&chunk[..read]);
    }
    let after = Stat::of(&file.metadata().map_err(trouble)?);
    // A file that another one has taken the place of is no longer what will be sent.
    let in_place = path.symlink_metadata().map(|meta| Stat::of(&meta)).map_err(trouble)?;
    if length != seen.size || after != *seen || in_place != *seen {
        return Err(changed());
    }
    let mut id = [0; 20];
    id.copy_from_slice(hash.finish().as_ref());
    Ok(BlobId(id))
}
