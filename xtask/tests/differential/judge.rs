//! BuildKit as the judge: one bake for the services of many repositories, each as the program would
//! have it built, but written into an OCI layout whose times are all the same.

use super::support::{Folder, engine};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use xtask::context::facts::World;
use xtask::docker::bake::{Definition, Group, Target, attributes, target_name};
use xtask::docker::progress::Progress;
use xtask::plan::{self, Request};

/// What is to be built of one repository.
pub struct Order<'a> {
    pub shop: usize,
    pub world: &'a World,
    pub services: BTreeSet<String>,
    /// Whether every step is done anew
    pub anew: bool,
}

/// What came of one service.
pub struct Built {
    /// The image's configuration without times; the digests of its layers are in it
    pub image: String,
    pub all_cached: bool,
}

/// What came of all: by repository and service, and the repositories that cannot be built, with the
/// end of what buildx said.
#[derive(Default)]
pub struct Verdict {
    pub built: BTreeMap<(usize, String), Built>,
    pub refused: BTreeMap<usize, String>,
}

/// Builds all. A repository that cannot be built costs only itself.
pub fn build(orders: &[Order]) -> Verdict {
    let mut verdict = Verdict::default();
    loop {
        let rest = orders.iter().filter(|order| !verdict.refused.contains_key(&order.shop));
        let rest: Vec<&Order> = rest.collect();
        if rest.is_empty() {
            return verdict;
        }
        match bake(&rest) {
            Ok(built) => {
                verdict.built = built;
                return verdict;
            }
            Err((shop, said)) => drop(verdict.refused.insert(shop, said)),
        }
    }
}

type Baked = BTreeMap<(usize, String), Built>;

fn bake(orders: &[&Order]) -> Result<Baked, (usize, String)> {
    let folder = Folder::new();
    let mut definition = Definition::default();
    let mut wanted = Vec::new();
    for order in orders {
        let asked: Vec<String> = order.services.iter().cloned().collect();
        let request = Request { no_skip: true, names: asked, ..Request::default() };
        let plan = plan::make(&order.world.facts, &request).expect("a plan");
        for (name, target) in plan.definition.target {
            let target = apart(order, &name, target, &folder.0);
            definition.target.insert(key(order.shop, &name), target);
        }
        wanted.extend(order.services.iter().map(|service| (order.shop, service.clone())));
    }
    let targets: Vec<String> = wanted.iter().map(|(shop, name)| key(*shop, name)).collect();
    definition.group.insert("default".into(), Group { targets: targets.clone() });
    let mut steps = BTreeMap::new();
    for group in groups(&definition, &targets) {
        let progress = run(&definition.with_default(group.clone()), &group, &folder.0)?;
        for target in group {
            definition.is_built(&target);
            steps.insert(target.clone(), progress.steps(&target));
        }
    }
    let built = wanted.into_iter().map(|(shop, service)| {
        let key = key(shop, &service);
        let steps = steps[&key];
        let image = image(&folder.0.join("out").join(&key));
        ((shop, service), Built { image, all_cached: steps.total == steps.cached })
    });
    Ok(built.collect())
}

/// As the program does: at once, or what others link to first.
fn groups(definition: &Definition, wanted: &[String]) -> Vec<Vec<String>> {
    if !definition.links_other_secrets() {
        return vec![wanted.to_vec()];
    }
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut done: BTreeSet<&String> = BTreeSet::new();
    while done.len() < definition.target.len() {
        let is_next = |target: &Target| {
            let linked = target.contexts.values().filter_map(|it| it.strip_prefix("target:"));
            linked.into_iter().all(|other| done.iter().any(|name| *name == other))
        };
        let next: Vec<&String> = definition
            .target
            .iter()
            .filter(|(name, target)| !done.contains(name) && is_next(target))
            .map(|(name, _)| name)
            .collect();
        groups.push(next.iter().map(|name| (*name).clone()).collect());
        done.extend(next);
    }
    groups
}

