//! `FROM`, and which earlier stage or image a name means.

use super::fields::words;
use super::flags::{self, Known};
use super::types::{Dockerfile, Stage};

const FROM: Known = Known { once: &["platform"], many: &[], switches: &[] };

/// Understands `FROM [--platform=…] NAME [AS NAME]`. `Err` is a fragment after "cannot tell ".
pub fn stage(text: &str, lines: (usize, usize), escape: char) -> Result<Stage, String> {
    let (found, rest) = flags::split(text, escape)?;
    flags::check(&found, &FROM)?;
    let arguments = words(rest);
    let (from, name) = match &arguments[..] {
        [from] => (from, None),
        [from, as_, name] if as_.eq_ignore_ascii_case("as") => (from, Some(name.to_lowercase())),
        _ => return Err(format!("what `FROM {rest}` starts from")),
    };
    if let Some(name) = &name {
        check_name(name)?;
    }
    Ok(Stage {
        name,
        from: from.clone(),
        platform: flags::values(&found, "platform").next().map(str::to_owned),
        line: lines.0,
        last_line: lines.1,
        instructions: Vec::new(),
    })
}

fn check_name(name: &str) -> Result<(), String> {
    let inner =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(inner) {
        return Err(format!("what the stage name `{name}` means"));
    }
    if matches!(name, "scratch" | "context") {
        return Err(format!("what a stage with the reserved name `{name}` stands for"));
    }
    Ok(())
}

/// The stage that `FROM name` in stage `before` continues: the latest earlier one of that name.
/// Here upper case counts, unlike in `--from`.
pub fn earlier(file: &Dockerfile, name: &str, before: usize) -> Option<usize> {
    file.stages[..before].iter().rposition(|stage| stage.name.as_deref() == Some(name))
}

/// The stage that a name in `--from` or `--target` means: the last one of that name.
pub fn named(file: &Dockerfile, name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&name))
}
