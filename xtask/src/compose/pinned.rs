//! An override for `docker-compose.yml` that runs published images by digest. Pure.

use super::mapping;
use crate::plan::graph::Needs;
use std::collections::BTreeMap;

/// What such a file begins with; without it a file is not ours to write over.
pub const PINNED: &str = "# Written by `cargo xtask pull --compose`: ";

/// The override for these images (`name@digest`), by service. `what` says what they are, on one line;
/// `needs` says what all services build on.
pub fn pinned(
    what: &str,
    images: &BTreeMap<String, String>,
    needs: &BTreeMap<String, Needs>,
) -> String {
    let mut text = format!("{PINNED}{what}\nservices:");
    if images.is_empty() {
        text += " {}";
    }
    text.push('\n');
    for (service, image) in images {
        // With a `build` compose would build them anew under that name.
        text += &format!("  {service}:\n    image: {image}\n    build: !reset null\n");
    }
    // What is still built can no longer build on a service that is not.
    for (service, needs) in needs.iter().filter(|(service, _)| !images.contains_key(*service)) {
        let context = |(name, other): (&String, &String)| {
            Some((name.clone(), format!("docker-image://{}", images.get(other)?)))
        };
        let contexts: BTreeMap<String, String> =
            needs.services.iter().filter_map(context).collect();
        if !contexts.is_empty() {
            let contexts = mapping("additional_contexts", &contexts);
            text += &format!("  {service}:\n    build:\n{contexts}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_image_and_no_build() {
        let images = [("web".to_owned(), "r/web@sha256:1".to_owned())].into();
        let expected = "\
# Written by `cargo xtask pull --compose`: v0.1.0
services:
  web:
    image: r/web@sha256:1
    build: !reset null
";
        let none = BTreeMap::new();
        assert_eq!(pinned("v0.1.0", &images, &none), expected);
        assert!(pinned("dev", &BTreeMap::new(), &none).ends_with("services: {}\n"));
    }

    #[test]
    fn what_is_built_builds_on_the_image() {
        let images = [("base".to_owned(), "r/base@sha256:1".to_owned())].into();
        let on = |service: &str| Needs {
            services: [(format!("r/{service}"), service.to_owned())].into(),
            ..Needs::default()
        };
        let needs = [("base", "core"), ("web", "base"), ("other", "web")];
        let needs = needs.map(|(service, other)| (service.to_owned(), on(other))).into();
        let text = pinned("v0.1.0", &images, &needs);
        let web = "
  web:
    build:
      additional_contexts:
        r/base: \"docker-image://r/base@sha256:1\"
";
        assert!(text.ends_with(web), "{text}");
        assert!(!text.contains("core") && !text.contains("other"), "{text}");
    }
}
