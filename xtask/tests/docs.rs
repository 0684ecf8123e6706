//! What README.md and the guides say to type: each `cargo xtask …` is a line that our own parser takes, and
//! each link leads somewhere. `engine_docs.rs` runs the blocks.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "docs/pages.rs"]
mod pages;

use clap::Parser as _;
use clap::error::ErrorKind;
use pages::{Block, LONG, Page, blocks, calls, pages, root, split};
use xtask::cli::Cli;

/// The blocks that no test runs: what each needs stands before it. All others run in `engine_docs.rs`.
const MARKED: [(&str, &str, &str); 4] = [
    (
        "docs/development/ghcr-setup.md",
        r#"echo "$TOKEN" | docker login ghcr.io --username "$USER" --password-stdin"#,
        "GHCR",
    ),
    ("docs/development/ghcr-setup.md", "cargo xtask pull", "GHCR"),
    ("docs/installation/docker-compose.md", "cargo xtask pull --compose target/pinned.yml", "GHCR"),
    (
        "docs/installation/docker-compose.md",
        "XTASK_SECRET_CA=/etc/ssl/certs/ca-certificates.crt docker compose build",
        "hub",
    ),
];

fn parse(call: &[String]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("cargo xtask").chain(call.iter().map(String::as_str)))
}

fn page(text: &str) -> Page {
    Page { path: "page.md".into(), text: text.into() }
}

#[test]
fn each_call_in_a_block_is_one_that_our_parser_takes() {
    let mut count = 0;
    for block in blocks().into_iter().filter(Block::is_bash) {
        for call in calls(&block.text) {
            parse(&call).unwrap_or_else(|error| panic!("{block}: {call:?}: {error}"));
            count += 1;
        }
    }
    assert!(count > 40, "{count} calls");
}

#[test]
fn each_call_in_the_text_is_a_task_with_its_options() {
    let for_people = |call: &[String]| call.iter().any(|word| word.contains(['…', '[', '<', '|']));
    for page in pages() {
        let text = split(&page).1.replace('\n', " ");
        for code in text.split('`').skip(1).step_by(2) {
            for call in calls(code).into_iter().filter(|call| !for_people(call)) {
                let missing = [
                    ErrorKind::MissingRequiredArgument,
                    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                    ErrorKind::DisplayHelp,
                ];
                let error = parse(&call).err();
                let is_fine = error.as_ref().is_none_or(|error| missing.contains(&error.kind()));
                assert!(is_fine, "{}: `{code}`: {}", page.path, error.unwrap());
            }
        }
    }
}

#[test]
fn what_no_test_runs_is_named_here() {
    let all: Vec<Block> = blocks().into_iter().filter(Block::is_bash).collect();
    let marked: Vec<(&str, &str, &str)> = all
        .iter()
        .filter_map(|block| Some((block.page.as_str(), block.first(), block.needs.as_deref()?)))
        .collect();
    assert_eq!(marked, MARKED);
    for (page, first, _) in LONG {
        let count = all.iter().filter(|it| (it.page.as_str(), it.first()) == (page, first)).count();
        assert_eq!(count, 1, "{page}: {first}");
    }
}

#[test]
fn all_that_is_to_be_typed_is_bash() {
    for block in blocks().into_iter().filter(|block| !block.is_bash()) {
        assert!(
            ["text", "toml", "yaml", "dockerfile", "json"].contains(&&*block.language),
            "{block}"
        );
        let typed = block.text.lines().find(|line| line.starts_with("cargo "));
        assert_eq!(typed, None, "{block}");
    }
}

#[test]
fn links_lead_somewhere() {
    let anchors = |text: &str| -> Vec<String> {
        let titles = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
        let kept = |c: char| c.is_alphanumeric() || c == ' ' || c == '-' || c == '_';
        titles
            .map(|title| title.chars().filter(|c| kept(*c)).collect::<String>())
            .map(|title| title.to_lowercase().replace(' ', "-"))
            .collect()
    };
    for page in pages() {
        for link in split(&page).1.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let (file, anchor) = link.0.split_once('#').unwrap_or((link.0, ""));
            if file.contains("://") {
                continue;
            }
            let here = root().join(&page.path);
            let file = if file.is_empty() { here } else { here.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {}", page.path, link.0);
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(anchors(&text).contains(&anchor.to_owned()), "{}: {}", page.path, link.0);
            }
        }
    }
}

#[test]
fn the_guides_are_where_others_link_them() {
    let paths: Vec<String> = pages().into_iter().map(|page| page.path).collect();
    for guide in [
        "docs/architecture.md",
        "docs/development/README.md",
        "docs/development/ghcr-setup.md",
        "docs/installation/docker-compose.md",
    ] {
        assert!(paths.contains(&guide.to_owned()), "{guide}");
    }
}

#[test]
fn blocks_are_read_with_what_they_need() {
    let text = "a\n\n<!-- needs: GHCR -->\n```bash\none  # first\ntwo\n```\n\n<!-- needs: hub -->\nb\n```text\nthree\n```\n";
    let (blocks, prose) = split(&page(text));
    let told: Vec<_> = blocks
        .iter()
        .map(|block| (block.line, block.needs.as_deref(), block.first(), block.is_bash()))
        .collect();
    assert_eq!(told, [(4, Some("GHCR"), "one", true), (11, None, "three", false)]);
    assert_eq!(blocks[0].text, "one  # first\ntwo\n");
    assert!(prose.contains("a\n") && !prose.contains("one"));
    let unknown = page("<!-- needs: luck -->\n```bash\n```\n");
    assert!(std::panic::catch_unwind(|| split(&unknown)).is_err());
}

#[test]
fn calls_are_read_as_a_shell_would() {
    let texts = [
        ("cargo xtask plan --json >plan.json  # why", "plan --json"),
        ("eval \"$(cargo xtask engine env)\"", "engine env"),
        ("sh -c \\\n  'cargo xtask build-images \"$A/b\"'", "build-images $A/b"),
        ("A=b cargo xtask up | cat", "up"),
        ("# cargo xtask nothing", ""),
        ("cargo xtask plan; cargo xtask why web", "plan, why web"),
    ];
    for (text, expected) in texts {
        let found: Vec<String> = calls(text).iter().map(|call| call.join(" ")).collect();
        assert_eq!(found.join(", "), expected);
    }
    for wrong in ["biuld-images", "plan --evnt dev", "logs --tail many"] {
        let call = &calls(&format!("cargo xtask {wrong}"))[0];
        assert!(parse(call).is_err(), "{wrong}");
    }
}
