//! What is hot, what was cold, and what came of it: for people and as JSON.

use super::super::build_images::reading::Reading;
use crate::plan::cache::CACHE_TAG;
use crate::plan::warm::{Cold, State};
use crate::report::seconds;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What there is to tell.
pub struct Telling<'a> {
    /// `origin/dev`, `v1.2.3`
    pub name: &'a str,
    /// 40 or 64 hex digits
    pub commit: &'a str,
    /// By service
    pub services: BTreeMap<String, Service>,
}

/// One service.
pub struct Service {
    cache: String,
    fingerprint: Option<String>,
    state: State,
    came: Option<Came>,
}

/// What came of warming a cache.
pub enum Came {
    /// It is hot after so many seconds of building
    Warmed(f64),
    /// It is not, and why
    Failed(String),
}

impl Telling<'_> {
    /// Adds a service as it was found.
    pub fn add(&mut self, reading: &Reading, service: &str, state: State) {
        let facts = &reading.world.facts;
        let identity = facts.identities.get(service).and_then(|identity| identity.as_ref().ok());
        let cache = format!("{}:{CACHE_TAG}", facts.image(service));
        let fingerprint = identity.map(|fingerprint| fingerprint.whole.clone());
        self.services.insert(service.into(), Service { cache, fingerprint, state, came: None });
    }

    /// Says what came of one that was cold.
    pub fn came(&mut self, service: &str, came: Came) {
        if let Some(service) = self.services.get_mut(service) {
            service.came = Some(came);
        }
    }

    /// The services that were found cold.
    pub fn cold(&self) -> Vec<String> {
        let cold = self.services.iter().filter(|(_, it)| matches!(it.state, State::Cold(_)));
        cold.map(|(name, _)| name.clone()).collect()
    }

    /// Whether all could be told.
    pub fn is_known(&self) -> bool {
        self.services.values().all(|service| !matches!(service.state, State::Unknown(_)))
    }

    /// Whether all are hot now.
    pub fn is_hot(&self) -> bool {
        self.services.values().all(|service| match (&service.state, &service.came) {
            (_, Some(Came::Warmed(_))) => true,
            (state, _) => *state == State::Hot,
        })
    }

    /// A line a service.
    pub fn text(&self) -> String {
        let width = self.services.keys().map(String::len).max().unwrap_or_default();
        let lines = self
            .services
            .iter()
            .map(|(name, service)| format!("{name:width$}  {}", service.text()));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The same.
    pub fn json(&self) -> Value {
        let services = self.services.iter().map(|(name, service)| service.json(name));
        json!({
            "schema": 1,
            "of": self.name,
            "commit": self.commit,
            "services": services.collect::<Vec<Value>>(),
        })
    }
}

impl Service {
    fn text(&self) -> String {
        let was = match &self.state {
            State::Hot => "hot".into(),
            State::Cold(why) => format!("cold: {why}"),
            State::Unknown(why) => format!("unknown: {why}"),
        };
        match &self.came {
            None => was,
            Some(Came::Warmed(took)) => format!("warmed in {} (was {was})", seconds(*took)),
            Some(Came::Failed(why)) => format!("not warmed: {why} (was {was})"),
        }
    }

    fn json(&self, name: &str) -> Value {
        let (state, reason) = match &self.state {
            State::Hot => ("hot", None),
            State::Cold(why) => ("cold", Some(why.to_string())),
            State::Unknown(why) => ("unknown", Some(why.clone())),
        };
        let mut value = json!({
            "service": name,
            "cache": self.cache,
            "fingerprint": self.fingerprint,
            "state": state,
        });
        if let Some(reason) = reason {
            value["reason"] = reason.into();
        }
        if let State::Cold(Cold::Gone(blobs)) = &self.state {
            value["gone"] = json!(blobs);
        }
        match &self.came {
            None => {}
            Some(Came::Warmed(took)) => {
                value["outcome"] = "warmed".into();
                value["seconds"] = json!(took);
            }
            Some(Came::Failed(why)) => {
                value["outcome"] = "failed".into();
                value["error"] = why.as_str().into();
            }
        }
        value
    }
}
