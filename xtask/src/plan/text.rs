//! The plan as a person reads it.

use super::cache::{Destination, Source, State};
use super::{Plan, ServicePlan};
use std::fmt::{self, Display, Write as _};

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = &self.event;
        let version = event.version.as_ref().map(|v| format!(" v{v}")).unwrap_or_default();
        let fork = if event.fork { " from a fork" } else { "" };
        let revision = event.revision.as_deref().unwrap_or("no commit yet");
        writeln!(f, "event     {}{version}{fork} at {revision}", event.kind)?;
        for service in &self.services {
            writeln!(f)?;
            write!(f, "{service}")?;
        }
        for warning in &self.warnings {
            write!(f, "\nnote: {warning}\n")?;
        }
        Ok(())
    }
}

impl Display for ServicePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}: {}", self.service, self.action.name(), self.reason)?;
        let mut row = |name: &str, text: String| {
            if text.is_empty() { Ok(()) } else { writeln!(f, "  {name:<12}{text}") }
        };
        row("image", self.image.clone())?;
        row("fingerprint", self.fingerprint.clone().unwrap_or_default())?;
        row("published", self.published.clone().unwrap_or_default())?;
        row("builds on", self.depends_on.join(", "))?;
        row("platforms", self.platforms.join(", "))?;
        let tags = if self.push { "tags" } else { "loaded as" };
        row(tags, self.tags.join(", "))?;
        let stays = self.stays.iter().map(|stays| format!("{} ({})", stays.tag, stays.reason));
        row("stays", stays.collect::<Vec<_>>().join(", "))?;
        row("reads", list(self.cache_from.iter().map(source)))?;
        row("writes", list(self.cache_to.iter().map(destination)))
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.fold(String::new(), |mut text, item| {
        // Writing to a string cannot fail.
        write!(text, "{}{item}", if text.is_empty() { "" } else { ", " }).ok();
        text
    })
}

fn source(source: &Source) -> String {
    match source {
        Source::Registry { r#ref, state } => {
            let state = match state {
                State::Present => "",
                State::Absent => " (absent)",
                State::Unknown => " (unknown)",
            };
            format!("{ref}{state}")
        }
        Source::Gha { scope, .. } => format!("gha scope {scope}"),
    }
}

fn destination(destination: &Destination) -> String {
    match destination {
        Destination::Registry { r#ref, mode, .. } => format!("{ref} mode={mode}"),
        Destination::Gha { scope, mode, .. } => format!("gha scope {scope} mode={mode}"),
        Destination::Inline => "inline".into(),
    }
}
