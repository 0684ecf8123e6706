//! BuildKit as the judge: builds `COPY . /` and looks at what came out.

use super::cases::{Case, IGNORE_FILE};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DOCKERFILE: &str = "FROM scratch\nCOPY . /\n";

/// What BuildKit sends for each case: all in one bake.
pub fn sent(cases: &[&Case]) -> Vec<BTreeSet<String>> {
    let folder = Folder::new();
    let mut targets = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let context = folder.0.join(format!("{i}/context"));
        make(&context, case);
        let text = |path: PathBuf| serde_json::Value::from(path.to_str().expect("plain path"));
        let target = serde_json::json!({
            "context": text(context),
            "dockerfile": text(folder.0.join("Dockerfile")),
            "output": [{ "type": "local", "dest": text(folder.0.join(format!("{i}/out"))) }],
            "attest": [{ "type": "provenance", "disabled": "true" }],
        });
        targets.push((format!("t{i}"), target));
    }
    let names: Vec<&String> = targets.iter().map(|(name, _)| name).collect();
    let definition = serde_json::json!({
        "group": { "default": { "targets": names } },
        "target": targets.iter().cloned().collect::<serde_json::Map<_, _>>(),
    });
    fs::write(folder.0.join("Dockerfile"), DOCKERFILE).expect("writing the Dockerfile");
    fs::write(folder.0.join("bake.json"), definition.to_string()).expect("writing the definition");
    let allow = format!("--allow=fs={}", folder.0.display());
    let output = docker(&["buildx", "bake", &allow, "-f", "bake.json"], &folder.0);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (0..cases.len()).map(|i| list(&folder.0.join(format!("{i}/out")))).collect()
}

/// Whether BuildKit builds it at all.
pub fn builds(case: &Case) -> bool {
    let folder = Folder::new();
    make(&folder.0.join("context"), case);
    fs::write(folder.0.join("Dockerfile"), DOCKERFILE).expect("writing the Dockerfile");
    let output =
        docker(&["buildx", "build", "-f", "Dockerfile", "-o", "out", "context"], &folder.0);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || log.contains("pattern"), "{log}");
    output.status.success()
}

/// What BuildKit sends of a context with these files, and a Dockerfile.
pub fn sent_from(files: &[(&str, &str)]) -> BTreeSet<String> {
    let folder = Folder::new();
    let context = folder.0.join("context");
    fs::create_dir_all(&context).expect("making the context");
    for (name, text) in files.iter().chain(&[("Dockerfile", DOCKERFILE)]) {
        fs::write(context.join(name), text).expect("writing a file");
    }
    let output = docker(&["buildx", "build", "-o", "out", "context"], &folder.0);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    list(&folder.0.join("out"))
}

fn make(context: &Path, case: &Case) {
    fs::create_dir_all(context).expect("making the context");
    for entry in case.entries() {
        let path = context.join(entry);
        if entry.ends_with('/') {
            fs::create_dir_all(path).expect("making a folder");
        } else {
            fs::write(path, entry).expect("writing a file");
        }
    }
    fs::write(context.join(IGNORE_FILE), &case.rules).expect("writing the rules");
}

fn docker(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new("docker");
    command
        .args(arguments)
        .envs(&crate::support::engine().env)
        .current_dir(folder)
        .output()
        .expect("starting docker")
}

/// Everything in a folder, folders with a slash at the end.
fn list(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![String::new()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("listing what was sent") {
            let entry = entry.expect("listing what was sent");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let path = format!("{folder}{name}");
            if entry.file_type().expect("its kind").is_dir() {
                waiting.push(format!("{path}/"));
                found.insert(format!("{path}/"));
            } else {
                found.insert(path);
            }
        }
    }
    found
}

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xtask-dockerignore-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("making a folder for the test");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}
