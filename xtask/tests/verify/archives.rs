//! Archives that GNU tar makes of folders.
#![allow(dead_code)]

use crate::support::Folder;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Packs a folder, as GNU tar does it in a format.
pub fn pack(folder: &Path, format: &str) -> Vec<u8> {
    let format = format!("--format={format}");
    let owner =
        ["--owner=:7", "--group=:3000000", "--numeric-owner", "--sort=name", "-cf", "-", "."];
    let output = Command::new("tar").arg(format).args(owner).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A folder of files with these contents; a name that ends with a slash is a folder.
pub fn tree(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (path, text) in files {
        let to = folder.0.join(path);
        if path.ends_with('/') {
            fs::create_dir_all(&to).unwrap();
            continue;
        }
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
    }
    folder
}

/// Formats without room for large numbers.
pub fn small_group(folder: &Path, format: &str) -> Vec<u8> {
    let args = [
        &format!("--format={format}"),
        "--owner=:7",
        "--group=:8",
        "--numeric-owner",
        "-cf",
        "-",
        ".",
    ];
    Command::new("tar").args(args).current_dir(folder).output().unwrap().stdout
}

/// What a command makes of some bytes.
pub fn piped(program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let command = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // One that does not read all of it says so by its output.
    writing.join().unwrap().ok();
    output.stdout
}
