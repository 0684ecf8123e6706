use super::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn file(content: &str) -> File {
    let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.as_ref());
    of_kind(Kind::Regular { size: content.len() as u64, sha256 })
}

fn of_kind(kind: Kind) -> File {
    File { kind, mode: 0o644, user: 0, group: 0, xattrs: BTreeMap::new(), text: None }
}

fn link(target: &str) -> File {
    of_kind(Kind::Symlink(target.into()))
}

/// An image of files with these contents; those that are databases can be read.
fn image(files: &[(&str, &str)]) -> Image {
    let files = files.iter().map(|(path, content)| {
        let text = is_database(path.as_bytes()).then(|| Arc::from(content.as_bytes()));
        (path.as_bytes().to_vec(), File { text, ..file(content) })
    });
    Image { files: files.collect(), config: BTreeMap::new() }
}

fn with(mut image: Image, path: &str, file: File) -> Image {
    image.files.insert(path.into(), file);
    image
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    unstable: Vec<String>,
    explained: Vec<String>,
    wrong: Vec<String>,
}

fn places(comparison: &Comparison) -> Places {
    Places {
        unstable: comparison.unstable.iter().map(ToString::to_string).collect(),
        explained: comparison.explained.iter().map(|e| e.difference.place.to_string()).collect(),
        wrong: comparison.wrong.iter().map(|difference| difference.to_string()).collect(),
    }
}

#[track_caller]
fn case(now: &Image, published: &Image, explained: &[&str], wrong: &[&str]) {
    let own = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    let expected = Places { unstable: Vec::new(), explained: own(explained), wrong: own(wrong) };
    assert_eq!(places(&compare(now, now, published)), expected);
}

#[test]
fn three_ways() {
    let one = image(&[("same", "1"), ("random", "1"), ("new", "1"), ("sometimes", "1")]);
    let other = image(&[("same", "1"), ("random", "2"), ("new", "1")]);
    let published = image(&[("same", "0"), ("random", "1"), ("old", "1"), ("sometimes", "1")]);
    let comparison = compare(&one, &other, &published);
    assert_eq!(comparison.files, 4);
    let found = places(&comparison);
    assert_eq!(found.unstable, ["/random", "/sometimes"], "though they are as published in one");
    assert_eq!(found.explained, [""; 0]);
    assert_eq!(found.wrong.len(), 3, "{found:?}");
    assert_eq!(found.wrong[0], "/new: not in the published image");
    assert_eq!(found.wrong[1], "/old: only in the published image");
    assert!(found.wrong[2].starts_with("/same: content `1 bytes, sha256:6b86b273ff34`, published"));
    assert!(comparison.is_wrong());
    assert!(!compare(&one, &other, &one).is_wrong());
}

#[test]
fn everything_of_a_file_counts() {
    let published = image(&[("f", "1")]);
    let differs = |file: File, expected: &str| {
        case(&with(published.clone(), "f", file), &published, &[], &[expected]);
    };
    let same = file("1");
    differs(File { mode: 0o4755, ..same.clone() }, "/f: mode `4755`, published `0644`");
    differs(File { user: 7, ..same.clone() }, "/f: owner `7:0`, published `0:0`");
    differs(File { group: 8, ..same.clone() }, "/f: owner `0:8`, published `0:0`");
    let xattrs = BTreeMap::from([("user.a".to_owned(), vec![1, 255])]);
    differs(File { xattrs, ..same }, "/f: xattrs `user.a=01ff`, published ``");
    differs(link("1"), "/f: kind `symbolic link`, published `file`");
    differs(of_kind(Kind::Folder), "/f: kind `folder`, published `file`");
    let published = with(Image::default(), "f", link("a"));
    case(
        &with(Image::default(), "f", link("b")),
        &published,
        &[],
        &["/f: target `b`, published `a`"],
    );
    let device = |minor| with(Image::default(), "f", of_kind(Kind::CharDevice(1, minor)));
    case(&device(3), &device(5), &[], &["/f: device `1:3`, published `1:5`"]);
    let block = with(Image::default(), "f", of_kind(Kind::BlockDevice(1, 5)));
    case(&block, &device(5), &[], &["/f: kind `block device`, published `character device`"]);
}

