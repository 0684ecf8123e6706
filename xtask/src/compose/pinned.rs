//! An override for `docker-compose.yml` that runs published images by digest. Pure.

use std::collections::BTreeMap;

/// What such a file begins with; without it a file is not ours to write over.
pub const PINNED: &str = "# Written by `cargo xtask pull --compose`: ";

/// The override for these images (`name@digest`), by service. `what` says what they are, on one line.
pub fn pinned(what: &str, images: &BTreeMap<String, String>) -> String {
    let mut text = format!("{PINNED}{what}\nservices:");
    if images.is_empty() {
        text += " {}";
    }
    text.push('\n');
    for (service, image) in images {
        // With a `build` compose would build them anew under that name.
        text += &format!("  {service}:\n    image: {image}\n    build: !reset null\n");
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
        assert_eq!(pinned("v0.1.0", &images), expected);
        assert!(pinned("dev", &BTreeMap::new()).ends_with("services: {}\n"));
    }
}
