//! What BuildKit refuses, and what the reader does not tell.

use super::*;

#[test]
fn files_without_stages() {
    ask("").refused(1, "without a `FROM`");
    ask("# only\n# comments\n").refused(2, "without a `FROM`");
    ask("ARG X=1").refused(1, "without a `FROM`");
    // A frontend of its own may need none.
    ask("# syntax=x\n").unclear(1, "without a `FROM`");
    ask("RUN x\nFROM a").unclear(1, "`RUN` before the first `FROM`");
    ask("\\\n\\\n").unclear(1, "instruction ``");
    ask("{ \"syntax\": \"x\" }").unclear(1, "instruction `{`");
}

#[test]
fn instructions_that_are_not_known() {
    ask("FROM a\nFOO x").unclear(2, "instruction `FOO`");
    ask("FROM a\nRUN x\n  y").unclear(3, "instruction `Y`");
    ask("FROM").unclear(1, "`FROM ` starts from");
    ask("FROM a AS").unclear(1, "`FROM a AS` starts from");
    ask("FROM a b").unclear(1, "`FROM a b` starts from");
    ask("FROM a OF b").unclear(1, "`FROM a OF b` starts from");
    ask("FROM a # base").unclear(1, "starts from");
    ask("FROM a AS 1x").unclear(1, "stage name `1x`");
    ask("FROM a AS x/y").unclear(1, "stage name `x/y`");
    ask("FROM a AS scratch").unclear(1, "reserved name `scratch`");
    ask("FROM a AS context").unclear(1, "reserved name `context`");
    ask("FROM a\nARG").unclear(2, "`ARG` without a name");
    ask("FROM a\nARG =x").unclear(2, "`ARG` without a name");
    ask("FROM a\nCOPY x").unclear(2, "`COPY` without a destination");
    ask("FROM a\nCOPY").unclear(2, "`COPY` without a destination");
    ask("FROM a\nCOPY x <<E\nE").unclear(2, "`COPY` without a destination");
    ask("FROM a\nRUN [1]").unclear(2, "JSON list");
    ask("FROM a\nCOPY [\"x\", 1]").unclear(2, "JSON list");
    ask(&format!("FROM a\nRUN {}\n", "x".repeat(70_000))).unclear(2, "65,535 bytes");
}

#[test]
fn flags_that_are_not_known() {
    ask("FROM --platfrom=x a").unclear(1, "flag `--platfrom`");
    ask("FROM a\nCOPY --form=b x y").unclear(2, "flag `--form`");
    ask("FROM a\nADD --from=b x y").unclear(2, "flag `--from`");
    ask("FROM a\nCOPY --from=b --from=c x y").unclear(2, "`--from` means when it is given twice");
    ask("FROM a\nCOPY --from x y").unclear(2, "value of the flag `--from`");
    ask("FROM a\nCOPY --link=maybe x y").unclear(2, "value of the flag `--link`");
    ask("FROM a\nRUN --mount x").unclear(2, "value of the flag `--mount`");
    ask("FROM a\nENV --x y").unclear(2, "flag `--x`");
    ask("FROM a\nCOPY --from=é x y").unclear(2, "flag `--from=é`");
    ask("FROM a\nRUN --mount=type=bnd,target=/x y").unclear(2, "`--mount=type=bnd`");
    ask("FROM a\nRUN --mount=type=bind,\\\"from=b x").unclear(2, "mounts");
    ask("FROM a\nHEALTHCHECK --interval=5s CMD x").reads(&["1:a"]);
    ask("FROM a\nHEALTHCHECK --x=5s CMD x").unclear(2, "flag `--x`");
}

