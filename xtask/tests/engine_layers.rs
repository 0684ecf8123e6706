//! The files of an image as we read them, against what the engine makes of the same layers.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use camino::{Utf8Path, Utf8PathBuf};
use support::{busybox, engine};
use xtask::docker::image_files::{Layer, Layout, Reader};
use xtask::plan::verify::{File, Files, Path, shown};
use xtask::process::Processes;

/// Everything that layers and archives have traps for.
const TRAPS: &str = r#"FROM busybox:debian
RUN mkdir -p /t/opaque/sub /t/becomes-file/sub /t/gone/deep /t/kept /t/meta && \
    for f in opaque/old opaque/sub/old becomes-file/sub/x gone/deep/x kept/file kept/other meta/m; do \
    echo $f > /t/$f; done && echo file > /t/becomes-folder && ln -s kept /t/becomes-real && \
    echo one > /t/h1 && ln /t/h1 /t/h2 && ln /t/h1 /t/kept/h3 && ln -s /nowhere/at/all /t/dangling
RUN rm -r /t/opaque /t/gone /t/becomes-file /t/becomes-folder /t/kept/file /t/becomes-real && \
    mkdir /t/opaque /t/becomes-folder /t/becomes-real && echo new > /t/opaque/new && \
    echo file > /t/becomes-file && echo in > /t/becomes-folder/in && echo in > /t/becomes-real/in && \
    echo other > /t/h2.new && mv /t/h2.new /t/h2 && chmod 4711 /t/meta/m && chown 70000:3000000 /t/meta
RUN d=/t/$(printf 'd%.0s' $(seq 120)) && n=$(printf 'n%.0s' $(seq 200)) && mkdir -p $d/$n && \
    echo long > $d/$n/$n && ln -s $d/$n/$n /t/long-link && ln $d/$n/$n /t/long-hard-link && \
    touch "$(printf '/t/\377bytes')" '/t/a b' "$(printf '/t/new\nline')" && \
    mkfifo /t/fifo && mknod /t/char c 5 1 && mknod /t/block b 7 300 && chmod 1777 /t/kept && \
    truncate -s 3000000 /t/holes && mkdir -m 0 /t/closed && rm /t/opaque/new
ADD capable.tar /t/
"#;

/// The files of an image's layers, laid on each other by us.
fn flattened(layout: &Utf8Path) -> Files {
    let processes = Processes::default();
    let layout = Layout(layout);
    let top = layout.top().unwrap().remove(0);
    let images = Reader::new(&processes).images(&layout, &top).unwrap();
    images.into_values().next().unwrap().files
}

/// The engine itself lays the same layers on each other, and packs the result into one archive.
#[test]
fn layers_are_laid_on_each_other_as_the_engine_does_it() {
    let services = "[services.web]\n";
    let repository = busybox("registry.invalid/small", services, &[("web", TRAPS)]);
    let context = repository.root().join("services/web");
    let capable = context.join("capable");
    std::fs::write(&capable, "").unwrap();
    // cap_net_raw, as the kernel writes it.
    let capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(&capable, "security.capability", &capability, flags).unwrap();
    // COPY leaves them behind.
    let tar = ["--xattrs", "--xattrs-include=*", "-cf", "capable.tar", "capable"];
    let packed = std::process::Command::new("tar").args(tar).current_dir(&context).status();
    assert!(packed.unwrap().success());
    engine().xtask(&repository, &["build-images"]).run().success();
    let plan = engine()
        .xtask(&repository, &["build-images", "--force", "--dry-run", "--json"])
        .run()
        .json();
    let base = plan["definition"]["target"]["web"]["contexts"].as_object().unwrap();
    let (name, base) = base.iter().next().unwrap();
    let folder = Utf8PathBuf::try_from(repository.root().join("out")).unwrap();
    let base = format!("{name}={}", base.as_str().unwrap());
    let export = |kind: &str| {
        let output = format!("type={kind},dest={folder}/{kind}");
        let context = context.to_str().unwrap();
        let args = ["buildx", "build", "--quiet", "--build-context", &base, "--output", &output];
        engine().docker(&[&args[..], &["--provenance=false", context]].concat());
    };
    std::fs::create_dir_all(&folder).unwrap();
    export("oci,tar=false");
    export("tar");
    let ours = flattened(&folder.join("oci"));
    let archive = std::fs::File::open(folder.join("tar")).unwrap();
    let mut theirs = Files::new();
    Layer::read(archive, |_| false).unwrap().lay_on(&mut theirs).unwrap();
    theirs.retain(|path, _| path.starts_with(b"t/") || !ours.contains_key(path));
    let of_t = |(path, file): (Path, File)| path.starts_with(b"t/").then_some((path, file));
    let ours: Files = ours.into_iter().filter_map(of_t).collect();
    for path in ours.keys().chain(theirs.keys()) {
        assert_eq!(ours.get(path), theirs.get(path), "{}", shown(path));
    }
    let paths: Vec<String> = ours.keys().map(|path| shown(path)).collect();
    assert_eq!(paths.len(), 28, "{paths:#?}");
    assert_eq!(ours[b"t/capable".as_slice()].xattrs["security.capability"], capability);
    assert_eq!(ours[b"t/meta".as_slice()].group, 3_000_000);
}
