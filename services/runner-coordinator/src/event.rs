//! What a git server says about one pushed ref.

use serde::{Deserialize, Serialize};

/// A push event. The same id always comes with the same content: a sender that got no answer sends it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushEvent {
    /// Unique, chosen by the sender.
    pub id: String,
    /// `name` or `folder/name`
    pub repository: String,
    /// The full name, as `refs/heads/main`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where the ref stood; zeros: nowhere, it is new.
    pub before: String,
    /// Where it stands; zeros: nowhere, it was deleted.
    pub after: String,
    /// Who pushed.
    #[serde(default)]
    pub pusher: String,
    /// When, as the sender's clock has it.
    #[serde(default)]
    pub at: String,
}

impl PushEvent {
    /// A deleted ref leaves nothing that a job could work on.
    pub fn is_deletion(&self) -> bool {
        self.after.bytes().all(|byte| byte == b'0')
    }

    /// What is wrong with it, if anything.
    pub fn check(&self) -> Result<(), String> {
        for (name, text, longest) in [
            ("id", &self.id, 100),
            ("repository", &self.repository, 250),
            ("ref", &self.reference, 1000),
            ("pusher", &self.pusher, 100),
            ("at", &self.at, 40),
        ] {
            if text.len() > longest || text.chars().any(char::is_control) {
                return Err(format!(
                    "`{name}` is longer than {longest} bytes or contains control characters"
                ));
            }
        }
        if self.id.is_empty() || self.repository.is_empty() {
            return Err("`id` and `repository` must not be empty".to_owned());
        }
        if !self.reference.starts_with("refs/") {
            return Err(format!(
                "`ref` must be a full name like `refs/heads/main`, not `{}`",
                self.reference
            ));
        }
        for (name, text) in [("before", &self.before), ("after", &self.after)] {
            let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if !hex || ![40, 64].contains(&text.len()) {
                return Err(format!("`{name}` must be an object id of 40 or 64 hex digits"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> PushEvent {
        PushEvent {
            id: "e-1".into(),
            repository: "team/app".into(),
            reference: "refs/heads/main".into(),
            before: "0".repeat(40),
            after: "a".repeat(40),
            pusher: "ann".into(),
            at: String::new(),
        }
    }

    #[track_caller]
    fn refused(change: impl Fn(&mut PushEvent), part: &str) {
        let mut event = event();
        change(&mut event);
        let error = event.check().unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn good_events() {
        assert_eq!(event().check(), Ok(()));
        let sha256 = PushEvent { before: "0".repeat(64), after: "b".repeat(64), ..event() };
        assert_eq!(sha256.check(), Ok(()));
        assert!(!event().is_deletion());
        assert!(PushEvent { after: "0".repeat(40), ..event() }.is_deletion());
    }

    #[test]
    fn bad_events() {
        refused(|event| event.id.clear(), "`id`");
        refused(|event| event.repository.clear(), "`repository`");
        refused(|event| event.repository.push('\n'), "control");
        refused(|event| event.reference = "main".into(), "`refs/heads/main`, not `main`");
        refused(|event| event.reference.push_str(&"x".repeat(1000)), "`ref` is longer");
        refused(|event| event.before = "A".repeat(40), "`before`");
        refused(|event| event.after = "a".repeat(41), "`after`");
    }
}
