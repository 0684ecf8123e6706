//! The Dockerfile's bytes.

use super::super::facts::World;
use super::stat::Stat;
use crate::manifest::Service;
use crate::plan::fingerprint::{Bytes, Stamp, hex};
use ring::digest::{Context, SHA256, digest};
use std::fs::File;
use std::io::Read as _;

/// Reads a Dockerfile again: it has to be what its needs were read from.
pub fn dockerfile(world: &World, service: &Service) -> Result<Bytes, String> {
    let path = &service.dockerfile;
    let trouble = |error: std::io::Error| format!("`{path}` cannot be read: {error}");
    let mut file = File::open(world.root.join(path)).map_err(trouble)?;
    let before = Stat::of(&file.metadata().map_err(trouble)?);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(trouble)?;
    let after = Stat::of(&file.metadata().map_err(trouble)?);
    let known = world.dockerfiles.get(&service.name).map(|(source, _)| source.text().as_bytes());
    if before != after || known != Some(bytes.as_slice()) {
        return Err(format!("`{path}` was written while it was read"));
    }
    let mut stamp = Context::new(&SHA256);
    after.stamp(&mut stamp);
    Ok(Bytes {
        sha256: hex(digest(&SHA256, &bytes).as_ref()),
        length: bytes.len(),
        stamp: finished(stamp),
    })
}

/// A stamp of what was put into it.
pub fn finished(stamp: Context) -> Stamp {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(stamp.finish().as_ref());
    Stamp(bytes)
}
