//! Tables: rules, a path, and whether it is sent.

use super::*;

/// Whether a file is sent, asked folder by folder as a walk does.
fn sends(ignore: &Ignore, path: &str) -> bool {
    let mut parent = Parent::default();
    for (at, _) in path.match_indices('/') {
        let (folder, next) = ignore.folder(&path[..at], &parent);
        if folder == Folder::Skipped {
            return false;
        }
        parent = next;
    }
    ignore.sends_file(path, &parent)
}

#[track_caller]
fn sent(rules: &str, paths: &[&str]) {
    let ignore = Ignore::parse(rules).unwrap();
    for path in paths {
        assert!(sends(&ignore, path), "{rules:?} leaves out {path}");
    }
}

#[track_caller]
fn left_out(rules: &str, paths: &[&str]) {
    let ignore = Ignore::parse(rules).unwrap();
    for path in paths {
        assert!(!sends(&ignore, path), "{rules:?} sends {path}");
    }
}

#[track_caller]
fn unreadable(rules: &str, line: usize, part: &str) {
    let error = Ignore::parse(rules).unwrap_err();
    assert_eq!(error.line, line, "{rules:?}: {error:?}");
    assert!(error.what.contains(part), "{rules:?}: {error:?}");
}

#[test]
fn lines_and_comments() {
    sent("", &["a", "a/b"]);
    sent("\n\n  \t\n", &["a"]);
    sent("# a\n#a\n", &["a", "# a"]);
    left_out("\u{feff}a", &["a"]);
    sent("\u{feff}# a", &["a"]);
    left_out("  a  ", &["a"]);
    left_out(" #a", &["#a"]);
    left_out("a # b", &["a # b"]);
    sent("a # b", &["a"]);
    left_out("a\r\nb\r\n", &["a", "b"]);
    left_out("\u{a0}a\u{2003}", &["a"]);
    left_out("x\n\\#a", &["#a"]);
    left_out("a b", &["a b"]);
}

#[test]
fn paths_are_cleaned() {
    for rules in ["a/b", "/a/b", "./a/b", "a//b", "a/b/", "a/./b", "a/x/../b", "//a/b", "x/../a/b"]
    {
        left_out(rules, &["a/b", "a/b/c"]);
        sent(rules, &["a", "a/c", "b", "x/a/b"]);
    }
    for rules in ["../a", "/", ".", "./", "a/..", "a/../.."] {
        sent(rules, &["a", "a/b"]);
    }
    left_out("/../a", &["a"]);
    sent("!a\na/..", &["a"]);
}

#[test]
fn plain_names_match_from_the_root_and_below() {
    left_out("a", &["a", "a/b", "a/b/c"]);
    sent("a", &["b/a", "ab", "A", "b"]);
    left_out("a/b", &["a/b", "a/b/c"]);
    sent("a/b", &["a/bb", "a/c"]);
    left_out("a.b", &["a.b"]);
    sent("a.b", &["axb"]);
    left_out("a+(b)|{c}$", &["a+(b)|{c}$"]);
    left_out("a^b", &["a^b"]);
    left_out("é", &["é"]);
}

#[test]
fn single_wildcards_stay_in_their_folder() {
    left_out("*", &["a", "a/b", ".a"]);
    left_out("*.x", &["a.x", ".x", "a.x/b"]);
    sent("*.x", &["b/a.x", "a.xy"]);
    left_out("*/b", &["a/b", "a/b/c"]);
    sent("*/b", &["b", "a/c/b"]);
    left_out("a?", &["ab", "aé", "ab/c"]);
    sent("a?", &["a", "abc", "a/b"]);
    left_out("a/?/c", &["a/b/c"]);
    left_out("a*c", &["ac", "abbc"]);
    sent("a*c", &["ab/c"]);
    left_out("*a*b*", &["ab", "xaxbx"]);
    left_out("*.+", &["a.+"]);
}

