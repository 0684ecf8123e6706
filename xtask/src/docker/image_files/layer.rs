//! One layer, and layers laid on each other (OCI image specification, "Image Layer Filesystem
//! Changeset").

use super::tar::{Archive, EntryKind, Header};
use crate::plan::verify::{File, Files, Kind, Path, shown};
use anyhow::{Context as _, Result, bail};
use ring::digest;
use std::io::Read;
use std::sync::Arc;

/// What marks a file of a lower layer as gone.
const WHITEOUT: &[u8] = b".wh.";
/// What marks all that lower layers have in a folder as gone.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Other marks of the file system that whiteouts come from; nothing in an image.
const OTHER_MARK: &[u8] = b".wh..wh.";
/// The longest file whose content is kept, in bytes.
const TEXT_LIMIT: u64 = 256 << 20;

/// What one layer changes.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Folders that hide what lower layers have in them
    opaque: Vec<Path>,
    /// What is gone
    gone: Vec<Path>,
    /// What is there anew, in the archive's order
    entries: Vec<(Path, Entry)>,
}

#[derive(Clone, Debug)]
enum Entry {
    File(File),
    HardLink(Path),
}

impl Layer {
    /// Reads an uncompressed layer to its end. The content of files that `keep` names is kept.
    pub fn read(reader: impl Read, keep: fn(&[u8]) -> bool) -> Result<Self> {
        let mut archive = Archive::new(reader);
        let mut layer = Self::default();
        while let Some(header) = archive.next_entry()? {
            let path = normal(&header.path)?;
            let name_at = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
            let (folder, name) = (&path[..name_at.saturating_sub(1)], &path[name_at..]);
            if name == OPAQUE {
                layer.opaque.push(folder.to_vec());
            } else if name.starts_with(OTHER_MARK) {
                continue;
            } else if let Some(name) = name.strip_prefix(WHITEOUT) {
                layer.gone.push([&path[..name_at], name].concat());
            } else if header.kind == EntryKind::HardLink {
                layer.entries.push((path, Entry::HardLink(normal(&header.link)?)));
            } else {
                let keep = keep(&path) && header.size <= TEXT_LIMIT;
                let file = file(&mut archive, header, keep)
                    .with_context(|| format!("cannot read `{}`", shown(&path)))?;
                layer.entries.push((path, Entry::File(file)));
            }
        }
        archive.finish()?;
        Ok(layer)
    }

    /// Lays it on what lower layers have made. What it hides is only what is below it.
    pub fn lay_on(&self, files: &mut Files) -> Result<()> {
        for folder in &self.opaque {
            remove_below(files, folder);
        }
        for path in &self.gone {
            files.remove(path);
            remove_below(files, path);
        }
        for (path, entry) in &self.entries {
            let file = match entry {
                Entry::File(file) => file.clone(),
                Entry::HardLink(target) => files.get(target).cloned().with_context(|| {
                    let [path, target] = [path, target].map(|path| shown(path));
                    format!("`{path}` is a hard link to `{target}`, which is not there")
                })?,
            };
            if file.kind != Kind::Folder {
                remove_below(files, path);
            }
            files.insert(path.clone(), file);
        }
        Ok(())
    }
}

fn remove_below(files: &mut Files, folder: &[u8]) {
    let inside = |path: &Path| match path.strip_prefix(folder) {
        Some(_) if folder.is_empty() => !path.is_empty(),
        Some(rest) => rest.first() == Some(&b'/'),
        None => false,
    };
    let paths: Vec<Path> = files
        .range(folder.to_vec()..)
        .map(|(path, _)| path)
        .take_while(|path| path.starts_with(folder))
        .filter(|path| inside(path))
        .cloned()
        .collect();
    for path in paths {
        files.remove(&path);
    }
}

fn file(archive: &mut Archive<impl Read>, header: Header, keep: bool) -> Result<File> {
    let mut text = Vec::new();
    let kind = match header.kind {
        EntryKind::Regular | EntryKind::HardLink => {
            let mut hash = digest::Context::new(&digest::SHA256);
            archive.content(&mut |piece| {
                hash.update(piece);
                if keep {
                    text.extend_from_slice(piece);
                }
            })?;
            let mut sha256 = [0; 32];
            sha256.copy_from_slice(hash.finish().as_ref());
            Kind::Regular { size: header.size, sha256 }
        }
        EntryKind::Folder => Kind::Folder,
        EntryKind::Symlink => Kind::Symlink(header.link),
        EntryKind::CharDevice => Kind::CharDevice(header.device.0, header.device.1),
        EntryKind::BlockDevice => Kind::BlockDevice(header.device.0, header.device.1),
        EntryKind::Fifo => Kind::Fifo,
    };
    Ok(File {
        kind,
        mode: header.mode,
        user: header.user,
        group: header.group,
        xattrs: header.xattrs,
        text: keep.then(|| Arc::from(text)),
    })
}

/// A path without what makes no difference: `./a//b/` is `a/b`.
fn normal(path: &[u8]) -> Result<Path> {
    let parts = path.split(|b| *b == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let parts: Vec<&[u8]> = parts.collect();
    if parts.contains(&b"..".as_slice()) {
        bail!("it has the path `{}`, which leads out of it", shown(path));
    }
    Ok(parts.join(&b'/'))
}
