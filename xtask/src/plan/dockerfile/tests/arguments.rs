//! Arguments before the first `FROM`, and how names are expanded with them.

use super::*;

/// `FROM` with that name, after `ARG X=x E= N` and the build argument `B=b`.
fn with_args(name: &str) -> Ask {
    ask(&format!("ARG X=x E=\nARG N B\nFROM {name}\n")).arg("B", "b")
}

#[test]
fn variables_expand_as_in_a_shell() {
    for (name, expanded) in [
        ("i$X", "ix"),
        ("i:${X}y", "i:xy"),
        ("i$Xy", "i"),
        ("i$X-y", "ix-y"),
        ("i$B", "ib"),
        ("i$E", "i"),
        ("i$N", "i"),
        ("${X:-y}", "x"),
        ("${E:-y}", "y"),
        ("${N:-y}", "y"),
        ("${N-y}", "y"),
        ("i${E-y}", "i"),
        ("i${X:+y}", "iy"),
        ("i${E:+y}", "i"),
        ("i${E+y}", "iy"),
        ("i${N+y}", "i"),
        ("${N:-${E:-${X}z}}", "xz"),
        ("${N:-a/b:c}", "a/b:c"),
        ("\"i$X\"", "ix"),
        ("${N:-'y'}", "y"),
        ("i${X:?wrong}", "ix"),
        ("i${E?wrong}", "i"),
        ("'i'", "i"),
        ("i\\x", "ix"),
    ] {
        with_args(name).reads(&[&format!("3:{expanded}")]);
    }
}

#[test]
fn what_cannot_be_expanded_is_refused_or_said() {
    with_args("$E").refused(3, "`FROM $E` names nothing");
    with_args("${N}").refused(3, "`FROM ${N}` names nothing");
    with_args("${N:?needed}").refused(3, "`N`: needed");
    with_args("${E:?}").refused(3, "`E`: it must be set");
    with_args("i${X").refused(3, "a missing `}`");
    with_args("i${X:-").refused(3, "a missing `}`");
    with_args("i${").refused(3, "a missing `}`");
    with_args("i${}").refused(3, "a substitution without a name");
    with_args("i${X^^}").refused(3, "the modifier `^`");
    with_args("i${X:0:3}").refused(3, "the modifier `:0`");
    with_args("i'").refused(3, "a missing single quote");
    with_args("\"i").refused(3, "a missing double quote");
    with_args("$").refused(3, "`$` is no name of an image");
    with_args("I").refused(3, "`I` is no name of an image");
    with_args("i:$E").refused(3, "`i:` is no name of an image");
    with_args("i${X#x}").unclear(3, "`${X#…}`");
    with_args("i${X%%x}").unclear(3, "`${X%…}`");
    with_args("i${X/x/y}").unclear(3, "`${X/…}`");
    with_args("i${X//x/y}").unclear(3, "`${X/…}`");
    let deep = format!("{}y{}", "${N:-".repeat(99), "}".repeat(99));
    with_args(&deep).unclear(3, "nested");
}

#[test]
fn global_arguments_build_on_each_other_and_build_arguments_win() {
    ask("ARG A=a\nARG B=$A-b C=\"$B c\"\nFROM ${B}:${A}").reads(&["3:a-b:a"]);
    ask("ARG A=a\nARG B=$A-b\nFROM $B").arg("A", "z").reads(&["3:z-b"]);
    ask("ARG A=a\nARG B=$A-b\nFROM $B").arg("B", "z").reads(&["3:z"]);
    ask("ARG A=a\nARG A\nFROM $A").reads(&["3:a"]);
    ask("ARG A=a\nARG A=b\nFROM $A").reads(&["3:b"]);
    ask("ARG A=${A:-a}\nFROM $A").reads(&["2:a"]);
    ask("ARG A='a'\nFROM $A").reads(&["2:a"]);
    ask("# escape=`\nARG A=`a\nFROM $A").reads(&["3:a"]);
    ask("ARG A=a\\\n-b\nFROM $A").reads(&["3:a-b"]);
    // Undeclared build arguments, and those that a stage declares, do not reach `FROM`.
    ask("FROM a$Z").arg("Z", "z").reads(&["1:a"]);
    ask("FROM a\nARG Z=z\nFROM b$Z").reads(&["3:b"]);
    ask("ARG A=a\nFROM $A\nFROM $A AS b\nFROM b$A").reads(&["4:ba"]);
}

#[test]
fn predefined_arguments_follow_the_platform() {
    let image = "FROM i-$TARGETOS-$TARGETARCH$TARGETVARIANT";
    for (platform, name) in [
        ("linux/amd64", "i-linux-amd64"),
        ("linux/amd64/v2", "i-linux-amd64v2"),
        ("linux/x86_64", "i-linux-amd64"),
        ("linux/arm64", "i-linux-arm64"),
        ("linux/arm64/v8", "i-linux-arm64"),
        ("linux/arm", "i-linux-armv7"),
        ("linux/arm/v6", "i-linux-armv6"),
        ("linux/riscv64", "i-linux-riscv64"),
    ] {
        ask(image).platforms(&[platform]).reads(&[&format!("1:{name}")]);
    }
    ask(image)
        .platforms(&["linux/amd64", "linux/arm64"])
        .reads(&["1:i-linux-amd64", "1:i-linux-arm64"]);
    ask(image).platforms(&[]).unclear(1, "value of `TARGET");
    ask("FROM $TARGETPLATFORM").platforms(&["linux/arm/7"]).reads(&["1:linux/arm/v7"]);
    ask("FROM i-$TARGETSTAGE AS x").reads(&["1:i-x"]);
    ask("FROM i-$TARGETSTAGE").reads(&["1:i-default"]);
    ask("FROM i-$TARGETSTAGE AS x\nFROM i").target("x").reads(&["1:i-x"]);
    ask("FROM i-$BUILDARCH").unclear(1, "value of `BUILDARCH`");
    ask("FROM i-$BUILDARCH").arg("BUILDARCH", "z").reads(&["1:i-z"]);
    ask("FROM i-$TARGETARCH").arg("TARGETARCH", "z").reads(&["1:i-z"]);
    ask("ARG BUILDARCH=z\nFROM i-$BUILDARCH").reads(&["2:i-z"]);
    ask("ARG TARGETARCH\nFROM i-$TARGETARCH").reads(&["2:i-amd64"]);
    ask("FROM --platform=$BUILDPLATFORM i").reads(&["1:i"]);
    assert_eq!(
        parse("FROM --platform=$BUILDPLATFORM i").stages[0].platform.as_deref(),
        Some("$BUILDPLATFORM")
    );
}

#[test]
fn declared_arguments_are_listed() {
    let file = parse("ARG A B=1\nFROM a\nARG C=\"x y\" D\nONBUILD ARG F\nFROM b\nARG A\nENV E=1");
    assert_eq!(declared_args(&file).into_iter().collect::<Vec<_>>(), ["A", "B", "C", "D"]);
    assert_eq!(
        file.stages[0].instructions[0].args,
        [("C".into(), Some("\"x y\"".into())), ("D".into(), None)]
    );
}