#[test]
fn double_stars_cross_folders() {
    left_out("**", &["a", "a/b"]);
    left_out("**/b", &["b", "a/b", "a/a/b", "a/b/c"]);
    sent("**/b", &["ab", "a/ab"]);
    left_out("**b", &["b", "ab", "a/xb"]);
    sent("**b", &["ba"]);
    left_out("a/**", &["a/b", "a/b/c"]);
    sent("a/**", &["ab"]);
    left_out("a**", &["a", "ab", "ab/c", "a/b"]);
    left_out("a/**/b", &["a/b", "a/x/b", "a/x/y/b"]);
    sent("a/**/b", &["a/xb", "b"]);
    left_out("a**b", &["ab", "a/b", "ax/b"]);
    sent("a**b", &["axb"]);
    left_out("**/*.x", &["a.x", "b/a.x"]);
    left_out("**/a/**", &["a/b", "x/a/b"]);
    sent("**/a/**", &["a", "x/a"]);
    left_out("***", &["a", "a/b"]);
    left_out("**/**", &["a", "a/b"]);
    left_out("**/a/*/b", &["a/x/b", "y/a/x/b"]);
    left_out("*/**", &["a/b"]);
    sent("*/**", &["a"]);
    left_out("**/", &["a"]);
    left_out("**/.*", &[".a", "b/.a"]);
}

#[test]
fn classes() {
    left_out("[ab]", &["a", "b", "a/x"]);
    sent("[ab]", &["c", "ab"]);
    left_out("[a-c]x", &["bx"]);
    left_out("[^a]x", &["bx"]);
    sent("[^a]x", &["ax"]);
    // A negated class takes a slash, too.
    left_out("a[^b]c", &["axc", "a/c"]);
    left_out("[!a]", &["!", "a"]);
    left_out("[a\\]]", &["]", "a"]);
    left_out("[\\*]", &["*"]);
    left_out("[.+]", &[".", "+"]);
    left_out("a]", &["a]"]);
    left_out("[é-ü]", &["ö"]);
    // What BuildKit puts in place of wildcards, inside a class.
    left_out("[a*]", &["a]", "^]", "aa^a]", "]"]);
    sent("[a*]", &["a", "*", "b]"]);
    left_out("[a?]", &["a]", "^]"]);
    sent("[a?]", &["a", "?"]);
    left_out("[**]", &["(", ".", "*", ")", "?"]);
}

#[test]
fn escapes() {
    left_out("\\*\\?", &["*?"]);
    left_out("a\\*", &["a*"]);
    sent("a\\*", &["ab"]);
    left_out("\\!a", &["!a"]);
    left_out("\\[a]", &["[a]"]);
    left_out("a\\\\b", &["a\\b"]);
    left_out("\\ a", &[" a"]);
    // A caret keeps its meaning once there is a wildcard.
    left_out("^*", &["a", "^a"]);
    sent("a^*", &["a^", "a^b"]);
}

#[test]
fn exceptions_and_order() {
    sent("*\n!a", &["a", "a/b"]);
    left_out("*\n!a", &["b"]);
    left_out("!a\n*", &["a"]);
    left_out("*\n!a\na", &["a"]);
    sent("a\n!a/b", &["a/b", "a/b/c"]);
    left_out("a\n!a/b", &["a/c", "a/bb"]);
    sent("a\n!a/*.x", &["a/b.x"]);
    sent("**/*.x\n!a/b.x", &["a/b.x"]);
    left_out("**/*.x\n!a/b.x", &["b.x"]);
    sent("*\n!**/b", &["b", "a/b", "a/c/b"]);
    left_out("*\n!**/b", &["a", "a/c"]);
    left_out("a\n!a/b\na/b/c", &["a/b/c"]);
    sent("a\n!a/b\na/b/c", &["a/b/d"]);
    sent("a\n!a", &["a", "a/b"]);
    left_out("a/b\n!a\na/b", &["a/b"]);
    sent("*\n! a", &["a"]);
    sent("*\n!/a", &["a"]);
    sent("*\n!./a/", &["a"]);
    sent("!a", &["a", "b"]);
    left_out("!!a\n*", &["!a"]);
    sent("*\n!!a", &["!a"]);
    // The second cleaning finds an exclamation mark that the first one brought to the front.
    sent("*\n/!a", &["a"]);
    sent("*\n./!a", &["a"]);
    left_out("*\n!a\n!b", &["c"]);
    sent("a\n!a/**", &["a/b/c"]);
    // BuildKit does not look into `a/x` here, although the exception would bring `a/x/y` back.
    left_out("a/*\n!a/*/**", &["a/x/y"]);
    sent("a/*\n!a/?/**", &["a/x/y"]);
}