#[test]
fn names_that_cannot_be_told() {
    ask("FROM a\nCOPY --from=$X x y").unclear(2, "`from=$X`");
    ask("FROM a\nCOPY --from=x\\\\y x y").unclear(2, "`from=x\\y`");
    ask("FROM a\nRUN --mount=from=$X,target=/x y").unclear(2, "`from=$X`");
    ask("FROM a\nCOPY --from=1 x y").unclear(2, "stage `--from=1`");
    ask("FROM a\nCOPY --from=-1 x y").unclear(2, "stage `--from=-1`");
    ask("FROM a\nCOPY --from=0 x y").refused(2, "circle");
    ask("FROM a AS p\nCOPY --from=q x y\nFROM b AS q\nCOPY --from=p x y\nFROM c")
        .refused(2, "`from=q` closes a circle");
    ask("FROM a AS p\nFROM p AS q\nCOPY --from=r x y\nFROM b AS r\nFROM c").reads(&["5:c"]);
    ask("FROM X\nFROM b").refused(1, "`X` is no name");
    ask("FROM a\nCOPY --from=X x y\nFROM b").refused(2, "`X` is no name");
    ask("FROM a\nCOPY --from=x x y\nFROM b AS x").target("x").reads(&["3:b"]);
    ask("FROM a AS y\nCOPY --from=x x y\nFROM b AS x").target("y").refused(2, "come before");
    ask("FROM a AS y\nRUN --mount=from=y,target=/x z").refused(2, "circle");
    ask("FROM a\nCOPY --from=X/Y x y").refused(2, "no name of an image");
}

#[test]
fn what_add_fetches() {
    let sum = format!("--checksum=sha256:{}", "0".repeat(64));
    let commit = format!("--checksum={}", "a".repeat(40));
    for (add, part) in [
        ("ADD https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD http://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD --link https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD \"https://x/y\" z".to_owned(), "without `--checksum=`"),
        ("ADD [\"https://x/y\", \"z\"]".to_owned(), "without `--checksum=`"),
        ("ADD a https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD --checksum= https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD --checksum=$S https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD --checksum=sha256:12 https://x/y z".to_owned(), "without `--checksum=`"),
        ("ADD https://x/y.git z".to_owned(), "whole commit id"),
        ("ADD https://x/y.git#v1 z".to_owned(), "whole commit id"),
        ("ADD https://x/y.git?tag=v1#:d z".to_owned(), "whole commit id"),
        ("ADD git@x:y.git z".to_owned(), "whole commit id"),
        ("ADD git@x.y:z#main:d z".to_owned(), "whole commit id"),
        ("ADD ssh://git@x/y z".to_owned(), "whole commit id"),
        ("ADD git://x/y z".to_owned(), "whole commit id"),
        ("ADD --checksum=abc123 https://x/y.git z".to_owned(), "whole commit id"),
        (format!("ADD --keep-git-dir {commit} https://x/y.git z"), "`.git` folder"),
        (format!("ADD --keep-git-dir=true {commit} https://x/y.git z"), "`.git` folder"),
        ("ADD $URL z".to_owned(), "whether `ADD $URL` is a URL"),
        ("ADD ${X:-https://x/y} z".to_owned(), "is a URL"),
        ("ADD http$S://x z".to_owned(), "is a URL"),
        ("ADD https://x/$Y z".to_owned(), "is a URL"),
        (format!("ADD {sum} https://x/$Y z"), "is a URL"),
    ] {
        ask(&format!("FROM a\n{add}")).unclear(2, part);
    }
    ask(&format!("FROM a\nADD {sum} https://x/y z")).reads(&["1:a"]);
    ask(&format!("FROM a\nADD {commit} https://x/y.git z")).reads(&["1:a"]);
    ask(&format!("FROM a\nADD --keep-git-dir=false {commit} git@x:y z")).reads(&["1:a"]);
}

#[test]
fn triggers_for_other_images_are_told() {
    ask("FROM a\nONBUILD COPY x y").unclear(2, "ONBUILD COPY");
    ask("FROM a\nONBUILD COPY --from=b x y").unclear(2, "ONBUILD COPY");
    ask("FROM a\nONBUILD RUN x").unclear(2, "ONBUILD RUN");
    ask("FROM a\nonbuild add x y").unclear(2, "ONBUILD ADD");
    ask("FROM a\nONBUILD ONBUILD RUN x").unclear(2, "`ONBUILD ONBUILD`");
    ask("FROM a\nONBUILD FROM x").unclear(2, "`ONBUILD FROM`");
    ask("FROM a\nONBUILD").unclear(2, "`ONBUILD `");
    ask("FROM a\nONBUILD FOO").unclear(2, "instruction `FOO`");
    ask("FROM a\nONBUILD WORKDIR /x").reads(&["1:a"]);
}
