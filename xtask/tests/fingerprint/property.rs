//! Random trees and edits: what git's index tells is what the bytes are.

use super::tree::Tree;

/// `XTASK_CASES` and `XTASK_SEED` say how many, and which.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn the_index_never_changes_the_answer() {
    let cases = number("XTASK_CASES", if super::support::long() { 1000 } else { 40 });
    let mut random = Random(number("XTASK_SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let tree = Tree::new();
    let (mut told, mut changes) = (0, 0);
    let mut last = tree.print_by_bytes("app");
    for case in 0..cases {
        let edits: Vec<String> = (0..1 + random.below(4)).map(|_| random.edit(&tree)).collect();
        let print = tree.print("app");
        assert_eq!(print, tree.print_by_bytes("app"), "case {case}: {edits:?}");
        told += tree.told_by_index("app");
        changes += usize::from(print != last);
        last = print;
    }
    println!("{cases} cases, {told} files told by the index, {changes} other fingerprints");
    assert!(told as u64 > 2 * cases && changes as u64 * 3 > cases, "{told} {changes}");
}

/// xorshift: the same everywhere, and no dependency.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn path(&mut self) -> String {
        let service = ["web", "app"][self.below(2) as usize];
        let name = ["a", "x", "src/b", "src/deep/c", "d e", "ü"][self.below(6) as usize];
        format!("services/{service}/{name}")
    }

    /// Does something to the tree or to git's view of it, and tells what.
    fn edit(&mut self, tree: &Tree) -> String {
        let path = self.path();
        let text = format!("{}\n", self.below(8)).repeat(1 + self.below(3) as usize);
        let full = tree.path(&path);
        let kind = self.below(15);
        match kind {
            0..=2 => tree.write(&path, &text),
            // The same time and often the same size as before.
            3 | 4 => {
                let time = full.metadata().and_then(|meta| meta.modified());
                tree.write(&path, &text);
                if let Ok(time) = time {
                    tree.set_mtime(&path, time);
                }
            }
            5 => drop(std::fs::remove_file(&full)),
            6 => drop(std::fs::rename(&full, tree.path(&self.path()))),
            #[cfg(unix)]
            7 if full.exists() => tree.chmod(&path, [0o644, 0o755, 0o600][self.below(3) as usize]),
            8 => tree.git_or_not(&["add", "--all"]),
            9 | 10 => {
                tree.git_or_not(&["add", "--all"]);
                tree.settle();
            }
            11 => tree.git_or_not(&["commit", "--quiet", "--all", "--message", "x"]),
            12 => {
                let how = [
                    "--assume-unchanged",
                    "--no-assume-unchanged",
                    "--skip-worktree",
                    "--no-skip-worktree",
                ];
                tree.git_or_not(&["update-index", how[self.below(4) as usize], &path]);
            }
            13 => tree.git_or_not(&["checkout", "--quiet", "--force", "HEAD", "--", &path]),
            _ => tree.settle(),
        }
        format!("{kind} {path} {text:?}")
    }
}
