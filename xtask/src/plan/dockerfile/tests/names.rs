//! Stages, images and named contexts: what a name means, and what a target reaches.

use super::*;

#[test]
fn names_mean_stages_first() {
    ask("FROM a AS x\nFROM b\nCOPY --from=x /p /q").reads(&["1:a", "2:b"]);
    ask("FROM a AS x\nFROM b\nCOPY --from=X /p /q").reads(&["1:a", "2:b"]);
    ask("FROM a AS X\nFROM x").reads(&["1:a"]);
    ask("FROM a AS x\nFROM b\nCOPY --from=0 /p /q").reads(&["1:a", "2:b"]);
    ask("FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/m y").reads(&["1:a", "2:b"]);
    // A number is an image's name in a mount.
    ask("FROM a AS x\nFROM b\nRUN --mount=from=0,target=/m y").reads(&["2:b", "3:0"]);
    // A stage that is named like an image hides it, but not from itself.
    ask("FROM debian AS debian\nFROM debian\nRUN x").reads(&["1:debian"]);
    ask("FROM debian:x AS debian\nFROM debian:x\nRUN x").reads(&["2:debian:x"]);
    // The latest earlier stage of a name is continued, the last one is copied from.
    ask("FROM a AS x\nFROM b AS x\nFROM x").reads(&["2:b"]);
    ask("FROM a AS x\nFROM b AS y\nFROM c AS x\nFROM d\nCOPY --from=x /p /q")
        .reads(&["3:c", "4:d"]);
}

#[test]
fn only_what_the_target_reaches_counts() {
    let text = "FROM a AS x\nFROM b AS y\nCOPY --from=x . .\nFROM c AS z\nFROM d\nADD http://u /";
    ask(text).target("z").reads(&["4:c"]);
    ask(text).target("Y").reads(&["1:a", "2:b"]);
    ask(text).target("x").reads(&["1:a"]);
    ask(text).unclear(6, "ADD http://u");
    ask(text).target("w").refused(1, "no stage `w`");
    ask("FROM a AS builder\nFROM b").target("bulider").refused(1, "(did you mean `builder`?)");
    ask(text).target("0").refused(1, "no stage `0`");
    ask("FROM a").target("build").refused(1, "no stage `build`");
}

#[test]
fn scratch_is_nothing_from_outside() {
    ask("FROM scratch").reads(&[]);
    ask("FROM scratch AS x\nFROM x").reads(&[]);
    ask("FROM a\nCOPY --from=scratch / /x").reads(&["1:a"]);
    ask("FROM a\nRUN --mount=type=cache,from=scratch,target=/m x").reads(&["1:a"]);
    ask("ARG X=scratch\nFROM $X").reads(&[]);
}

#[test]
fn flags_of_copy_and_run() {
    for flags in [
        "--from=c",
        "--from=\"c\"",
        "--from='c'",
        "--fr\"om=c\"",
        "--link --from=c",
        "--link=true --chown=1:2 --from=c --chmod=755",
        "--from=c --exclude=x --exclude=y --parents",
        "--chown=$U --from=c",
        "--from=c --",
    ] {
        ask(&format!("FROM a\nCOPY {flags} x y")).reads(&["1:a", "2:c"]);
    }
    ask("FROM a\nCOPY --from=c [\"x\", \"y\"]").reads(&["1:a", "2:c"]);
    ask("FROM a\ncopy --from=c \\\n x y").reads(&["1:a", "2:c"]);
    ask("FROM a\nCOPY --from= x y").reads(&["1:a"]);
    ask("FROM a\nCOPY x --from=c y").reads(&["1:a"]);
    for mount in [
        "type=bind,from=c,target=/x",
        "from=c,source=/y,target=/x",
        "FROM=c,target=/x",
        "type=cache,target=/x,from=c",
        "\"type=bind\",from=c,ro",
        "'type=bind,\"from=c\",target=/x'",
        "type=bind,from=d,from=c,target=/x",
        "type=$T,from=c,target=/x",
    ] {
        ask(&format!("FROM a\nRUN --mount={mount} y")).reads(&["1:a", "2:c"]);
    }
    ask("FROM a\nRUN --mount=from=c,dst=/x --network=none --mount=from=d,dst=/y \\\n --mount=from=e,dst=/z w")
        .reads(&["1:a", "2:c", "2:d", "2:e"]);
    ask("FROM a\nRUN echo --mount=from=c").reads(&["1:a"]);
}

