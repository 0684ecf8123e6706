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
    refused("volumes:\n    x: y\n", "deeper than the first entry");
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
