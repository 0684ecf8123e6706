//! `[project]` and `[builders]`.

use super::reader::{Empty, Reader, Table, Text};
use super::values::{self, Fault};
use super::{Project, keys};
use std::collections::BTreeMap;

/// `[project]`. What is wrong in it stands in the reader; the value is then of no use.
pub(super) fn project(reader: &mut Reader<'_>, top: &Table<'_>) -> Project {
    let Some(table) = reader.section(top, "project", keys::PROJECT) else {
        if top.get("project").is_none() {
            let help = "begin with\n[project]\nname = \"shop\"\nregistry = \"ghcr.io/owner/shop\"";
            reader.absent(&top.span, Fault::new("there is no `[project]`").help(help));
        }
        return Project::default();
    };
    reader.unknown_keys(&table);
    let name = required(reader, &table, "name");
    let registry = required(reader, &table, "registry");
    let source = reader.string(&table, "source");
    let licenses = reader.string(&table, "licenses");
    let branch = reader.string(&table, "dev-branch");
    Project {
        name: checked(reader, name, |text| values::component("project name", text))
            .unwrap_or_default(),
        registry: checked(reader, registry, values::registry).unwrap_or_default(),
        source: checked(reader, source, values::url),
        licenses: checked(reader, licenses, values::licenses),
        platforms: platforms(reader, &table).unwrap_or_else(|| vec!["linux/amd64".to_owned()]),
        dev_branch: checked(reader, branch, values::branch).unwrap_or_else(|| "dev".to_owned()),
    }
}

/// `[builders]`: short names of buildx builders.
pub(super) fn builders(reader: &mut Reader<'_>, top: &Table<'_>) -> BTreeMap<String, String> {
    let mut builders = BTreeMap::new();
    let Some(section) = reader.section(top, "builders", &[]) else { return builders };
    for (name, builder) in reader.texts(&section, Empty::Wrong) {
        reader.check(&name.span, values::id("short name of a builder", name.text));
        reader.check(&builder.span, values::id("name of a builder", builder.text));
        builders.insert(name.text.to_owned(), builder.text.to_owned());
    }
    builders
}

/// `platforms`, of the project or of a service.
pub(super) fn platforms(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Vec<String>> {
    let texts = reader.strings(table, "platforms")?;
    if reader.list(table, "platforms").is_some_and(|list| list.is_empty()) {
        let fault = Fault::new(format!("`platforms` in {} is empty", table.title));
        reader.wrong(&table.place("platforms"), fault.help("name one, or leave the key out"));
    }
    let check = |text: Text<'_>| {
        reader.check(&text.span, values::platform(text.text));
        text.text.to_owned()
    };
    Some(texts.into_iter().map(check).collect())
}

/// A text that passed its check.
pub(super) fn checked(
    reader: &mut Reader<'_>,
    text: Option<Text<'_>>,
    check: impl FnOnce(&str) -> Result<(), Fault>,
) -> Option<String> {
    let text = text?;
    reader.check(&text.span, check(text.text))?;
    Some(text.text.to_owned())
}

/// A text that must be there.
fn required<'a>(reader: &mut Reader<'_>, table: &Table<'a>, key: &str) -> Option<Text<'a>> {
    if table.get(key).is_none() {
        let fault = Fault::new(format!("{} has no `{key}`", table.title));
        let example = keys::example(key, table.known).unwrap_or_default();
        reader.absent(&table.span, fault.help(format!("add `{example}`")));
    }
    reader.string(table, key)
}
