//! `secrets` and `ssh` of a service: what a build may read without its becoming part of the image.
//! The values themselves are never read here.

use super::reader::{Reader, Table};
use super::values::{self, Fault};
use super::{Secret, SecretSource, keys};
use crate::diagnostic::quoted;
use std::collections::BTreeSet;
use toml::de::DeValue;

/// `secrets = [{ id = "…", file = "…" }]`.
pub(super) fn secrets(reader: &mut Reader<'_>, service: &Table<'_>) -> Vec<Secret> {
    let mut seen = BTreeSet::new();
    let mut secrets = Vec::new();
    for item in reader.list(service, "secrets").unwrap_or_default() {
        let span = item.span();
        let DeValue::Table(entries) = item.get_ref() else {
            if !reader.is_broken(&span) {
                reader.wrong_type::<()>(service, "secrets", item, "a table");
            }
            continue;
        };
        let title = format!("a secret of {}", service.title);
        let table = Table { title, span: span.clone(), known: keys::SECRET, entries };
        let Some(secret) = secret(reader, &table) else { continue };
        if seen.insert(secret.id.clone()) {
            secrets.push(secret);
        } else {
            let twice = format!("secret {} is twice in {}", quoted(&secret.id), service.title);
            reader.wrong(&table.place("id"), Fault::new(twice).help("leave one out"));
        }
    }
    secrets
}

fn secret(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Secret> {
    reader.unknown_keys(table);
    if table.get("id").is_none() {
        let help = "add the `id` that `RUN --mount=type=secret,id=…` names";
        reader.absent(&table.span, Fault::new(format!("{} has no `id`", table.title)).help(help));
    }
    let id = reader.string(table, "id");
    let source = source(reader, table);
    let optional = reader.boolean(table, "optional").unwrap_or(false);
    let id = id?;
    reader.check(&id.span, values::id("id of a secret", id.text))?;
    Some(Secret { id: id.text.to_owned(), source: source?, optional })
}

/// Exactly one of `file` and `env`.
fn source(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<SecretSource> {
    let file = reader.string(table, "file");
    let env = reader.string(table, "env");
    match (table.get("file"), table.get("env")) {
        (Some(_), Some(_)) => {
            let fault = Fault::new(format!("{} has both `file` and `env`", table.title));
            reader.wrong(&table.place("env"), fault.help("leave one out"));
            // Two secrets of one id are still to be found, so this one counts.
            return file.map(|file| SecretSource::File(file.text.into()));
        }
        (None, None) => {
            let fault = Fault::new(format!("{} says neither `file` nor `env`", table.title));
            reader.absent(&table.span, fault.help("say where its value is: a file or a variable"));
            return None;
        }
        _ => {}
    }
    if let Some(env) = env {
        reader.check(&env.span, values::arg_name("an environment variable", env.text))?;
        return Some(SecretSource::Env(env.text.to_owned()));
    }
    file.map(|file| SecretSource::File(file.text.into()))
}

/// `ssh = ["default", "id=socket"]`.
pub(super) fn ssh(reader: &mut Reader<'_>, service: &Table<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for text in reader.strings(service, "ssh").unwrap_or_default() {
        let (id, path) = text.text.split_once('=').map_or((text.text, None), |(i, p)| (i, Some(p)));
        reader.check(&text.span, values::id("id of an SSH socket", id));
        if path.is_some_and(|path| path.trim().is_empty()) {
            let fault = Fault::new(format!("SSH socket {} has no path", quoted(id)));
            reader.wrong(&text.span, fault.help("write `id=path`, or the `id` alone"));
        }
        if !seen.insert(id) {
            let twice = format!("SSH socket {} is twice in {}", quoted(id), service.title);
            reader.wrong(&text.span, Fault::new(twice).help("leave one out"));
        }
        entries.push(text.text.to_owned());
    }
    entries
}
