//! Records of the Dockerfile and of what is sent.

use super::digest::hex;
use super::inputs::{Entry, Inputs, Kind, Tree};
use super::record::Record;
use crate::manifest::Service;

/// The Dockerfile's bytes, and the stage that is built.
pub fn dockerfile<'a>(
    service: &'a Service,
    inputs: &'a Inputs,
    reasons: &mut Vec<String>,
) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    match &inputs.dockerfile {
        Ok(bytes) => {
            let fields = [bytes.sha256.as_str().into(), bytes.length.to_string().into()];
            records.push(Record::new("bytes", fields));
        }
        Err(reason) => reasons.push(reason.clone()),
    }
    let target = service.target.as_deref();
    records.extend(target.map(|target| Record::new("target", [target.into()])));
    records
}

/// Everything in the context and in named ones that are folders.
pub fn contexts<'a>(inputs: &'a Inputs, reasons: &mut Vec<String>) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    match &inputs.context {
        Ok(tree) => records.extend(of_tree(tree)),
        Err(reason) => reasons.push(reason.clone()),
    }
    for (name, tree) in &inputs.named {
        // Also an empty folder is a context of that name.
        records.push(Record::new("named", [name.as_str().into()]));
        match tree {
            Ok(tree) => records.extend(of_tree(tree).map(|record| record.of("named", name))),
            Err(reason) => reasons.push(reason.clone()),
        }
    }
    records
}

fn of_tree(tree: &Tree) -> impl Iterator<Item = Record<'_>> {
    tree.entries.iter().flat_map(of_entry)
}

fn of_entry(entry: &Entry) -> impl Iterator<Item = Record<'_>> {
    let path = || entry.path.as_str().into();
    let (record, first) = match &entry.kind {
        Kind::Folder { mode } => (Record::new("folder", [path(), mode.text()]), None),
        Kind::File { mode, blob, first } => {
            let fields = [path(), mode.text(), hex(&blob.0).into()];
            (Record::new("file", fields), first.as_deref())
        }
        Kind::Link { text } => (Record::new("link", [path(), (**text).into()]), None),
    };
    let first = first.map(|first| Record::new("hard-link", [path(), first.into()]));
    let xattrs = entry.xattrs.iter().map(|(name, value)| {
        let fields = [entry.path.as_str().into(), name.as_str().into(), hex(value).into()];
        Record::new("xattr", fields)
    });
    std::iter::once(record).chain(first).chain(xattrs)
}
