use super::*;
use crate::diagnostic::{Source, report};
use crate::manifest;

const MANIFEST: &str = r#"
[project]
name = "shop"
registry = "ghcr.io/owner/shop"
[services.base]
[services.web]
args = { LEVEL = "${x}", ON = "true" }
secrets = [{ id = "token", env = "TOKEN" }]
[services.worker]
"#;

fn fragment(text: &str) -> Fragment {
    parse(&Source::new("services/web/compose.yml", text)).unwrap()
}

fn generated(fragments: &[(&str, &str)]) -> Result<String, Vec<Diagnostic>> {
    let loaded = manifest::parse("services/services.toml", MANIFEST).unwrap();
    let on_base = Needs {
        services: [("ghcr.io/owner/shop/base".into(), "base".into())].into(),
        ..Needs::default()
    };
    let needs = [("web".to_owned(), on_base.clone()), ("worker".to_owned(), on_base)].into();
    let fragments = fragments.iter().map(|(name, text)| ((*name).to_owned(), fragment(text)));
    generate(&loaded.manifest, &needs, &fragments.collect())
}

#[test]
fn the_whole_file() {
    let web = "# A comment.\nservice:\n  ports:\n    - \"127.0.0.1:1:1\"\n\nvolumes:\n  # Kept.\n  data:\n";
    let worker =
        "service:\n  init: true\nvolumes:\n  # Kept.\n  data:\n  more:\n    driver: local\n";
    let text = generated(&[("web", web), ("worker", worker)]).unwrap();
    let expected = r#"name: shop

services:
  base:
    image: shop-base:local
    build:
      context: services/base
      labels:
        org.opencontainers.image.title: base
      platforms:
        - linux/amd64
    scale: 0

  web:
    image: shop-web:local
    build:
      context: services/web
      additional_contexts:
        ghcr.io/owner/shop/base: "service:base"
      args:
        LEVEL: "$${x}"
        "ON": "true"
      labels:
        org.opencontainers.image.title: web
      platforms:
        - linux/amd64
      secrets:
        - token
    ports:
      - "127.0.0.1:1:1"

  worker:
    image: shop-worker:local
    build:
      context: services/worker
      additional_contexts:
        ghcr.io/owner/shop/base: "service:base"
      labels:
        org.opencontainers.image.title: worker
      platforms:
        - linux/amd64
    init: true

secrets:
  token:
    environment: TOKEN

volumes:
  # Kept.
  data:
  more:
    driver: local
"#;
    assert_eq!(text.strip_prefix(HEADER).unwrap(), expected);
}

#[test]
fn two_fragments_may_not_disagree() {
    let mistakes = generated(&[
        ("web", "volumes:\n  data:\n"),
        ("worker", "volumes:\n  data:\n    driver: local\n"),
    ]);
    assert!(report(&mistakes.unwrap_err()).contains("compose.yml:2:3: `data` stands in `volumes`"));
}

#[test]
fn what_looks_odd_but_is_plain_stays_as_it_is() {
    let text = "service:\n  command: [\"a | b\", \"c > d\"]\n  test: a | b\n  list:\n    - a: b\n      c: \"x: |y\"\n\n  # Kept.\n  url: http://a:1\n";
    let lines = text.strip_prefix("service:\n").unwrap().replace("\n\n", "\n");
    let indented: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    assert_eq!(fragment(text).service(), indented);
    // CRLF, and no line at all.
    assert_eq!(fragment("service:\r\n  a: b\r\n").service(), "    a: b\n");
    assert_eq!(fragment("").service(), "");
}

#[test]
fn a_base_whose_fragment_says_nothing_of_the_service_is_not_started() {
    let text = generated(&[("base", "volumes:\n  data:\n")]).unwrap();
    assert_eq!(text.matches("scale: 0").count(), 1);
    assert!(!generated(&[("base", "service:\n  init: true\n")]).unwrap().contains("scale"));
}

fn of_manifest(services: &str) -> String {
    let head = "[project]\nname = \"shop\"\nregistry = \"ghcr.io/owner/shop\"\n";
    let text = format!("{head}{services}");
    let loaded = manifest::parse("services/services.toml", &text).unwrap();
    generate(&loaded.manifest, &BTreeMap::new(), &BTreeMap::new()).unwrap()
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "expected `{part}` in:\n{text}");
    }
}

