//! `[bases]`: the external images that Dockerfiles start from, and how they are made without a hub.

use super::project::checked;
use super::reader::{Reader, Table, Text};
use super::values::{self, Fault};
use super::{Base, Bootstrap, keys};
use crate::diagnostic::quoted;
use std::collections::BTreeMap;

/// `[bases]`.
pub(super) fn bases(
    reader: &mut Reader<'_>,
    top: &Table<'_>,
    registry: &str,
) -> BTreeMap<String, Base> {
    let Some(section) = reader.section(top, "bases", &[]) else { return BTreeMap::new() };
    let mut bases = BTreeMap::new();
    for (name, _) in section.iter() {
        reader.check(&name.span, base_name(name.text, registry));
        bases.insert(name.text.to_owned(), base(reader, &section, &name));
    }
    bases
}

fn base_name(name: &str, registry: &str) -> Result<(), Fault> {
    values::image(name)?;
    match name.strip_prefix(registry).filter(|_| !registry.is_empty()) {
        Some(rest) if rest.starts_with('/') => {
            let fault =
                Fault::new(format!("base {} is one of this manifest's services", quoted(name)));
            Err(fault.help("leave it out: what a service builds on is read from its Dockerfile"))
        }
        _ => Ok(()),
    }
}

fn base(reader: &mut Reader<'_>, section: &Table<'_>, name: &Text<'_>) -> Base {
    let Some(table) = reader.table(section, name.text, keys::BASE) else {
        return Base { bootstrap: None };
    };
    let table = Table { title: format!("base {}", quoted(name.text)), ..table };
    reader.unknown_keys(&table);
    Base { bootstrap: bootstrap(reader, &table) }
}

fn bootstrap(reader: &mut Reader<'_>, base: &Table<'_>) -> Option<Bootstrap> {
    let table = reader.table(base, "bootstrap", keys::BOOTSTRAP)?;
    reader.unknown_keys(&table);
    if table.get("debian").is_none() {
        let fault = Fault::new(format!("{} does not say which Debian", table.title));
        reader.absent(&table.span, fault.help("add `debian = \"trixie\"`"));
    }
    let suite = reader.string(&table, "debian");
    let variant = reader.string(&table, "variant");
    let include = reader.strings(&table, "include").unwrap_or_default();
    let package = |text: Text<'_>| {
        reader.check(&text.span, values::package(text.text));
        text.text.to_owned()
    };
    Some(Bootstrap {
        include: include.into_iter().map(package).collect(),
        suite: checked(reader, suite, values::suite).unwrap_or_default(),
        variant: checked(reader, variant, values::variant).unwrap_or_else(|| "minbase".to_owned()),
    })
}