#[test]
fn the_configuration_counts_but_not_when_it_was_made() {
    let of = |text: &str| Image {
        files: Files::new(),
        config: config(&serde_json::from_str(text).unwrap()),
    };
    let published = of(r#"{"created":"1","os":"linux","architecture":"amd64","history":[1],
        "config":{"Env":["PATH=/bin","A=1=2"],"Cmd":["sh"],"Labels":{"l":"1"},"User":"",
        "ExposedPorts":{"80/tcp":{}},"Volumes":null,"OnBuild":null,"ArgsEscaped":false}}"#);
    let same = of(r#"{"created":"2","os":"linux","architecture":"amd64","rootfs":{},
        "config":{"Env":["A=1=2","PATH=/bin"],"Cmd":["sh"],"Labels":{"l":"1"},
        "ExposedPorts":{"80/tcp":{}},"Entrypoint":[]}}"#);
    case(&same, &published, &[], &[]);
    let other = of(r#"{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/bin","A=3"],
        "Cmd":["sh","-c"],"Labels":{"l":"1","m":"2"},"StopSignal":"9","User":"git",
        "Healthcheck":{"Test":["CMD","x"]}}}"#);
    case(
        &other,
        &published,
        &[],
        &[
            "config Cmd: value `[\"sh\",\"-c\"]`, published `[\"sh\"]`",
            "config Env.A: value `3`, published `1=2`",
            "config ExposedPorts.80/tcp: only in the published image",
            "config Healthcheck: not in the published image",
            "config Labels.m: not in the published image",
            "config StopSignal: not in the published image",
            "config User: not in the published image",
        ],
    );
}

const STATUS: &str = "var/lib/dpkg/status";

/// `lib 1.0` becomes `(lib, version)`; what is not installed is not there.
fn status(packages: &[(&str, &str)]) -> String {
    let paragraph = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nVersion: {version}\nDescription: a\n b\n"
        )
    };
    let removed = "Package: removed\nStatus: deinstall ok config-files\nVersion: 9\n";
    packages.iter().map(paragraph).chain([removed.to_owned()]).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_of_debian_packages_that_moved_are_explained() {
    let lists = [
        ("var/lib/dpkg/info/lib:amd64.list", "/.\n/usr\n/usr/lib\n/lib/lib.so\n/usr/share/lib\n"),
        (
            "var/lib/dpkg/info/still.list",
            "/.\n/usr\n/usr/lib\n/usr/lib/still.so\n/usr/share/mime/own\n",
        ),
    ];
    let of = |status: &str, files: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> =
            [(STATUS, status)].iter().chain(&lists).chain(files).copied().collect();
        with(image(&all), "lib", link("usr/lib"))
    };
    let files = |v| {
        [
            ("usr/lib/lib.so", v),
            ("etc/ld.so.cache", v),
            ("var/log/dpkg.log", v),
            ("usr/share/mime/magic", v),
            ("usr/lib/still.so", v),
            ("usr/share/mime/own", v),
            ("srv/own", v),
        ]
    };
    let published = of(&status(&[("lib", "1.0"), ("still", "5"), ("gone", "1")]), &files("1"));
    let now = of(&status(&[("lib", "2.0"), ("still", "5"), ("new", "3")]), &files("2"));
    let comparison = compare(&now, &now, &published);
    let moved: Vec<String> = comparison.moved.iter().map(ToString::to_string).collect();
    assert_eq!(moved, ["gone 1 is gone", "lib 1.0 -> 2.0", "new 3 is new"]);
    let found = places(&comparison);
    let explained = [
        "/etc/ld.so.cache",
        "/usr/lib/lib.so",
        "/usr/share/mime/magic",
        "/var/lib/dpkg/status",
        "/var/log/dpkg.log",
    ];
    assert_eq!(found.explained, explained);
    let wrong: Vec<&str> = found.wrong.iter().map(|w| w.split(':').next().unwrap()).collect();
    assert_eq!(wrong, ["/srv/own", "/usr/lib/still.so", "/usr/share/mime/own"]);

    // Where no package has moved, nothing is explained.
    let still = of(&status(&[("lib", "1.0"), ("still", "5"), ("gone", "1")]), &files("2"));
    let found = places(&compare(&still, &still, &published));
    assert_eq!((found.explained.len(), found.wrong.len()), (0, 7), "{found:?}");
}

