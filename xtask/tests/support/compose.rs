//! What compose has started.
#![allow(dead_code)]

use super::support::engine;

/// The container that a service of a compose project has; empty where it has none.
pub fn container(project: &str, service: &str) -> String {
    let label = format!("label=com.docker.compose.project={project}");
    let service = format!("label=com.docker.compose.service={service}");
    engine().docker(&["ps", "--quiet", "--filter", &label, "--filter", &service])
}
