//! What git says of the working tree. Read-only.

use super::environment::Environment;
use super::event::version_of_tag;
use crate::error::Wrong;
use crate::process::{Command, Failure, Processes, Stream};
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use semver::Version;
use std::collections::{BTreeMap, BTreeSet};

/// The top of the git repository that a folder is in.
pub fn root(processes: &Processes, dir: &Utf8Path) -> Result<Utf8PathBuf> {
    let command = git(dir, "find the repository", &["rev-parse", "--show-toplevel"]);
    match processes.read(&command) {
        Ok(root) => Ok(root.into()),
        Err(error) => match error.downcast::<Failure>()? {
            Failure::NotStarted { reason, .. } if dir.is_dir() => {
                wrong!("cannot run git ({reason}): install it, for example `apt-get install git`")
            }
            Failure::NotStarted { reason, .. } => wrong!("{reason}"),
            Failure::Failed { stderr, .. } => wrong!(
                "`{dir}` is in no git repository ({}): go into one, or name its manifest with `--manifest`",
                stderr.lines().last().unwrap_or_default().trim_start_matches("fatal: ")
            ),
        },
    }
}

/// The commit that is checked out, 40 or 64 hex digits; `None` before the first commit.
pub fn head(processes: &Processes, root: &Utf8Path) -> Result<Option<String>> {
    commit_of(processes, root, "HEAD")
}

/// The commit that a name stands for (annotated tags peeled); `None` if there is no such name.
pub fn commit_of(processes: &Processes, root: &Utf8Path, name: &str) -> Result<Option<String>> {
    let name = format!("{name}^{{commit}}");
    let command = git(
        root,
        "read a commit",
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &name],
    );
    match processes.read(&command) {
        Ok(commit) => Ok(Some(commit)),
        Err(error) => match error.downcast::<Failure>()? {
            Failure::Failed { code: 1 | 128, .. } => Ok(None),
            other => Err(other.into()),
        },
    }
}

/// Paths below `paths` whose content differs from HEAD, or that HEAD does not have though they are
/// there: also files that git ignores, since a build context sends them.
pub fn changed(
    processes: &Processes,
    root: &Utf8Path,
    paths: &[Utf8PathBuf],
) -> Result<Vec<String>> {
    let args = [
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignored=matching",
        "--",
    ];
    let command = git(root, "compare the tree with HEAD", &args);
    let listing = processes.read(&command.args(paths.iter().map(|path| path.as_str())))?;
    Ok(listing.split('\0').filter_map(|entry| entry.get(3..)).map(str::to_owned).collect())
}

/// The versions that git has tags of.
pub fn versions(processes: &Processes, root: &Utf8Path) -> Result<BTreeSet<Version>> {
    let tags = processes.read(&git(root, "list versions", &["tag", "--list", "v*"]))?;
    Ok(tags.lines().filter_map(|tag| version_of_tag(tag).ok()).collect())
}

/// One line for each commit between two that touched some paths, the newest first.
pub fn subjects(
    processes: &Processes,
    root: &Utf8Path,
    from: &str,
    to: &str,
    paths: &[Utf8PathBuf],
) -> Result<Vec<String>> {
    let range = format!("{from}..{to}");
    let args = ["log", "--format=%h %s", "--end-of-options", &range, "--"];
    let command = git(root, "list commits", &args);
    let log = processes.read(&command.args(paths.iter().map(|path| path.as_str())))?;
    Ok(log.lines().map(str::to_owned).collect())
}

/// When each commit was made that a branch, a tag or HEAD leads to, in seconds since 1970.
pub fn dates(processes: &Processes, root: &Utf8Path) -> Result<BTreeMap<String, u64>> {
    if head(processes, root)?.is_none() {
        return Ok(BTreeMap::new());
    }
    let args = ["log", "--all", "--format=%H %ct", "--end-of-options", "HEAD", "--"];
    let log = processes.read(&git(root, "read the dates of commits", &args))?;
    let line = |line: &str| {
        let (commit, date) = line.split_once(' ')?;
        Some((commit.to_owned(), date.parse().ok()?))
    };
    Ok(log.lines().filter_map(line).collect())
}

