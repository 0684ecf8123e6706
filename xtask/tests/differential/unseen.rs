//! Edits of ignore rules, and of files in ways that git's index does not show.

use super::shop::{Shop, ignore_files};
use super::site::Site;
use std::collections::BTreeSet;

/// The rules that count, with what changes them.
fn rules(
    shop: &Shop,
    at: usize,
    change: impl Fn(Vec<String>) -> Option<Vec<String>>,
) -> Option<BTreeSet<usize>> {
    let files = ignore_files(&shop.recipes[at]);
    let root = shop.repository.root();
    let there = files.iter().find(|file| root.join(file).exists()).unwrap_or(&files[1]);
    let text = std::fs::read_to_string(root.join(there)).unwrap_or_default();
    let changed = change(text.lines().map(str::to_owned).collect())?.join("\n");
    shop.repository.write(there, &changed);
    (changed != text).then(|| [at].into())
}

pub fn rules_reversed(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    rules(shop, at, |mut rules| {
        rules.reverse();
        (rules.len() > 1).then_some(rules)
    })
}

pub fn rule_added(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let patterns = ["*.txt", "src", "a", "**/x", "deep", "*", "src/*", "# x", "Dockerfile", ".*"];
    let rule = shop.random.pick(&patterns);
    rules(shop, at, |rules| Some([rules, vec![rule.to_owned()]].concat()))
}

pub fn rule_back(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let rule = shop.random.pick(&["!c.txt", "!src/a", "!a", "!**/x", "!src", "!*.tmp", "!deep/er"]);
    rules(shop, at, |rules| (!rules.is_empty()).then(|| [rules, vec![rule.to_owned()]].concat()))
}

/// Puts others beside the Dockerfile, or takes them away: those in the context count then.
pub fn rules_beside(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let [beside, _] = ignore_files(&shop.recipes[at]);
    let site = Site::new(shop.repository.root().to_owned());
    if site.path(&beside).exists() {
        site.remove(&beside);
    } else {
        site.write(&beside, shop.random.pick(&["", "a", "*.txt\n!c.txt", "src"]));
    }
    Some([at].into())
}

pub fn ruled(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let files = ignore_files(&shop.recipes[at]);
    let root = shop.repository.root();
    files.iter().any(|file| root.join(file).exists()).then_some(())?;
    let site = Site::new(root.join(&shop.recipes[at].context));
    let all = ["src/a", "src/b.rs", "c.txt", "left.tmp", "a", "deep/er/x", ".hidden"];
    let there: Vec<&str> = all.into_iter().filter(|file| site.is_file(file)).collect();
    site.overwrite(shop.random.any(&there)?, &shop.random.word());
    Some([at].into())
}

/// A regular file of the context that is in git's index.
fn tracked(shop: &mut Shop, at: usize) -> Option<String> {
    let context = &shop.recipes[at].context;
    let tracked = shop.repository.git(&["-c", "core.quotePath=false", "ls-files", "-z", context]);
    let is_plain = |path: &&str| {
        let full = shop.repository.root().join(path);
        !path.contains("ocker") && full.symlink_metadata().is_ok_and(|meta| meta.is_file())
    };
    let files: Vec<&str> = tracked.split('\0').filter(is_plain).collect();
    shop.random.any(&files).map(str::to_owned)
}

pub fn assumed(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let file = tracked(shop, at)?;
    shop.repository.git(&["update-index", "--assume-unchanged", &file]);
    shop.repository.write(&file, &shop.random.word());
    Some([at].into())
}

/// Twice at once, with the same size and time, and git's index between.
pub fn racy(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let file = tracked(shop, at)?;
    let site = Site::new(shop.repository.root().to_owned());
    site.overwrite(&file, "one");
    shop.repository.git(&["add", &file]);
    let time = site.meta(&file).modified().ok()?;
    site.overwrite(&file, shop.random.pick(&["two", "six", "ten"]));
    std::fs::File::options().append(true).open(site.path(&file)).ok()?.set_modified(time).ok()?;
    Some([at].into())
}

/// Git stores other bytes than are in the file, and takes it for unchanged.
pub fn converted(shop: &mut Shop, at: usize) -> Option<BTreeSet<usize>> {
    let file = tracked(shop, at)?;
    let site = Site::new(shop.repository.root().to_owned());
    site.overwrite(&file, &format!("{}\r\n", shop.random.word()));
    site.write(".gitattributes", "* text\n");
    shop.repository.git(&["-c", "core.safecrlf=false", "add", "--all"]);
    if shop.random.chance(2) {
        site.remove(".gitattributes");
        shop.repository.git(&["add", "--all"]);
    }
    Some([at].into())
}