#[test]
fn a_folder_is_explained_only_by_a_package_that_has_it_alone() {
    let lists = [
        ("var/lib/dpkg/info/lib.list", "/.\n/usr\n/usr/share/lib\n"),
        ("var/lib/dpkg/info/still.list", "/.\n/usr\n"),
    ];
    let of = |version: &str, mode: u32| {
        let status = status(&[("lib", version), ("still", "5")]);
        let all: Vec<(&str, &str)> = [(STATUS, status.as_str())].into_iter().chain(lists).collect();
        let folder = File { mode, ..of_kind(Kind::Folder) };
        let image = with(image(&all), "usr", folder.clone());
        with(with(image, "usr/share/lib", folder.clone()), "", folder)
    };
    let wrong = ["/: mode `0700`, published `0755`", "/usr: mode `0700`, published `0755`"];
    let explained = ["/usr/share/lib", "/var/lib/dpkg/status"];
    case(&of("2", 0o700), &of("1", 0o755), &explained, &wrong);
}

#[test]
fn other_databases_are_read_too() {
    let distroless = |version: &str| {
        let one = format!("Package: tz\nVersion: {version}\nArchitecture: all\n");
        image(&[
            ("var/lib/dpkg/status.d/tz", &one),
            (
                "var/lib/dpkg/status.d/tz.md5sums",
                "d41d8cd98f00b204e9800998ecf8427e  usr/share/zone\n",
            ),
            ("usr/share/zone", version),
            ("app", version),
        ])
    };
    let wrong = |found: Places| found.wrong.iter().map(|w| w[..4].to_owned()).collect::<Vec<_>>();
    let found = places(&compare(&distroless("2"), &distroless("2"), &distroless("1")));
    assert_eq!(found.explained, ["/usr/share/zone", "/var/lib/dpkg/status.d/tz"]);
    assert_eq!(wrong(found), ["/app"]);
    for database in ["lib/apk/db/installed", "usr/lib/apk/db/installed"] {
        let alpine = |version: &str| {
            let text = format!(
                "C:Q1\nP:musl\nV:{version}\nF:lib\nR:ld.so\na:0:0:755\n\nP:app\nV:1\nF:bin\nR:app\n"
            );
            image(&[
                (database, &text),
                ("lib/ld.so", version),
                ("bin/app", version),
                ("app", version),
            ])
        };
        let found = places(&compare(&alpine("2"), &alpine("2"), &alpine("1")));
        assert_eq!(found.explained.len(), 2, "{found:?}");
        assert_eq!(wrong(found), ["/app", "/bin"]);
    }
    let rpm = |content| image(&[("usr/lib/sysimage/rpm/rpmdb.sqlite", content)]);
    let comparison = compare(&rpm("2"), &rpm("2"), &rpm("1"));
    assert!(comparison.is_wrong() && comparison.notes[0].contains("rpm's database differs"));
}

#[test]
fn what_is_made_of_packages_is_explained_with_them() {
    let status = |python: &str, certificates: &str| {
        status(&[("python3-x", python), ("ca-certificates", certificates)])
    };
    let list = ("var/lib/dpkg/info/python3-x.list", "/usr/lib/python3/x.py\n");
    let of = |status: &str, v| {
        image(&[
            (STATUS, status),
            list,
            ("usr/lib/python3/__pycache__/x.cpython-313.pyc", v),
            ("usr/lib/python3/__pycache__/own.cpython-313.pyc", v),
            ("etc/ssl/certs/ca-certificates.crt", v),
            ("var/lib/apt/lists/some_Packages", v),
        ])
    };
    let published = of(&status("1", "1"), "1");
    let now = of(&status("2", "1"), "2");
    let alternative =
        |image, to: &str| with(with(image, "usr/bin/vi", link(to)), "usr/bin/own", link("vi"));
    let now = alternative(now, "/etc/alternatives/vi");
    let found = places(&compare(&now, &now, &published));
    let code = "/usr/lib/python3/__pycache__/x.cpython-313.pyc";
    let index = "/var/lib/apt/lists/some_Packages";
    assert_eq!(found.explained, ["/usr/bin/vi", code, index, "/var/lib/dpkg/status"]);
    assert_eq!(found.wrong.len(), 3, "{found:?}");
    let now = of(&status("1", "2"), "2");
    let found = places(&compare(&now, &now, &published));
    assert_eq!(
        found.explained,
        ["/etc/ssl/certs/ca-certificates.crt", index, "/var/lib/dpkg/status"]
    );
    // A mirror moves without any package that is installed.
    let now = of(&status("1", "1"), "2");
    assert_eq!(places(&compare(&now, &now, &published)).explained, [index]);
}
