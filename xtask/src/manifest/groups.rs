//! `[groups]`: names for several services.

use super::reader::{Reader, Table, Text};
use super::values::{self, Fault};
use crate::diagnostic::quoted;
use crate::nearest::nearest;
use std::collections::BTreeMap;

/// `[groups]`, once the services' names are known (`services`: as far as they could be read).
pub(super) fn groups(
    reader: &mut Reader<'_>,
    top: &Table<'_>,
    services: Option<&Table<'_>>,
) -> BTreeMap<String, Vec<String>> {
    let Some(section) = reader.section(top, "groups", &[]) else { return BTreeMap::new() };
    let mut groups = BTreeMap::new();
    for (name, _) in section.iter() {
        reader.check(&name.span, values::component("group name", name.text));
        if services.is_some_and(|services| services.get(name.text).is_some()) {
            let fault = Fault::new(format!("group {} is a service too", quoted(name.text)));
            reader.wrong(&name.span, fault.help("choose another name: commands take both"));
        }
        groups.insert(name.text.to_owned(), members(reader, &section, &name, services));
    }
    groups
}

fn members(
    reader: &mut Reader<'_>,
    section: &Table<'_>,
    group: &Text<'_>,
    services: Option<&Table<'_>>,
) -> Vec<String> {
    let Some(members) = reader.strings(section, group.text) else { return Vec::new() };
    if reader.list(section, group.text).is_some_and(|list| list.is_empty()) {
        let fault = Fault::new(format!("group {} is empty", quoted(group.text)));
        reader.wrong(&group.span, fault.help("name its services, or leave it out"));
    }
    for member in &members {
        if services.is_none_or(|services| services.get(member.text).is_none()) {
            let fault = unknown(section, group, member, services);
            reader.absent(&member.span, fault);
        }
    }
    members.iter().map(|member| member.text.to_owned()).collect()
}

fn unknown(
    section: &Table<'_>,
    group: &Text<'_>,
    member: &Text<'_>,
    services: Option<&Table<'_>>,
) -> Fault {
    let (name, title) = (quoted(member.text), quoted(group.text));
    if section.get(member.text).is_some() {
        let fault = Fault::new(format!("group {title} has the group {name} in it"));
        return fault.help("groups hold services only: name them one by one");
    }
    let fault = Fault::new(format!("unknown service {name} in group {title}"));
    let names = services.into_iter().flat_map(Table::iter).map(|(name, _)| name.text);
    match nearest(member.text, names) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("add `[services.{}]`, or leave it out", member.text)),
    }
}
