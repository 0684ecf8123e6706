//! `[services]`: every service and its keys.

use super::project::{checked, platforms};
use super::reader::{Empty, Reader, Table, Text};
use super::secrets::{secrets, ssh};
use super::values::{self, Fault};
use super::{Project, Service, keys};
use crate::diagnostic::quoted;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// The longest name of a repository that registries take.
const LONGEST: usize = 255;
pub(super) const NETWORKS: [&str; 3] = ["default", "none", "host"];

/// The section itself; that there is none, or nothing in it, is said.
pub(super) fn section<'a>(reader: &mut Reader<'_>, top: &Table<'a>) -> Option<Table<'a>> {
    let section = reader.section(top, "services", &[]);
    let empty = section.as_ref().is_some_and(|section| section.entries.is_empty());
    if empty || top.get("services").is_none() {
        let span = if empty { top.place("services") } else { top.span.clone() };
        let help = "add `[services.web]` for what is built from `services/web/Dockerfile`";
        reader.absent(&span, Fault::new("there are no services").help(help));
    }
    section
}

/// All services of the section.
pub(super) fn services(
    reader: &mut Reader<'_>,
    section: &Table<'_>,
    project: &Project,
) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for (name, value) in section.iter() {
        if reader.is_broken(&value.span()) {
            continue;
        }
        let DeValue::Table(entries) = value.get_ref() else {
            misplaced(reader, section, &name);
            continue;
        };
        check_name(reader, &name, project);
        let title = format!("service {}", quoted(name.text));
        let table = Table { title, span: name.span, known: keys::SERVICE, entries };
        services.insert(name.text.to_owned(), service(reader, &table, name.text, project));
    }
    services
}

/// A key of a service that stands outside any service.
fn misplaced(reader: &mut Reader<'_>, section: &Table<'_>, name: &Text<'_>) {
    let shown = quoted(name.text);
    let fault = Fault::new(format!("service {shown} must be a table"));
    let help = if keys::SERVICE.iter().any(|(key, ..)| *key == name.text) {
        format!("{shown} belongs below the `[services.NAME]` that it is for")
    } else {
        format!("write `[services.{}]`, and its keys below", name.text)
    };
    reader.wrong(&section.place(name.text), fault.help(help));
}

fn check_name(reader: &mut Reader<'_>, name: &Text<'_>, project: &Project) {
    let valid = values::component("service name", name.text);
    reader.check(&name.span, valid.and_then(|()| values::reserved(name.text)));
    let path = project.registry.split_once('/').map_or("", |(_, path)| path);
    if path.len() + 1 + name.text.len() > LONGEST {
        let fault = Fault::new(format!("service name {} is too long", quoted(name.text)));
        let help = format!("an image's name has at most {LONGEST} characters");
        reader.wrong(&name.span, fault.help(help));
    }
}

fn service(reader: &mut Reader<'_>, table: &Table<'_>, name: &str, project: &Project) -> Service {
    reader.unknown_keys(table);
    let context = path(reader, table, "context");
    let context = context.unwrap_or_else(|| Utf8PathBuf::from("services").join(name));
    let dockerfile = path(reader, table, "dockerfile");
    let target = reader.string(table, "target");
    let description = reader.string(table, "description");
    let shm_size = reader.string(table, "shm-size");
    let refresh = reader.string(table, "refresh");
    Service {
        name: name.to_owned(),
        description: description.map(|text| text.text.to_owned()),
        dockerfile: dockerfile.unwrap_or_else(|| inside_of(&context, "Dockerfile")),
        context,
        target: checked(reader, target, values::stage),
        args: args(reader, table),
        volatile_args: volatile_args(reader, table),
        contexts: contexts(reader, table),
        secrets: secrets(reader, table),
        ssh: ssh(reader, table),
        labels: labels(reader, table),
        network: network(reader, table),
        extra_hosts: extra_hosts(reader, table),
        shm_size: checked(reader, shm_size, values::shm_size),
        platforms: platforms(reader, table).unwrap_or_else(|| project.platforms.clone()),
        epoch: reader.number(table, "epoch").unwrap_or(0),
        refresh: refresh.and_then(|text| reader.check(&text.span, values::duration(text.text))),
        test: test(reader, table),
    }
}

/// A path that stays inside the repository, as far as its text tells.
fn path(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Option<Utf8PathBuf> {
    let text = reader.string(table, key)?;
    reader.check(&text.span, values::inside(key, text.text))
}

/// `folder/file`, without `./` where the folder is the root.
fn inside_of(folder: &Utf8PathBuf, file: &str) -> Utf8PathBuf {
    if folder == "." { file.into() } else { folder.join(file) }
}

fn args(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    for (name, value) in reader.map(table, "args", Empty::Fine) {
        reader.check(&name.span, values::arg_name("a build argument", name.text));
        args.insert(name.text.to_owned(), value.text.to_owned());
    }
    args
}

fn volatile_args(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for name in reader.strings(table, "volatile-args").unwrap_or_default() {
        if let Some((before, _)) = name.text.split_once('=') {
            let fault = Fault::new(format!("volatile argument {} has a value", quoted(before)));
            let help = "name it alone; its value stands in `args` or in the environment";
            reader.wrong(&name.span, fault.help(help));
        } else {
            reader.check(&name.span, values::arg_name("a build argument", name.text));
        }
        names.push(name.text.to_owned());
    }
    names
}

/// What is run in the image: a program and its arguments, not a line for a shell.
fn test(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<String> {
    let Some(words) = reader.list(table, "test") else { return Vec::new() };
    if words.is_empty() {
        let fault = Fault::new(format!("`test` in {} is empty", table.title));
        let help = "name what is run in the image, or leave the key out";
        reader.wrong(&table.place("test"), fault.help(help));
    }
    let words = words.iter().filter_map(|word| reader.text(table, "test", word));
    words.map(|word| word.text.to_owned()).collect()
}

fn contexts(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, String> {
    let mut contexts = BTreeMap::new();
    for (name, value) in reader.map(table, "contexts", Empty::Wrong) {
        if name.text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '=') {
            let fault = Fault::new(format!("{} is no name of a context", quoted(name.text)));
            reader.wrong(&name.span, fault.help("name it as `COPY --from=NAME` does"));
        }
        if let Some(context) = reader.check(&value.span, values::named_context(value.text)) {
            contexts.insert(name.text.to_owned(), context);
        }
    }
    contexts
}

fn labels(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (name, value) in reader.map(table, "labels", Empty::Fine) {
        reader.check(&name.span, values::label(name.text));
        labels.insert(name.text.to_owned(), value.text.to_owned());
    }
    labels
}

fn network(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<String> {
    let text = reader.string(table, "network")?;
    if !NETWORKS.contains(&text.text) {
        let fault = Fault::new(format!("unknown network {}", quoted(text.text)));
        reader.wrong(&text.span, fault.did_you_mean(text.text, &NETWORKS));
    }
    Some(text.text.to_owned())
}

fn extra_hosts(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, String> {
    let mut hosts = BTreeMap::new();
    for (name, address) in reader.map(table, "extra-hosts", Empty::Wrong) {
        reader.check(&name.span, values::host_name(name.text));
        reader.check(&address.span, values::address(address.text));
        hosts.insert(name.text.to_owned(), address.text.to_owned());
    }
    hosts
}
