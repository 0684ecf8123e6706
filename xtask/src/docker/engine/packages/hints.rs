//! What a person can do about what apt and mmdebstrap report.

use crate::error::Interrupted;
use anyhow::anyhow;

/// Words of a report, and the next step that they call for.
const HINTS: [(&[&str], &str); 7] = [
    (
        &["No space left", "enough free space"],
        "free some space, or set XTASK_CACHE_DIR to a folder on another disk",
    ),
    (
        &["NO_PUBKEY", "not signed", "invalid signature", "EXPKEYSIG"],
        "the mirror's signature is not from the machine's Debian keyring: update the package `debian-archive-keyring`",
    ),
    (
        &["is expired (invalid since"],
        "the machine's mirror is older than its signature allows, or the clock is wrong: use another mirror, or allow it with `Acquire::Check-Valid-Until \"false\";` in a file in /etc/apt/apt.conf.d",
    ),
    (
        &["unmet dependencies", "--fix-broken"],
        "repair the machine's packages with `apt-get --fix-broken install`",
    ),
    (
        &["Exec format error", "cannot execute binary"],
        "install `qemu-user-static`, which runs other architectures' programs",
    ),
    (
        &["does not have a Release file", "404"],
        "see that the suite is spelled right (`[bases]` in the manifest) and that the machine's mirror has it",
    ),
    (&["Unable to locate package"], "see that the packages under `include` exist in that suite"),
];
/// Where none of the words are there.
const OTHERWISE: &str = "see whether `apt-get update` works on this machine, then run this again";

/// Adds the next step to an error. An interrupt stays what it is.
pub fn with_next_step(error: anyhow::Error) -> anyhow::Error {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        return error;
    }
    let text = format!("{error:#}");
    let fits = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let hint = HINTS.iter().find(|(words, _)| fits(words));
    anyhow!("{text}\nnext: {}", hint.map_or(OTHERWISE, |(_, next)| next))
}
