//! The definition that `docker buildx bake` is given, in its own words and its own JSON.
//!
//! `docker buildx bake --print` drops unknown keys without a word: every definition of the golden
//! tests must come back from it equal.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `docker buildx bake -f -`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Groups by name; `default` is what is built
    pub group: BTreeMap<String, Group>,
    /// Targets by name
    pub target: BTreeMap<String, Target>,
}

/// A group of targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Names of targets
    pub targets: Vec<String>,
}

/// A target. Empty fields are left out, as `--print` leaves them out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    /// `docker buildx build --attest`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attest: Vec<Attributes>,
    /// The build context's folder
    pub context: String,
    /// Named contexts
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, String>,
    /// Relative to the context
    pub dockerfile: String,
    /// Build arguments
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Image labels
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Image names with tags
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Cache sources
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<Attributes>,
    /// Cache destinations
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_to: Vec<Attributes>,
    /// The Dockerfile's stage
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build secrets: ids and where they are, never values
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<Attributes>,
    /// SSH agents
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<Attributes>,
    /// `linux/amd64`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Where the result goes
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Attributes>,
    /// Build everything anew
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_cache: Option<bool>,
    /// Network of RUN
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Size of `/dev/shm`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<String>,
    /// More hosts
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_hosts: BTreeMap<String, String>,
}

/// buildx's comma lists (`type=registry,ref=…`) as objects; strings do not come back equal.
pub type Attributes = BTreeMap<String, Value>;

/// Attributes from pairs of strings.
pub fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> Attributes {
    pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).into()
}

/// A bake target's name for a service. Targets may not have a dot; services have no capitals.
pub fn target_name(service: &str) -> String {
    service.replace('.', "DOT")
}

/// The service of a target's name.
pub fn service_name(target: &str) -> String {
    target.replace("DOT", ".")
}

impl Definition {
    /// The JSON that buildx is given: its strings are HCL templates, so that a literal `${` or `%{`
    /// has to be doubled, and nothing else.
    pub fn to_input(&self) -> Result<Value, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        escape(&mut value);
        Ok(value)
    }

    /// The same with another default group. The other targets stay, for `target:` contexts.
    pub fn with_default(&self, targets: Vec<String>) -> Self {
        let group = [("default".to_owned(), Group { targets })].into();
        Self { group, target: self.target.clone() }
    }

    /// The registry caches that a target reads.
    pub fn caches(&self, target: &str) -> Vec<String> {
        let sources = self.target.get(target).into_iter().flat_map(|target| &target.cache_from);
        sources.filter_map(|source| Some(source.get("ref")?.as_str()?.to_owned())).collect()
    }

    /// Has a target built without some of the registry caches that it reads.
    pub fn leave_out_caches(&mut self, target: &str, caches: &BTreeSet<String>) {
        let is_left_out = |source: &Attributes| {
            source.get("ref").and_then(Value::as_str).is_some_and(|cache| caches.contains(cache))
        };
        if let Some(target) = self.target.get_mut(target) {
            target.cache_from.retain(|source| !is_left_out(source));
        }
    }

    /// Has a target built without any cache.
    pub fn build_anew(&mut self, target: &str) {
        if let Some(target) = self.target.get_mut(target) {
            target.cache_from.clear();
            target.no_cache = Some(true);
        }
    }

    /// Has no target read or write the gha cache.
    pub fn leave_out_gha(&mut self) {
        let is_other = |cache: &Attributes| cache.get("type").is_none_or(|kind| kind != "gha");
        for target in self.target.values_mut() {
            target.cache_from.retain(is_other);
            target.cache_to.retain(is_other);
        }
    }

    /// Whether targets are linked by `target:` that are not given the same secrets.
    ///
    /// BuildKit knows a step by its inputs, not by whose it is: in one bake it asks any target that
    /// needs the step for the secret, and one that has none runs it without.
    pub fn links_other_secrets(&self) -> bool {
        let others = |target: &Target| -> Vec<String> {
            let contexts = target.contexts.values();
            contexts.filter_map(|it| it.strip_prefix("target:").map(str::to_owned)).collect()
        };
        let mut targets = self.target.values();
        targets.any(|target| {
            let mut linked = others(target).into_iter().filter_map(|other| self.target.get(&other));
            linked.any(|other| other.secret != target.secret)
        })
    }

    /// Takes a target from the cache that was built without it before.
    pub fn is_built(&mut self, target: &str) {
        if let Some(target) = self.target.get_mut(target) {
            target.no_cache = None;
        }
    }

    /// The targets that are built.
    pub fn default_targets(&self) -> &[String] {
        self.group.get("default").map_or(&[], |group| &group.targets)
    }
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) => {
            *text = text.replace("${", "$${").replace("%{", "%%{");
        }
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_template_openings_are_escaped() {
        let args = [("A".to_owned(), "${X} %{Y} $Z 100% $$".to_owned())].into();
        let target = Target { args, ..Target::default() };
        let definition =
            Definition { target: [("t".to_owned(), target)].into(), ..Definition::default() };
        let text = serde_json::to_string_pretty(&definition.to_input().unwrap()).unwrap();
        assert!(text.contains(r#""A": "$${X} %%{Y} $Z 100% $$""#), "{text}");
    }

    #[test]
    fn secrets_are_compared_along_links() {
        let secret = |id: &str| vec![attributes([("id", id)])];
        let target = |secrets: &[Attributes], on: &str| Target {
            secret: secrets.to_vec(),
            contexts: [("x".to_owned(), on.to_owned())].into(),
            ..Target::default()
        };
        let differ = |of_base: &[Attributes], on: &str| {
            let targets = [
                ("base".to_owned(), target(of_base, "y")),
                ("web".to_owned(), target(&secret("a"), on)),
            ];
            Definition { target: targets.into(), ..Definition::default() }.links_other_secrets()
        };
        assert!(!differ(&secret("a"), "target:base"));
        assert!(differ(&secret("b"), "target:base"));
        assert!(differ(&[], "target:base"));
        assert!(!differ(&[], "docker-image://base"));
    }

    #[test]
    fn target_names_lead_back_to_services() {
        for service in ["web", "my.app", "a-b_c.d", "1.2"] {
            let name = target_name(service);
            assert!(!name.contains('.'));
            assert_eq!(service_name(&name), service);
        }
    }
}
