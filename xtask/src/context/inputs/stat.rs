//! What the system says of a file without reading it.

use ring::digest::Context;
use std::fs::Metadata;

/// Seconds and nanoseconds.
pub type Time = (i64, i64);

/// The part of a `stat` that tells one content from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub links: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: Time,
    pub ctime: Time,
}

impl Stat {
    #[cfg(unix)]
    pub fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            dev: meta.dev(),
            ino: meta.ino(),
            links: meta.nlink(),
            mode: meta.mode(),
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            ctime: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// As buildx sends it: everything can be executed.
    #[cfg(not(unix))]
    pub fn of(meta: &Metadata) -> Self {
        let written = meta.modified().ok().and_then(|time| {
            let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
            Some((i64::try_from(since.as_secs()).ok()?, i64::from(since.subsec_nanos())))
        });
        let time = written.unwrap_or_default();
        let (size, mode) = (meta.len(), 0o755);
        Self { dev: 0, ino: 0, links: 1, mode, uid: 0, gid: 0, size, mtime: time, ctime: time }
    }

    /// Puts into a stamp what changes whenever the file is written.
    pub fn stamp(&self, stamp: &mut Context) {
        let [mtime, ctime] = [self.mtime, self.ctime].map(|(s, nanos)| [s as u64, nanos as u64]);
        let [of_mode, of_file] = [u64::from(self.mode), self.size];
        let numbers =
            [self.dev, self.ino, of_file, of_mode, mtime[0], mtime[1], ctime[0], ctime[1]];
        let mut bytes = [0; 64];
        for (at, number) in numbers.iter().enumerate() {
            bytes[8 * at..8 * at + 8].copy_from_slice(&number.to_be_bytes());
        }
        stamp.update(&bytes);
    }
}
