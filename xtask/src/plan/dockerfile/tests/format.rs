//! Lines, comments, continuations, directives, heredocs.

use super::*;

#[test]
fn comments_blank_lines_and_continuations() {
    ask("FROM a").reads(&["1:a"]);
    ask("\u{feff}FROM a").reads(&["1:a"]);
    ask("# c\n\n  FROM a\r\n").reads(&["3:a"]);
    ask("from a").reads(&["1:a"]);
    ask("FrOm\ta").reads(&["1:a"]);
    ask("FROM \\\n a").reads(&["1:a"]);
    ask("FROM \\  \t\n a").reads(&["1:a"]);
    ask("FROM \\\n# c\n\n   # d\n a \\\n\nAS b\nCOPY --from=c x y").reads(&["1:a", "8:c"]);
    ask("FRO\\\nM a").reads(&["1:a"]);
    ask("FROM a\nRUN x \\\\\nCOPY --from=b x y").reads(&["1:a", "3:b"]);
    ask("FROM a\nRUN x \\\nCOPY --from=b x y").reads(&["1:a"]);
    ask("FROM a\nRUN x # \\\nCOPY --from=b x y").reads(&["1:a"]);
    ask("FROM a\n# x \\\nCOPY --from=b x y").reads(&["1:a", "3:b"]);
    ask("FROM a\nRUN x \\").reads(&["1:a"]);
    ask("FROM a\nRUN x \\\n\n\n").reads(&["1:a"]);
    ask("\\\nFROM a").reads(&["1:a"]);
}

#[test]
fn the_escape_directive_changes_continuations() {
    ask("# escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["2:a"]);
    ask("# escape=`\nFROM a\nRUN x \\\nCOPY --from=b x y").reads(&["2:a", "4:b"]);
    ask("#ESCAPE = ` \nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["2:a"]);
    ask("  # escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["2:a"]);
    ask("\n# escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["3:a", "5:b"]);
    ask("# c\n# escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["3:a", "5:b"]);
    ask("# check=skip=all\n# escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["3:a"]);
    ask("# unknown=1\n# escape=`\nFROM a\nRUN x `\nCOPY --from=b x y").reads(&["3:a", "5:b"]);
    ask("# escape=x\nFROM a").unclear(1, "escape character `x`");
    ask("# escape=`\n# escape=`\nFROM a").unclear(2, "two `# escape=`");
}

#[test]
fn a_frontend_is_a_reference() {
    ask("# syntax=docker/dockerfile:1\nFROM a").reads(&["1:docker/dockerfile:1", "2:a"]);
    ask("#!/x\n#syntax = docker.io/docker/dockerfile:1.7-labs more\nFROM a")
        .reads(&["2:docker.io/docker/dockerfile:1.7-labs", "3:a"]);
    ask("# c\n# syntax=docker/dockerfile:1\nFROM a").reads(&["3:a"]);
    ask("# syntax=me/mine\nFROM a").unclear(1, "frontend `me/mine`");
    ask("// syntax=me/mine\nFROM a").unclear(1, "frontend `me/mine`");
    ask("FROM a").arg("BUILDKIT_SYNTAX", "me/mine").unclear(1, "frontend `me/mine`");
}

#[test]
fn heredocs_are_no_instructions() {
    let body = "FROM b\nCOPY --from=c x y\nEOF\n";
    let after = "COPY --from=d x y";
    for open in
        ["<<EOF", "<<'EOF'", "<<\"EOF\"", "<<-EOF", "<< EOF", "3<<EOF", "cat <<E'O'F", "\\\n <<EOF"]
    {
        let lines = open.lines().count();
        let expected = format!("{}:d", 5 + lines);
        ask(&format!("FROM a\nRUN {open}\n{body}{after}")).reads(&["1:a", &expected]);
    }
    ask(&format!("FROM a\nRUN <<-EOF\n\tx\n\t\tEOF\n{after}")).reads(&["1:a", "5:d"]);
    ask(&format!("FROM a\nRUN <<A cat && <<B\nx\nA\nFROM b\nB\n{after}")).reads(&["1:a", "7:d"]);
    ask(&format!("FROM a\nCOPY <<A <<B /x/\nx\nA\nFROM b\nB\n{after}")).reads(&["1:a", "7:d"]);
    ask(&format!("FROM a\nADD <<EOF /x\n{body}{after}")).reads(&["1:a", "6:d"]);
    ask(&format!("FROM a\nRUN <<EOF\r\nx\r\nEOF\r\n{after}")).reads(&["1:a", "5:d"]);
    ask(&format!("FROM a\nRUN echo '<<EOF'\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nRUN echo \"<<EOF\"\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nRUN cat <<<EOF\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nRUN echo x<<EOF\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nRUN echo $((1<<3))\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nRUN [\"x\", \"<<EOF\"]\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nENV X <<EOF\n{after}")).reads(&["1:a", "3:d"]);
    ask(&format!("FROM a\nCMD <<EOF\n{after}")).reads(&["1:a", "3:d"]);
    // A quote that does not end keeps BuildKit from seeing the heredoc.
    ask("FROM a\nRUN echo it's <<EOF\nx\nEOF\n").unclear(3, "instruction `X`");
    ask("FROM a\nRUN <<EOF\nx\n").unclear(2, "heredoc `EOF` ends");
    ask("FROM a\nRUN <<A <<B\nx\nA\n").unclear(2, "heredoc `B` ends");
    ask("FROM a\nRUN <<EOF>f\nx\nEOF\n").unclear(2, "heredoc `EOF>f` ends");
    ask("FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nCOPY --from=c x y").unclear(2, "ONBUILD RUN");
}

#[test]
fn instructions_have_lines_and_text() {
    let file = parse("FROM a AS X\n\n# c\nRUN one \\\n  two <<E\nbody\nE\n\nCOPY --link a  b\n");
    let stage = &file.stages[0];
    assert_eq!((stage.name.as_deref(), stage.line), (Some("x"), 1));
    let [run, copy] = &stage.instructions[..] else { panic!("{file:?}") };
    assert_eq!((run.keyword.as_str(), run.lines), ("RUN", (4, 7)));
    assert_eq!(run.text, "one   two <<E");
    assert_eq!((copy.text.as_str(), copy.lines), ("--link a  b", (9, 9)));
}