fn key(shop: usize, service: &str) -> String {
    format!("r{shop}-{}", target_name(service))
}

/// A target of one repository among those of others.
fn apart(order: &Order, name: &str, target: Target, folder: &Path) -> Target {
    let (root, key) = (&order.world.root, key(order.shop, name));
    let service = order.world.facts.service(name).expect("no dots in names");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let contexts = target.contexts.into_iter().map(|(name, value)| {
        let value = match value.strip_prefix("target:") {
            Some(other) => format!("target:r{}-{other}", order.shop),
            None if value.contains("://") => value,
            None => root.join(value).into_string(),
        };
        (name, value)
    });
    let mut args = target.args;
    args.insert("SOURCE_DATE_EPOCH".into(), "1".into());
    // BuildKit keeps what it was sent by the last name of the context's path, and then takes a file
    // of the same size and time for the same. A name of its own has all sent each time.
    let links = folder.join("contexts");
    fs::create_dir_all(&links).expect("a folder for links");
    let unique = folder.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let context = links.join(format!("{unique}-{key}"));
    std::os::unix::fs::symlink(root.join(&target.context), &context).expect("a link");
    let dest = text(&folder.join("out").join(&key));
    let output = [
        ("type", "oci"),
        ("tar", "false"),
        ("dest", &dest),
        ("rewrite-timestamp", "true"),
        ("compression", "uncompressed"),
    ];
    Target {
        no_cache: order.anew.then_some(true),
        contexts: contexts.collect(),
        args,
        context: text(&context),
        dockerfile: root.join(&service.dockerfile).into_string(),
        output: vec![attributes(output)],
        tags: Vec::new(),
        cache_from: Vec::new(),
        cache_to: Vec::new(),
        ..target
    }
}

/// Runs the bake. `Err` is the repository that failed.
fn run(
    definition: &Definition,
    targets: &[String],
    folder: &Path,
) -> Result<Progress, (usize, String)> {
    let mut command = Command::new("docker");
    let temporary = std::env::temp_dir();
    command.args(["buildx", "bake", "-f", "-", "--progress=rawjson"]);
    command.arg(format!("--allow=fs={}", temporary.display())).envs(&engine().env);
    command.env("BUILDX_METADATA_PROVENANCE", "disabled").env_remove("SOURCE_DATE_EPOCH");
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starting docker");
    let input = definition.to_input().expect("JSON").to_string();
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("giving the definition");
    drop(stdin);
    let mut progress = Progress::new(targets);
    for line in BufReader::new(child.stderr.take().expect("its errors")).lines() {
        progress.line(&line.expect("a line in UTF-8"));
    }
    if child.wait().expect("waiting for docker").success() {
        return Ok(progress);
    }
    let (named, text) = progress.last_words();
    let steps = progress.failed_steps();
    let named = named.or_else(|| steps.iter().find_map(|step| step.targets.first().cloned()));
    let number = named.as_deref().and_then(|name| name.strip_prefix('r')?.split('-').next());
    match number.and_then(|number| number.parse().ok()) {
        Some(shop) => Err((shop, text)),
        None => panic!("bake failed: {text}\n{steps:?}"),
    }
}

/// What an image is: its configuration, with the digests of layers, without times.
fn image(layout: &Path) -> String {
    let read = |path: &Path| -> Value {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest").replace(':', "/");
        read(&layout.join("blobs").join(digest))
    };
    let index = read(&layout.join("index.json"));
    let mut config = blob(&blob(&index["manifests"][0])["config"]);
    // `diff_ids` is null where there is no layer.
    assert_eq!(config["rootfs"]["type"], "layers", "{config}");
    let config = config.as_object_mut().expect("an object");
    config.remove("created");
    for step in config.get_mut("history").and_then(Value::as_array_mut).into_iter().flatten() {
        step.as_object_mut().map(|step| step.remove("created"));
    }
    serde_json::to_string(config).expect("JSON")
}
