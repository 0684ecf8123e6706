//! Nothing is left behind, whatever happens.

use super::{shop, support};

/// Nothing is written into the tree or the repository, and nothing is left in the cache folder.
#[test]
fn nothing_is_left_behind() {
    let shop = shop();
    let hook = shop.root().join(".git/hooks/post-checkout");
    shop.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch \"$GIT_DIR/hooked\" hooked\n");
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let listing = || {
        let mut all = Vec::new();
        let mut todo = vec![shop.root().to_owned()];
        while let Some(folder) = todo.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let meta = entry.metadata().unwrap();
                all.push((entry.path(), meta.len(), meta.modified().unwrap()));
                todo.extend(meta.is_dir().then(|| entry.path()));
            }
        }
        all.sort();
        all
    };
    shop.write("services/web/b", "other\n");
    let (before, cache) = (listing(), support::Folder::new());
    let call = |rev: &str| {
        let cache = cache.0.to_str().unwrap();
        shop.xtask(&["affected", "--since", rev]).env("XTASK_CACHE_DIR", cache).run()
    };
    call("HEAD").success();
    assert_eq!(listing(), before);
    let trees = cache.0.join("trees");
    assert_eq!(std::fs::read_dir(&trees).unwrap().count(), 0);
    // What a killed run has left is removed a day later.
    let (old, new) = (trees.join("1-old"), trees.join("2-new"));
    for folder in [&old, &new] {
        std::fs::create_dir_all(folder.join("tree")).unwrap();
    }
    let days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(50 * 3600);
    std::fs::File::open(&old).unwrap().set_modified(days_ago).unwrap();
    call("HEAD").success();
    assert!(!old.exists() && new.exists());
}

/// Ctrl-C while git writes the commit's files.
#[cfg(unix)]
#[test]
fn nothing_is_left_behind_by_an_interrupt() {
    let (shop, cache) = (shop(), support::Folder::new());
    let began = cache.0.join("began");
    let smudge = format!("touch '{}'; sleep 2; cat", began.display());
    shop.git(&["config", "filter.slow.smudge", &smudge]);
    shop.git(&["config", "filter.slow.clean", "cat"]);
    shop.write(".git/info/attributes", "b filter=slow\n");
    shop.write("services/web/README.md", "edit\n");
    let call = shop.xtask(&["affected", "--since", "HEAD"]);
    let call = call.env("XTASK_CACHE_DIR", cache.0.to_str().unwrap());
    let mut child = call.command().stderr(std::process::Stdio::null()).spawn().unwrap();
    while !began.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it read the commit");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(cache.0.join("trees")).unwrap().count(), 0);
}
