//! Archives and layers as they come: every format, every trap, and what is broken.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "verify/archives.rs"]
mod archives;
mod support;

use archives::{pack, piped, small_group, tree};
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use support::Folder;
use xtask::docker::image_files::{Archive, EntryKind, Layer, Layout, Reader};
use xtask::docker::registry::oci::digest_of;
use xtask::plan::verify::{File, Files, Image, Kind, shown};
use xtask::process::Processes;

fn nothing(_: &[u8]) -> bool {
    false
}

fn all(_: &[u8]) -> bool {
    true
}

/// Layers on each other, with every content kept.
fn laid(layers: &[&[(&str, &str)]]) -> Files {
    let mut files = Files::new();
    for layer in layers {
        let archive = pack(&tree(layer).0, "pax");
        Layer::read(archive.as_slice(), all).unwrap().lay_on(&mut files).unwrap();
    }
    files
}

/// Each file with its content; folders end with a slash.
fn listed(files: &Files) -> BTreeMap<String, String> {
    let one = |(path, file): (&Vec<u8>, &File)| match &file.text {
        _ if path.is_empty() => None,
        Some(text) if matches!(file.kind, Kind::Regular { .. }) => {
            Some((shown(path), String::from_utf8_lossy(text).into_owned()))
        }
        _ => Some((shown(path) + "/", String::new())),
    };
    files.iter().filter_map(one).collect()
}

#[track_caller]
fn layers(layers: &[&[(&str, &str)]], expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
    assert_eq!(listed(&laid(layers)), expected);
}

#[test]
fn a_layer_hides_only_what_is_below_it() {
    let base: &[(&str, &str)] = &[("a/x", "1"), ("a/y", "1"), ("a.b/z", "1"), ("b", "1")];
    layers(
        &[base, &[("a/.wh.x", "")]],
        &[("/a/", ""), ("/a/y", "1"), ("/a.b/", ""), ("/a.b/z", "1"), ("/b", "1")],
    );
    layers(&[base, &[(".wh.a", "")]], &[("/a.b/", ""), ("/a.b/z", "1"), ("/b", "1")]);
    // A folder that is made anew: the mark may stand anywhere in it.
    for new in ["!first", "later"] {
        let path = format!("a/{new}");
        let opaque: &[(&str, &str)] = &[("a/.wh..wh..opq", ""), (&path, "2")];
        let shown = format!("/a/{new}");
        let expected =
            [("/a/", ""), (shown.as_str(), "2"), ("/a.b/", ""), ("/a.b/z", "1"), ("/b", "1")];
        layers(&[base, opaque], &expected);
    }
    layers(&[base, &[(".wh..wh..opq", ""), ("c", "2")]], &[("/c", "2")]);
    layers(
        &[base, &[(".wh.a", ""), ("a/x", "2"), (".wh..wh.plnk", "")]],
        &[("/a/", ""), ("/a/x", "2"), ("/a.b/", ""), ("/a.b/z", "1"), ("/b", "1")],
    );
    layers(
        &[base, &[("a", "file")]],
        &[("/a", "file"), ("/a.b/", ""), ("/a.b/z", "1"), ("/b", "1")],
    );
    layers(
        &[base, &[("b/", "")]],
        &[("/a/", ""), ("/a/x", "1"), ("/a/y", "1"), ("/a.b/", ""), ("/a.b/z", "1"), ("/b/", "")],
    );
    layers(
        &[base, &[(".wh.nothing", "")]],
        &listed(&laid(&[base])).iter().map(|(p, t)| (p.as_str(), t.as_str())).collect::<Vec<_>>(),
    );
}

