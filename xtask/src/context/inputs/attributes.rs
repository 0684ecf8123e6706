//! Whether git may convert what it stores: then its index does not tell what a file's bytes are.
#![expect(clippy::disallowed_methods, reason = "reads attribute files")]

use camino::Utf8Path;
use std::io::ErrorKind;

/// The attributes that make git store something else than the bytes of a file.
const CONVERTING: [&str; 6] = ["text", "eol", "crlf", "filter", "ident", "working-tree-encoding"];

/// The file in a folder that gives attributes to what is below it.
pub const FILE: &str = ".gitattributes";

/// Whether a name in a folder may be that file's, also where the file system takes other letters for
/// the same.
pub fn may_be_file(name: &str) -> bool {
    !name.is_ascii() || (name.len() == FILE.len() && name.eq_ignore_ascii_case(FILE))
}

/// Whether the attributes of a folder convert something in it or below it.
pub fn convert_in(folder: &Utf8Path) -> bool {
    convert(&folder.join(FILE))
}

/// Whether those of the folders above it do. The path is relative to the root.
pub fn convert_above(root: &Utf8Path, below: &Utf8Path) -> bool {
    below.ancestors().skip(1).any(|folder| convert_in(&root.join(folder)))
}

/// Whether a file gives such attributes. One that cannot be read may.
pub fn convert(file: &Utf8Path) -> bool {
    match std::fs::read_to_string(file) {
        Ok(text) => converts(&text),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Whatever the pattern: what it matches is not looked at.
fn converts(text: &str) -> bool {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.filter(|line| !line.starts_with('#')).any(|line| {
        // A macro may stand for any attribute, under any name.
        line.starts_with("[attr]")
            || line.split_whitespace().skip(1).any(|attribute| {
                let name = attribute.split('=').next().unwrap_or_default();
                CONVERTING.contains(&name)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::{converts, may_be_file};

    #[test]
    fn a_name_that_may_be_taken_for_the_file_is_looked_at() {
        for name in [".gitattributes", ".GitAttributes", ".gıtattributes"] {
            assert!(may_be_file(name), "{name}");
        }
        for name in ["gitattributes", ".gitattributes2", ".gitattribute_", "a"] {
            assert!(!may_be_file(name), "{name}");
        }
    }

    #[test]
    fn what_converts_is_told() {
        for text in [
            "* text=auto",
            "*.txt text",
            "a b eol=lf",
            "\u{feff}*.c ident",
            "# x\n\n  *.png filter=lfs diff=lfs merge=lfs -text",
            "*.x crlf=input",
            "*.x working-tree-encoding=UTF-16",
            "[attr]mine diff",
            "\"a b\" -diff text",
        ] {
            assert!(converts(text), "{text:?}");
        }
        for text in
            ["", "# * text", "text -diff", "*.png binary", "* -text", "* !filter", "*.rs diff=rust"]
        {
            assert!(!converts(text), "{text:?}");
        }
    }
}
