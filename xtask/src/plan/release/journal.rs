//! The contents of the artifacts, as JSON.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a publish is about to do, written before the first tag moves: a run on another machine goes
/// on from it, or puts back what it moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The version of this JSON's form
    pub schema: u32,
    /// Without the `v`
    pub version: String,
    /// The commit
    pub revision: String,
    /// The images, by service
    pub services: BTreeMap<String, Placed>,
    /// Every tag, in the order in which they move
    pub moves: Vec<Move>,
}

/// The image of a service in a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The digest of its index
    pub digest: String,
    /// Its fingerprint; none where it has none
    pub fingerprint: Option<String>,
}

/// A tag of a service that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The service
    pub service: String,
    /// The tag
    pub tag: String,
    /// The digest that it stood on before; none where it was absent
    pub from: Option<String>,
    /// The digest that it shall stand on
    pub to: String,
}

/// What makes a release one: all its images. Written last, in one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this JSON's form
    pub schema: u32,
    /// Without the `v`
    pub version: String,
    /// The commit
    pub revision: String,
    /// When it was published, RFC 3339
    pub created: String,
    /// The images, by service
    pub services: BTreeMap<String, Placed>,
}