/// Names that do not fit into a header, links, modes, owners: GNU tar in each of its formats.
#[test]
fn every_format_of_gnu_tar_is_read() {
    let (d, n) = ("d".repeat(90), "n".repeat(180));
    for (format, long) in
        [("pax", true), ("gnu", true), ("oldgnu", true), ("ustar", false), ("v7", false)]
    {
        let folder = tree(&[("a/file", "content"), ("a/empty", ""), ("dir/", "")]);
        let root = &folder.0;
        fs::hard_link(root.join("a/file"), root.join("z-hard")).unwrap();
        symlink("/to/somewhere", root.join("link")).unwrap();
        fs::set_permissions(root.join("a/empty"), fs::Permissions::from_mode(0o6750)).unwrap();
        if long {
            fs::create_dir_all(root.join(&d).join(&d)).unwrap();
            fs::write(root.join(&d).join(&d).join(&n), "long").unwrap();
            symlink(format!("{d}/{d}/{n}"), root.join("long-link")).unwrap();
            fs::hard_link(root.join(&d).join(&d).join(&n), root.join("zz-long-hard")).unwrap();
        }
        let mut files = Files::new();
        let archive = if long { pack(root, format) } else { small_group(root, format) };
        Layer::read(archive.as_slice(), all).unwrap().lay_on(&mut files).unwrap();
        let get =
            |path: &str| files.get(path.as_bytes()).unwrap_or_else(|| panic!("{format}: {path}"));
        assert_eq!(get("a/file").text.as_deref(), Some(b"content".as_slice()));
        assert_eq!(get("z-hard"), get("a/file"));
        assert_eq!(get("link").kind, Kind::Symlink(b"/to/somewhere".to_vec()));
        assert_eq!((get("a/empty").mode, get("dir").mode & 0o7000), (0o6750, 0));
        let group = if long { 3_000_000 } else { 8 };
        assert_eq!((get("a/file").user, get("a/file").group), (7, group), "{format}");
        if long {
            let path = format!("{d}/{d}/{n}");
            assert_eq!(get(&path).text.as_deref(), Some(b"long".as_slice()));
            assert_eq!(get("zz-long-hard"), get(&path));
            assert_eq!(get("long-link").kind, Kind::Symlink(path.into_bytes()));
        }
        assert_eq!(files.len(), 7 + if long { 5 } else { 0 }, "{format}");
    }
}

#[test]
fn content_that_is_not_asked_for_is_passed_over() {
    let archive = pack(&tree(&[("a", &"x".repeat(1300)), ("b", "y")]).0, "pax");
    let mut archive = Archive::new(archive.as_slice());
    let mut found = Vec::new();
    while let Some(header) = archive.next_entry().unwrap() {
        if header.kind == EntryKind::Regular {
            found.push((String::from_utf8(header.path).unwrap(), header.size));
        }
    }
    assert_eq!(found, [("./a".to_owned(), 1300), ("./b".to_owned(), 1)]);
}

