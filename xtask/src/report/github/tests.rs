use super::*;

#[test]
fn what_would_end_a_command_is_escaped() {
    let at = At { file: "services/a,b:c/Dockerfile", lines: (3, 5) };
    assert_eq!(
        annotation(Kind::Error, Some(at), "git-server: 100%", "one\r\ntwo: a, b 5%"),
        "::error file=services/a%2Cb%3Ac/Dockerfile,line=3,endLine=5,title=git-server%3A 100%25::\
         one%0D%0Atwo: a, b 5%25"
    );
    assert_eq!(annotation(Kind::Notice, None, "t", "m"), "::notice title=t::m");
    assert_eq!(annotation(Kind::Warning, None, "t", "%0A"), "::warning title=t::%250A");
    assert_eq!(group("a\n::error::b"), "::group::a%0A::error::b");
}

#[test]
fn each_line_of_a_secret_is_masked() {
    assert_eq!(mask("one\n\n  \ntwo%\n"), ["::add-mask::one", "::add-mask::two%25"]);
    assert_eq!(mask(""), Vec::<String>::new());
}

#[test]
fn what_a_build_prints_is_no_command() {
    for line in ["::error::x", "  ::add-mask::x", "\t::stop-commands::x", "x ##[error]y"] {
        let said = plain(line);
        assert!(!said.trim_start().starts_with("::") && !said.contains("##["), "{said}");
    }
    assert_eq!(plain("std::fs::read"), "std::fs::read");
}

/// As the runner reads them: `name<<MARK`, lines, `MARK`.
#[test]
fn an_output_is_read_back() {
    for value in ["", "x", "a\nb", "END", "END\nEND_\n", "x<<END\nEND\ny=1", "a\n"] {
        let text = output("digests", value);
        let (first, rest) = text.split_once('\n').unwrap();
        let mark = first.strip_prefix("digests<<").unwrap();
        let lines: Vec<&str> = rest.split('\n').collect();
        let end = lines.iter().position(|line| *line == mark).unwrap();
        assert_eq!(lines[..end].join("\n"), value);
        assert_eq!(lines[end + 1..], [""]);
    }
}

#[test]
fn a_summary_keeps_githubs_limit() {
    assert_eq!(summary("short", 100), "short\n");
    assert_eq!(summary("12\n", 3), "12\n");
    assert_eq!(summary("123\n", 3), "");
    let line = format!("{}ö\n", "x".repeat(97));
    let long = line.repeat(11_000);
    let cut = summary(&long, SUMMARY_BYTES);
    assert!(cut.len() <= SUMMARY_BYTES && cut.len() > SUMMARY_BYTES - 200);
    assert!(cut.ends_with(CUT));
    assert_eq!(summary(&long, 10), "");
}

#[test]
fn files_are_appended_to_and_kept_below_the_limit_together() {
    let folder = std::env::temp_dir().join(format!("xtask-github-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = Utf8PathBuf::from_path_buf(folder).unwrap();
    let var = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let vars = [
        var("GITHUB_ACTIONS", "true"),
        var("GITHUB_OUTPUT", "out"),
        var("GITHUB_STEP_SUMMARY", folder.join("summary").as_str()),
    ];
    let now = std::time::SystemTime::UNIX_EPOCH;
    let mut env = Environment { vars: vars.into(), dir: folder.clone(), now };
    let files = Files::of(&env);
    files.output("a", "1").unwrap();
    files.output("b", "2").unwrap();
    assert_eq!(std::fs::read(folder.join("out")).unwrap(), b"a<<END\n1\nEND\nb<<END\n2\nEND\n");
    for _ in 0..3 {
        files.summary(&"0123456789\n".repeat(50_000)).unwrap();
    }
    let size = std::fs::metadata(folder.join("summary")).unwrap().len() as usize;
    assert!(size > SUMMARY_BYTES - 200 && size <= SUMMARY_BYTES, "{size}");
    env.vars.remove("GITHUB_ACTIONS");
    assert_eq!(Files::of(&env), Files::default());
    Files::default().summary("nowhere").unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