#[test]
fn named_contexts_stand_in_for_stages() {
    let text = "FROM a AS x\nRUN y\nFROM b\nCOPY --from=x /p /q";
    ask(text).context("x").reads(&["1:x", "3:b"]);
    ask(text).context("x:latest").reads(&["1:x", "3:b"]);
    ask(text).context("a").reads(&["1:a", "3:b"]);
    assert_eq!(ask(text).context("x").answer().unwrap().references[0].kind, ReferenceKind::Stage);
    // What the replaced stage copies is looked up by BuildKit all the same.
    ask("FROM a AS x\nCOPY --from=c /p /q\nFROM x").context("x").reads(&["1:x", "2:c"]);
}

#[test]
fn the_context_is_read_or_not() {
    for (instruction, context) in [
        ("COPY x y", true),
        ("COPY [\"x\", \"y\"]", true),
        ("COPY --link . .", true),
        ("COPY --from=c x y", false),
        ("COPY --from= x y", true),
        ("COPY <<E x\nE", false),
        ("COPY <<E z x\nE", true),
        ("COPY <<E y/$Z x\nE", true),
        ("ADD x y", true),
        ("ADD <<E x\nE", false),
        ("ADD ./http://x y", true),
        ("ADD github.com/a/b y", true),
        ("ADD a.tar.gz y", true),
        ("ADD files/$X y", true),
        ("ADD v1.$X y", true),
        ("ADD ftp://x y", true),
        ("RUN x", false),
        ("RUN --mount=target=/x y", true),
        ("RUN --mount=type=bind,target=/x y", true),
        ("RUN --mount=type=bind,source=z,target=/x y", true),
        ("RUN --mount=type=$T,target=/x y", true),
        ("RUN --mount=type=bind,from=c,target=/x y", false),
        ("RUN --mount=type=cache,target=/x y", false),
        ("RUN --mount=type=tmpfs,target=/x y", false),
        ("RUN --mount=type=secret,id=x y", false),
        ("RUN --mount=type=SSH y", false),
        ("RUN --mount=type=cache,target=/x --mount=target=/y z", true),
        ("ONBUILD ENV X=y", false),
        ("ENV X=y", false),
        ("WORKDIR /x", false),
    ] {
        let reads = ask(&format!("FROM a\n{instruction}\n")).answer().unwrap();
        assert_eq!(reads.unclear, [], "{instruction}");
        assert_eq!(reads.context, context, "{instruction}");
    }
    let unreached = ask("FROM a\nCOPY x y\nFROM b").answer().unwrap();
    assert!(!unreached.context);
    assert_eq!(unreached.stages, [1].into());
}

#[test]
fn keys_of_named_contexts() {
    let hex = "0123456789abcdef".repeat(4);
    for (name, key) in [
        ("debian", Some("debian")),
        ("debian:latest", Some("debian")),
        ("debian:trixie-slim", Some("debian:trixie-slim")),
        ("docker.io/library/debian", Some("debian")),
        ("index.docker.io/library/debian:1", Some("debian:1")),
        ("library/debian", Some("debian")),
        ("docker.io/debian", Some("debian")),
        ("docker.io/library/a/b", Some("library/a/b")),
        ("me/mine", Some("me/mine")),
        ("ghcr.io/me/mine:latest", Some("ghcr.io/me/mine")),
        ("localhost/x", Some("localhost/x")),
        ("127.0.0.1:5000/x:1", Some("127.0.0.1:5000/x:1")),
        ("[::1]:5000/x", Some("[::1]:5000/x")),
        ("UP/x", Some("UP/x")),
        ("a__b/c-d--e.f", Some("a__b/c-d--e.f")),
        ("x:1_.-Z", Some("x:1_.-Z")),
        ("0", Some("0")),
        ("", None),
        ("X", None),
        ("x/Y", None),
        ("a___b", None),
        ("a..b", None),
        ("-a", None),
        ("a/", None),
        ("/a", None),
        ("a:", None),
        ("a:.x", None),
        ("a b", None),
        ("x@sha256:12", None),
        ("http://x/y", None),
        (&hex, None),
        (&"x".repeat(256), None),
        (&format!("x:{}", "t".repeat(129)), None),
    ] {
        assert_eq!(context_key(name).as_deref(), key, "{name}");
    }
    let pinned = format!("debian:1@sha256:{hex}");
    assert_eq!(context_key(&format!("docker.io/library/{pinned}")), Some(pinned));
}
