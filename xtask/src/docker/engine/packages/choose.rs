//! Which version of a package this machine can run. Pure.

use super::super::machine::version_pair;

/// One version of a package, as `apt-cache show` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its name
    pub package: String,
    /// Its version
    pub version: String,
    /// The libc that it needs
    pub libc: Option<(u32, u32)>,
}

/// Reads the output of `apt-cache show`: the newest version of a package comes first.
pub fn parse_records(text: &str) -> Vec<Record> {
    text.split("\n\n").filter_map(parse_record).collect()
}

fn parse_record(stanza: &str) -> Option<Record> {
    let field = |name: &str| {
        let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::trim)
    };
    let needs = [field("Depends"), field("Pre-Depends")];
    let libc = needs.into_iter().flatten().flat_map(|list| list.split(',')).filter_map(libc_bound);
    Some(Record {
        package: field("Package")?.to_owned(),
        version: field("Version")?.to_owned(),
        libc: libc.max(),
    })
}

fn libc_bound(dependency: &str) -> Option<(u32, u32)> {
    let (name, bound) = dependency.trim().split_once('(')?;
    if name.trim().trim_end_matches(":any") != "libc6" {
        return None;
    }
    version_pair(bound.trim_start_matches(['>', '=', ' ']))
}

/// The newest version that runs on this libc, for each wanted entry (`a|b`: the first that exists; `a|`:
/// may be absent). The error names what there is none of.
pub fn choose(
    wanted: &[&str],
    records: &[Record],
    libc: (u32, u32),
) -> Result<Vec<Record>, String> {
    let mut chosen = Vec::new();
    for entry in wanted {
        let runs = |name: &str| {
            let fits = |r: &&Record| r.package == name && r.libc.is_none_or(|needs| needs <= libc);
            records.iter().find(fits)
        };
        match entry.split('|').filter(|name| !name.is_empty()).find_map(runs) {
            Some(record) => chosen.push(record.clone()),
            None if entry.ends_with('|') => {}
            None => return Err(entry.replace('|', " or ")),
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "Package: runc\nVersion: 1.3\nDepends: libc6 (>= 2.38), libseccomp2 (>= 2.5.0)\n\n\
        Package: runc\nVersion: 1.1\nDepends: libseccomp2, libc6 (>= 2.34)\nDescription: x\n y\n\n\
        Package: tini\nVersion: 0.19\n\n\
        Package: odd\nVersion: 2\nPre-Depends: libc6:any (>> 2.40~)\nDepends: libc6-dev (>= 9.9)\n";

    #[track_caller]
    fn case(wanted: &[&str], libc: (u32, u32), expected: Result<&[&str], &str>) {
        let chosen = choose(wanted, &parse_records(SHOWN), libc);
        let chosen = chosen.map(|records| {
            records.iter().map(|r| format!("{}={}", r.package, r.version)).collect::<Vec<_>>()
        });
        let expected = expected.map(|list| list.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(chosen, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_newest_that_the_libc_can_run() {
        case(&["runc", "tini"], (2, 41), Ok(&["runc=1.3", "tini=0.19"]));
        case(&["runc"], (2, 36), Ok(&["runc=1.1"]));
        case(&["runc"], (2, 31), Err("runc"));
        case(&["odd"], (2, 39), Err("odd"));
        case(&["odd"], (2, 40), Ok(&["odd=2"]));
        case(&["absent|tini"], (2, 36), Ok(&["tini=0.19"]));
        case(&["absent|", "tini"], (2, 36), Ok(&["tini=0.19"]));
        case(&["absent|gone"], (2, 36), Err("absent or gone"));
    }
}
