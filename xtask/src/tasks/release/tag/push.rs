//! The tag itself. It is here only once the remote has it: made, unnamed, pushed as an object, and
//! named again. So neither a push that is refused nor one that is cut off leaves it behind.

use super::super::super::Session;
use super::Checked;
use crate::context::git::{commit_of, git, over_network};
use crate::context::refs;
use crate::interrupt::Interrupt;
use crate::process::{Command, Processes};
use anyhow::{Context as _, Result};

/// Makes the tag, pushes it, and keeps it here if that went well.
pub fn push(session: &Session, checked: &Checked, message: &str) -> Result<()> {
    let Checked { version, remote, .. } = checked;
    let object = make(session, checked, message)?;
    let command = over_network(command(checked, Some(&object)), &session.env);
    let ended = session.processes.stream(&command, &mut |_, _| {}).with_context(|| {
        format!(
            "v{version} is no tag here; whether `{remote}` has got it tells \
             `git ls-remote --tags {remote} v{version}`"
        )
    })?;
    if ended.code != 0 {
        why_not(session, checked, &object)
            .with_context(|| format!("v{version} is not pushed\n{}", ended.stderr.trim_end()))?;
    }
    keep(session, checked, &object);
    Ok(())
}

/// The push of a tag object, or of the tag by its name.
pub fn command(checked: &Checked, object: Option<&str>) -> Command {
    let Checked { root, version, remote, .. } = checked;
    let name = format!("refs/tags/v{version}");
    let refspec = object.map(|object| format!("{object}:{name}")).unwrap_or(name);
    // Other tags that are here are nobody's business, whatever `push.followTags` says.
    let args = ["push", "--no-follow-tags", "--", remote, &refspec];
    git(root, &format!("push v{version}"), &args)
}

/// Makes the tag object and gives its id; the name is taken away again.
fn make(session: &Session, checked: &Checked, message: &str) -> Result<String> {
    let Checked { root, version, commit, .. } = checked;
    let (tag, name) = (format!("v{version}"), format!("refs/tags/v{version}"));
    // With a message the tag is annotated. Said with `--annotate` it would not be signed where only
    // `tag.forceSignAnnotated` is set.
    let args = ["tag", "--cleanup=whitespace", "--file=-", "--", &tag, commit];
    let command = git(root, &format!("make the tag {tag}"), &args).stdin(message);
    let made = session.processes.run(&command);
    // After Ctrl-C too.
    let calm = Processes { interrupt: Interrupt::default(), ..session.processes.clone() };
    if let Err(error) = made {
        let was_cut = error.is::<crate::error::Interrupted>();
        if was_cut && commit_of(&calm, root, &name)?.is_some() {
            unname(&calm, checked, None)?;
        }
        return Err(error.context("nothing is pushed"));
    }
    let rev_parse = git(root, "read the tag", &["rev-parse", "--verify", "--quiet", &name]);
    let object = calm.read(&rev_parse)?;
    unname(&calm, checked, Some(&object))?;
    Ok(object)
}

fn unname(processes: &Processes, checked: &Checked, object: Option<&str>) -> Result<()> {
    let name = format!("refs/tags/v{}", checked.version);
    let args = ["update-ref", "-d", &name].into_iter().chain(object);
    let args: Vec<&str> = args.collect();
    let command = git(&checked.root, &format!("take the tag v{} away", checked.version), &args);
    processes.read(&command).map(drop)
}

/// `Ok` where the remote has the tag after all: only the answer was lost.
fn why_not(session: &Session, checked: &Checked, object: &str) -> Result<()> {
    let Checked { root, remote, branch, version, .. } = checked;
    match refs::remote(&session.processes, root, &session.env, remote, branch) {
        Ok(there) => match there.tags.get(version) {
            Some(there) if there.object == object => Ok(()),
            Some(there) => anyhow::bail!(
                "somebody else has pushed v{version} to `{remote}` in the meantime (the commit {}); \
                 no tag is left here: get theirs, `git fetch --tags {remote}`, or release the next version",
                there.commit
            ),
            None => anyhow::bail!(
                "`{remote}` has refused it, and no tag is left here: put right what it says, and run \
                 this again"
            ),
        },
        Err(error) => Err(error.context(format!(
            "no tag is left here; whether `{remote}` has it cannot be told: run this again"
        ))),
    }
}

/// The remote has it: that it is not here too is no failure.
fn keep(session: &Session, checked: &Checked, object: &str) {
    let Checked { root, remote, version, .. } = checked;
    let calm = Processes { interrupt: Interrupt::default(), ..session.processes.clone() };
    let name = format!("refs/tags/v{version}");
    let command = git(root, "keep the tag", &["update-ref", &name, object, ""]);
    if let Err(error) = calm.read(&command) {
        crate::report::say!(
            "{error:#}\nv{version} is at `{remote}`: `git fetch {remote} tag v{version}`"
        );
    }
}
