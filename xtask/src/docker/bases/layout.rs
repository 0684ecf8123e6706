//! An image as an OCI layout with one gzip layer.

use super::super::engine::{Setup, files};
use crate::process::Command;
use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read as _;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Makes the layout of a root file system's tar in `folder`, and gives the digest of its index. An index
/// even for one platform: a build for another one then fails instead of taking what does not fit.
pub fn write(setup: &Setup, folder: &Utf8Path, tar: &Utf8Path, config: &Value) -> Result<String> {
    files::create_folder(&folder.join("blobs/sha256"))?;
    let mut config = config.clone();
    let (diff_id, _) = measure(tar)?;
    config["rootfs"] = json!({ "type": "layers", "diff_ids": [diff_id] });
    let layer = compress(setup, folder, tar)?;
    let platform = platform_of(&config);
    let config = blob(folder, CONFIG, &config)?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
    });
    let mut manifest = blob(folder, MANIFEST, &manifest)?;
    manifest["platform"] = platform;
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    let index = blob(folder, INDEX, &index)?;
    let digest = index["digest"].as_str().unwrap_or_default().to_owned();
    let top = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [index] });
    files::write(&folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")?;
    files::write(&folder.join("index.json"), top.to_string())?;
    Ok(digest)
}

/// The digest of the image in a layout; nothing if there is none.
pub fn digest_of(folder: &Utf8Path) -> Option<String> {
    let top: Value = serde_json::from_str(&files::read(&folder.join("index.json")).ok()??).ok()?;
    Some(top["manifests"][0]["digest"].as_str()?.to_owned())
}

/// Whether a layout has the image of a digest, be it the one that its index names or an earlier one.
pub fn holds(folder: &Utf8Path, digest: &str) -> bool {
    path_of(folder, digest).is_file()
}

/// Puts the image of one layout into another, whose index then names it. Who reads meanwhile finds the
/// old one whole, and the new one as soon as it is whole: its own blob, `digest`, comes last.
pub fn add(from: &Utf8Path, to: &Utf8Path, digest: &str) -> Result<()> {
    if digest_of(to).is_none() {
        return files::move_folder(from, to);
    }
    let blobs = |folder: &Utf8Path| folder.join("blobs/sha256");
    let top = digest.strip_prefix("sha256:").context("a digest without its kind")?.to_owned();
    let others = files::list(&blobs(from)).into_iter().filter(|name| *name != top);
    for name in others.chain([top.clone()]) {
        files::move_file(&blobs(from).join(&name), &blobs(to).join(&name))?;
    }
    let index = files::read(&from.join("index.json"))?.context("a layout without an index")?;
    files::write(&to.join("index.json"), index)?;
    files::remove_folder(from)
}

/// All the digests by which an engine may call an image: of the index, the manifest, the configuration.
pub fn digests_of(folder: &Utf8Path, digest: &str) -> Vec<String> {
    let mut digests = vec![digest.to_owned()];
    for pointer in ["/manifests/0/digest", "/config/digest"] {
        let Some(last) = digests.last() else { break };
        let text = files::read(&path_of(folder, last)).ok().flatten().unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        digests.extend(value.pointer(pointer).and_then(Value::as_str).map(str::to_owned));
    }
    digests
}

/// The index of a layout that names an image of it, with annotations.
pub fn naming(folder: &Utf8Path, digest: &str, annotations: &Value) -> Result<Value> {
    let image = path_of(folder, digest);
    let (_, size) = measure(&image)?;
    let image = json!({
        "mediaType": INDEX, "digest": digest, "size": size, "annotations": annotations,
    });
    Ok(json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [image] }))
}

fn path_of(folder: &Utf8Path, digest: &str) -> Utf8PathBuf {
    folder.join("blobs").join(digest.replace(':', "/"))
}

fn platform_of(config: &Value) -> Value {
    let mut platform = json!({ "architecture": config["architecture"], "os": config["os"] });
    if let Some(variant) = config.get("variant") {
        platform["variant"] = variant.clone();
    }
    platform
}

/// Writes a JSON blob and gives its descriptor.
fn blob(folder: &Utf8Path, media_type: &str, content: &Value) -> Result<Value> {
    let text = content.to_string();
    let digest = hex(ring::digest::digest(&SHA256, text.as_bytes()).as_ref());
    files::write(&folder.join("blobs/sha256").join(&digest), &text)?;
    Ok(json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": text.len() }))
}

fn compress(setup: &Setup, folder: &Utf8Path, tar: &Utf8Path) -> Result<Value> {
    let command = Command::new("compress the image", "gzip")
        .args(["--no-name", "--keep", "--force", tar.as_str()])
        .env("PATH", setup.path());
    setup.processes.run(&command)?;
    let compressed = Utf8Path::new(&format!("{tar}.gz")).to_owned();
    let (digest, size) = measure(&compressed)?;
    let name = digest.strip_prefix("sha256:").context("a digest without its kind")?;
    files::move_folder(&compressed, &folder.join("blobs/sha256").join(name))?;
    Ok(json!({ "mediaType": LAYER, "digest": digest, "size": size }))
}

/// A file's digest and size.
fn measure(path: &Utf8Path) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(|e| anyhow!("cannot read `{path}`: {e}"))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
        size += read as u64;
    }
    Ok((format!("sha256:{}", hex(context.finish().as_ref())), size))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