#[test]
fn a_broken_archive_is_an_error_and_never_a_panic() {
    let archive = pack(&tree(&[("a", "x"), ("b", "y")]).0, "pax");
    let whole = Layer::read(archive.as_slice(), nothing).is_ok();
    assert!(whole && Layer::read([].as_slice(), nothing).is_ok());
    let end = archive.iter().rposition(|byte| *byte != 0).unwrap().next_multiple_of(512);
    for cut in (1..end).filter(|cut| cut % 512 != 0) {
        assert!(Layer::read(&archive[..cut], nothing).is_err(), "cut at {cut}");
    }
    for (at, with) in (0..148).flat_map(|at| [(at, 0xff), (at, b'9')]) {
        let mut broken = archive.clone();
        broken[at] = with;
        let unchanged = broken == archive;
        assert_eq!(Layer::read(broken.as_slice(), nothing).is_ok(), unchanged, "{with} at {at}");
    }
    for junk in [vec![b'x'; 512], vec![0xff; 1024], b"{\"schemaVersion\":2}".to_vec()] {
        assert!(Layer::read(junk.as_slice(), nothing).is_err());
    }
    // Headers whose checksum is right, but not what they say. `./` is followed by `./a`.
    let archive = small_group(&tree(&[("a", "x")]).0, "ustar");
    let fields: [(usize, &[u8]); 7] = [
        (512 + 124, b"77777777777\0"),
        (512 + 124, b"99999999999\0"),
        (512 + 124, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        (156, b"S"),
        (512 + 156, b"x"),
        (512 + 156, b"L"),
        (0, b"../up\0"),
    ];
    for (at, field) in fields {
        let mut broken = archive.clone();
        broken[at..at + field.len()].copy_from_slice(field);
        let header = at / 512 * 512;
        broken[header + 148..header + 156].copy_from_slice(b"        ");
        let sum: u32 = broken[header..header + 512].iter().map(|byte| u32::from(*byte)).sum();
        broken[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(Layer::read(broken.as_slice(), nothing).is_err(), "{field:?} at {at}");
    }
}

#[test]
fn a_hard_link_to_nothing_is_an_error() {
    let folder = tree(&[("a", "1")]);
    fs::hard_link(folder.0.join("a"), folder.0.join("b")).unwrap();
    let archive = pack(&folder.0, "pax");
    // Without `a` itself, which stands in a layer of its own.
    let without = piped("tar", &["--delete", "--file=-", "./a"], &archive);
    let layer = Layer::read(without.as_slice(), all).unwrap();
    let error = layer.lay_on(&mut Files::new()).unwrap_err();
    assert_eq!(error.to_string(), "`/b` is a hard link to `/a`, which is not there");
    let mut files = laid(&[&[("a", "lower")]]);
    layer.lay_on(&mut files).unwrap();
    assert_eq!(files[b"b".as_slice()].text.as_deref(), Some(b"lower".as_slice()));
}

/// An image layout of these layers.
fn layout(layers: &[&[u8]]) -> Folder {
    let folder = Folder::new();
    let blobs = folder.0.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |bytes: &[u8], kind: &str| {
        let digest = digest_of(bytes);
        fs::write(blobs.join(&digest[7..]), bytes).unwrap();
        serde_json::json!({ "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": digest, "size": bytes.len() })
    };
    let config = blob(
        br#"{"os":"linux","architecture":"arm64","variant":"v8","config":{"Cmd":["x"]}}"#,
        "config.v1+json",
    );
    let layers: Vec<_> = layers.iter().map(|layer| blob(layer, "layer.v1.tar")).collect();
    let manifest = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let manifest = blob(manifest.to_string().as_bytes(), "manifest.v1+json");
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(folder.0.join("index.json"), index.to_string()).unwrap();
    folder
}

/// Reads a layout of these layers.
fn read(processes: &Processes, layers: &[&[u8]]) -> anyhow::Result<BTreeMap<String, Image>> {
    let layout = layout(layers);
    let layout = Layout(Utf8Path::from_path(&layout.0).unwrap());
    Reader::new(processes).images(&layout, &layout.top()?.remove(0))
}

#[test]
fn an_interrupt_ends_the_reading() {
    let plain = pack(&tree(&[("a", "1")]).0, "pax");
    for layer in [&plain, &piped("gzip", &[], &plain)] {
        let processes = Processes::default();
        assert!(read(&processes, &[layer]).is_ok());
        processes.interrupt.raise();
        let error = read(&processes, &[layer]).unwrap_err();
        assert_eq!(xtask::error::exit_code(&error), 130, "{error:#}");
    }
}

#[test]
fn layers_say_themselves_how_they_are_compressed() {
    let plain = pack(&tree(&[("a", "1"), ("b", "1")]).0, "pax");
    let gzipped = piped("gzip", &[], &pack(&tree(&[(".wh.b", ""), ("c", "2")]).0, "pax"));
    let read = |layers: &[&[u8]]| read(&Processes::default(), layers);
    let images = read(&[&plain, &gzipped]).unwrap();
    let image = &images["linux/arm64"];
    let paths: Vec<String> = image.files.keys().map(|path| shown(path)).collect();
    assert_eq!(paths, ["/", "/a", "/c"]);
    assert_eq!(image.config["Cmd"], "[\"x\"]");
    let error = |layers: &[&[u8]]| format!("{:#}", read(layers).unwrap_err());
    let cut = error(&[&plain, &gzipped[..gzipped.len() - 20]]);
    assert!(
        cut.contains("cannot read the layer sha256:") && cut.contains("unexpected end of file"),
        "{cut}"
    );
    assert!(error(&[&plain[..700]]).contains("it ends within"));
    // What is compressed and no archive.
    assert!(error(&[&piped("gzip", &[], b"no archive")]).contains("not a tar archive"));
}
