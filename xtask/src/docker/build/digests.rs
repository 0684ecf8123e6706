//! What was built earlier in a run is not built again: it is referred to by the digest that was
//! pushed, or taken from the cache. Pure.

use super::{Built, Outcome};
use crate::docker::bake::{Definition, target_name};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// The plan's definition, in which what was built already is taken as it is.
pub fn by_digest(plan: &Plan, outcomes: &BTreeMap<String, Outcome>) -> Definition {
    let mut definition = plan.definition.clone();
    let mut digests = BTreeMap::new();
    for service in &plan.services {
        if matches!(outcomes.get(&service.service), Some(Outcome::Built(_))) {
            definition.is_built(&target_name(&service.service));
        }
        let handle = plan.definition.target.get(&target_name(&service.service));
        let handle = handle.and_then(|target| target.tags.first());
        if let (Some(handle), Some(Outcome::Built(Built { digest: Some(digest), .. }))) =
            (handle, outcomes.get(&service.service))
        {
            digests.insert(
                format!("docker-image://{handle}"),
                format!("docker-image://{}@{digest}", service.image),
            );
        }
    }
    for context in definition.target.values_mut().flat_map(|target| target.contexts.values_mut()) {
        if let Some(digest) = digests.get(context) {
            context.clone_from(digest);
        }
    }
    definition
}