#[test]
fn an_optional_secret_is_given_where_a_variable_is_set() {
    let text = of_manifest(
        "[services.web]\nsecrets = [{ id = \"ca-1\", file = \"/x/y\", optional = true }, \
         { id = \"t\", env = \"TOKEN\", optional = true }]\n",
    );
    let used = "      secrets:\n        - source: ca-1.optional\n          target: ${XTASK_SECRET_CA_1:+ca-1}\n        - source: t.optional\n          target: ${TOKEN:+t}\n";
    let file = "  ca-1.optional:\n    # Optional: give it by the variable; the manifest's is /x/y\n    file: ${XTASK_SECRET_CA_1:-/dev/null}\n";
    has(&text, &[used, file, "  t.optional:\n    environment: TOKEN\n"]);
}

#[test]
fn secrets_of_one_id_but_two_sources_keep_apart() {
    let text = of_manifest(
        "[services.a]\nsecrets = [{ id = \"t\", env = \"A\" }]\n\
         [services.b]\nsecrets = [{ id = \"t\", env = \"B\" }]\n\
         [services.c]\nsecrets = [{ id = \"u\", env = \"C\" }]\n\
         [services.d]\nsecrets = [{ id = \"u\", env = \"C\" }]\n",
    );
    has(
        &text,
        &[
            "- source: a.t\n          target: t\n",
            "- source: b.t\n          target: t\n",
            "  a.t:\n    environment: A\n",
            "  b.t:\n    environment: B\n",
        ],
    );
    assert_eq!(text.matches("        - u\n").count(), 2);
    assert_eq!(text.matches("environment: C").count(), 1);
}

#[test]
fn arguments_and_labels() {
    let text = of_manifest(
        "[services.web]\nvolatile-args = [\"DATE\", \"REV\"]\nargs = { A = \"1\", REV = \"none\" }\n\
         labels = { \"a.$b\" = \"$c\" }\n",
    );
    let args = "      args:\n        A: \"1\"\n        DATE:\n        REV: none\n";
    // compose replaces variables in values only.
    has(&text, &[args, "\"a.$b\": \"$$c\"\n"]);
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let mistakes = parse(&Source::new("services/web/compose.yml", text)).unwrap_err();
    let report = report(&mistakes);
    assert!(report.contains(part), "{report}");
}

#[test]
fn what_cannot_be_spliced_is_refused_with_its_line() {
    refused(
        "servce:\n  init: true\n",
        "compose.yml:1:1: unknown key `servce`: did you mean `service`?",
    );
    refused("service:\n\tinit: true\n", "compose.yml:2:2: a tab");
    refused("service:\n   init: true\n", "compose.yml:2:4: indented by 3");
    refused("service:\n  image: x\n", "compose.yml:2:3: `image` is generated");
    refused("service: {}\n", "`service` has to be a block");
    refused("  init: true\n", "an indented line before the first key");
    refused("service:\n  \"image\" : x\n", "`image` is generated");
    refused(
        "service:\n    init: true\n",
        "compose.yml:2:5: indented by 4: after the line before it",
    );
    refused("service:\n  a:\n      b: c\n", "compose.yml:3:7: indented by 6");
    refused("service:\n  - init\n", "no key");
    refused("service:\n  command: |\n    x\n", "compose.yml:2:3: a text over several lines");
    refused("service:\n  command: # why\n    - >- # why\n", "compose.yml:3:5: a text over");
    refused("service:\n  a: b\nservice:\n  c: d\n", "compose.yml:3:1: `service` is there twice");
    refused("volumes:\n    x: y\n", "indented by 4");
    refused("volumes:\n  data\n", "no key");
    refused("hello\n", "no key");
}

#[test]
fn scalars_are_read_as_the_strings_that_they_are() {
    for plain in ["services/web", "/etc/ssl", "linux/amd64", "a.b-c_d"] {
        assert_eq!(quoted(plain), plain);
    }
    for (text, yaml) in [
        ("yes", "\"yes\""),
        ("1.0", "\"1.0\""),
        ("a: b", "\"a: b\""),
        ("", "\"\""),
        ("$X", "\"$$X\""),
    ] {
        assert_eq!(quoted(text), yaml);
    }
}