#[test]
fn folders_are_sent_hidden_or_skipped() {
    #[track_caller]
    fn case(rules: &str, path: &str, expected: Folder) {
        let ignore = Ignore::parse(rules).unwrap();
        assert_eq!(ignore.folder(path, &Parent::default()).0, expected, "{rules:?} {path}");
    }
    case("", "a", Folder::Sent);
    case("b", "a", Folder::Sent);
    case("a", "a", Folder::Skipped);
    case("a\n!b", "a", Folder::Skipped);
    case("a\n!ab", "a", Folder::Skipped);
    case("a\n!a/b", "a", Folder::Hidden);
    case("a\n!a/b/*", "a", Folder::Hidden);
    case("a\n!a/*", "a", Folder::Hidden);
    case("a\n!a/**", "a", Folder::Hidden);
    case("a\n!**/b", "a", Folder::Hidden);
    case("a\n!b?", "a", Folder::Hidden);
    case("a\n!x^", "a", Folder::Hidden);
    case("a/*", "a", Folder::Sent);
    case("a\n!a", "a", Folder::Sent);
    case("a/b\n!a/b/c", "a", Folder::Sent);
}

#[test]
fn what_cannot_be_read_is_told() {
    unreadable("!", 1, "`!` without a pattern");
    unreadable("a\n ! \n", 2, "`!` without a pattern");
    unreadable("!/", 1, "`!` without a pattern");
    unreadable("a\n[", 2, "which BuildKit refuses");
    unreadable("[]", 1, "which BuildKit refuses");
    unreadable("[a", 1, "which BuildKit refuses");
    unreadable("a[]b]", 1, "which BuildKit refuses");
    unreadable("[-a]", 1, "which BuildKit refuses");
    unreadable("[a-]", 1, "which BuildKit refuses");
    unreadable("x*[a", 1, "which BuildKit refuses");
    unreadable("a\\", 1, "which BuildKit refuses");
    unreadable("[z-a]", 1, "range `z-a`");
    unreadable("[a-*]", 1, "range `a-[`");
    unreadable("foo\\bar", 1, "`\\b`");
    unreadable("[\\d]", 1, "`\\d`");
    unreadable("[[:alpha:]]", 1, "[:alpha:]");
    unreadable("a\0", 1, "invisible");
    unreadable(&"a".repeat(70_000), 1, "65,535 bytes");
}

#[test]
fn rules_that_no_file_name_is_special_for() {
    left_out("Dockerfile\n.dockerignore", &["Dockerfile", ".dockerignore"]);
    assert_eq!(file_names("x/Dockerfile"), ["x/Dockerfile.dockerignore", ".dockerignore"]);
}

#[test]
fn arbitrary_rules_are_read_without_panic() {
    const PIECES: [&str; 28] = [
        "a", "b", "/", "*", "**", "?", "[", "]", "^", "-", "!", "\\", ".", "..", "\n", " ", "\r\n",
        "#", "é", "\u{feff}", "(", "+", "a-c", "[a]", "[^", "$", ":", "|",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 11).unwrap() % n
    };
    let mut read = 0;
    for _ in 0..30_000 {
        let mut text = |most: usize| -> String {
            (0..=below(most)).map(|_| PIECES[below(PIECES.len())]).collect()
        };
        let (rules, path) = (text(12), text(6));
        if let Ok(ignore) = Ignore::parse(&rules) {
            read += 1;
            sends(&ignore, &path);
        }
    }
    assert!(read > 10_000, "{read}");
}
