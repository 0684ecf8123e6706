//! What an engine of ours has moved, which it does not tell itself.

use super::Instance;
use super::network;
use std::collections::BTreeMap;

/// How things stand at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes over its bridge so far: what steps of builds and containers send and receive
    pub bridge: u64,
    /// Blobs in its store, by digest, with their sizes
    pub blobs: BTreeMap<String, u64>,
}

/// Where containerd keeps blobs, below the data of an engine.
const BLOBS: &str = "data/containerd/daemon/io.containerd.content.v1.content/blobs/sha256";

impl Counters {
    /// Those of now; none where the bridge is not there.
    pub fn of(instance: &Instance) -> Option<Self> {
        let bridge = network::moved(&instance.bridge)?;
        let entries = std::fs::read_dir(instance.folder.join(BLOBS)).into_iter().flatten();
        let blobs = entries.flatten().filter_map(|entry| {
            let hex = entry.file_name().into_string().ok()?;
            Some((format!("sha256:{hex}"), entry.metadata().ok()?.len()))
        });
        Some(Self { bridge, blobs: blobs.collect() })
    }

    /// What has come since.
    pub fn since(self, before: &Self) -> Self {
        let new = |digest: &String| !before.blobs.contains_key(digest);
        let blobs = self.blobs.into_iter().filter(|(digest, _)| new(digest)).collect();
        Self { bridge: self.bridge.saturating_sub(before.bridge), blobs }
    }
}