/// The text of a file at a commit; none where git does not have it.
pub fn text_at(
    processes: &Processes,
    root: &Utf8Path,
    commit: &str,
    path: &Utf8Path,
) -> Result<Option<String>> {
    let Some(commit) = commit_of(processes, root, commit)? else { return Ok(None) };
    let name = format!("{commit}:{path}");
    match processes.read(&git(root, "read a file of a commit", &["cat-file", "blob", &name])) {
        Ok(text) => Ok(Some(text)),
        Err(error) => match error.downcast::<Failure>()? {
            Failure::Failed { code: 128, .. } => Ok(None),
            other => Err(other.into()),
        },
    }
}

/// What git prints with `-z`, also where a name is not UTF-8 (it is then spelled otherwise).
pub(super) fn listing(processes: &Processes, command: &Command) -> Result<Vec<String>> {
    let mut text = String::new();
    let ended = processes.stream(command, &mut |stream, line| {
        if stream == Stream::Stdout {
            // A name may have a line end in it.
            text.push_str(line);
            text.push('\n');
        }
    })?;
    if ended.code != 0 {
        anyhow::bail!("failed to {}: {}", command.purpose, ended.stderr);
    }
    text.pop();
    Ok(text.split('\0').filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

/// Whether a commit is still the head of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is; or the repository has no remote, so that nobody else can have pushed
    Still,
    /// Another commit is; `None` where the branch is gone
    Moved(Option<String>),
    /// The remote could not be asked
    Unknown(String),
}

/// Asks the remote `origin` over the network. On GitHub the job's token is used, which goes to git by
/// its environment and so stands on no command line.
pub fn head_of_branch(
    processes: &Processes,
    root: &Utf8Path,
    env: &Environment,
    branch: &str,
    commit: &str,
) -> Result<Head> {
    let remotes = processes.read(&git(root, "list the remotes", &["remote"]))?;
    if !remotes.lines().any(|remote| remote == "origin") {
        return Ok(Head::Still);
    }
    let name = format!("refs/heads/{branch}");
    let command = git(root, "ask the remote for its head", &["ls-remote", "--", "origin", &name]);
    let command = over_network(command, env).env("GIT_TERMINAL_PROMPT", "0");
    let mut head = None;
    let ended = processes.stream(&command, &mut |stream, line| {
        if stream == Stream::Stdout {
            head = line.split_whitespace().next().map(str::to_owned);
        }
    })?;
    if ended.code != 0 {
        return Ok(Head::Unknown(ended.stderr.lines().last().unwrap_or("git failed").to_owned()));
    }
    Ok(if head.as_deref() == Some(commit) { Head::Still } else { Head::Moved(head) })
}

/// A command that talks to a remote. One that says nothing for half a minute is given up.
pub fn over_network(command: Command, env: &Environment) -> Command {
    command
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
        .env("GIT_HTTP_LOW_SPEED_TIME", "30")
        .envs(&github_credentials(env))
}

fn github_credentials(env: &Environment) -> BTreeMap<String, Option<String>> {
    let (Some("true"), Some(server), Some(token)) =
        (env.get("GITHUB_ACTIONS"), env.get("GITHUB_SERVER_URL"), env.get("GITHUB_TOKEN"))
    else {
        return BTreeMap::new();
    };
    let basic = STANDARD.encode(format!("x-access-token:{token}"));
    [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("http.{server}/.extraheader")),
        ("GIT_CONFIG_VALUE_0", format!("AUTHORIZATION: basic {basic}")),
    ]
    .map(|(name, value)| (name.to_owned(), Some(value)))
    .into()
}

/// A file's folder, or the file itself where it is one; an error that names the option otherwise.
pub fn folder_of_manifest(manifest: &Utf8Path) -> Result<&Utf8Path, Wrong> {
    match manifest.parent() {
        Some(folder) if folder.is_dir() => Ok(folder),
        _ => Err(Wrong(format!("`--manifest {manifest}`: there is no such file"))),
    }
}

/// A git command in a folder.
pub fn git(dir: &Utf8Path, purpose: &str, args: &[&str]) -> Command {
    // Optional locks are not taken: a look at the tree must not disturb a git that works beside us.
    Command::new(purpose, "git").args(["--no-optional-locks"]).args(args.to_vec()).dir(dir)
}
