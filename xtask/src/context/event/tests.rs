use super::*;
use serde_json::json;

const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

fn github(name: &str, git_ref: &str) -> BTreeMap<String, String> {
    [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", name),
        ("GITHUB_REF", git_ref),
        ("GITHUB_SHA", SHA),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .into()
}

fn pull_request(head: Option<&str>) -> Value {
    let repo = head.map(|name| json!({ "full_name": name }));
    json!({ "pull_request": { "head": { "repo": repo }, "base": { "repo": { "full_name": "me/it" } } } })
}

#[track_caller]
fn finds(name: &str, git_ref: &str, payload: Option<Value>, kind: &str, fork: bool) {
    let event = find(None, &github(name, git_ref), payload.as_ref(), "dev").unwrap();
    assert_eq!((event.kind.to_string().as_str(), event.fork), (kind, fork));
    assert_eq!(event.git_ref.as_deref(), Some(git_ref));
    assert_eq!(event.revision.as_deref(), Some(SHA));
}

#[track_caller]
fn refuses(name: &str, git_ref: &str, payload: Option<Value>, part: &str) {
    let error = find(None, &github(name, git_ref), payload.as_ref(), "dev").unwrap_err();
    assert_eq!(crate::error::exit_code(&error), 2);
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn each_row_of_the_table_is_found() {
    finds("pull_request", "refs/pull/7/merge", Some(pull_request(Some("me/it"))), "pr", false);
    finds("pull_request", "refs/pull/7/merge", Some(pull_request(Some("you/it"))), "pr", true);
    finds("pull_request", "refs/pull/7/merge", Some(pull_request(None)), "pr", true);
    finds("pull_request", "refs/pull/7/merge", None, "pr", true);
    finds("merge_group", "refs/heads/gh-readonly-queue/main/pr-1", None, "pr", false);
    finds("push", "refs/heads/dev", None, "dev", false);
    finds("push", "refs/tags/v1.2.3", None, "release:v1.2.3", false);
    finds("push", "refs/tags/v1.2.3-rc.1", None, "release:v1.2.3-rc.1", false);
    let local = find(None, &BTreeMap::new(), None, "dev").unwrap();
    assert_eq!((local.kind, local.revision), (Kind::Local, None));
}

#[test]
fn what_fits_no_row_is_an_error() {
    refuses("push", "refs/heads/main", None, "publishes nothing");
    refuses("push", "refs/heads/v1.2.3", None, "publishes nothing");
    refuses("push", "refs/tags/nightly", None, "no version");
    refuses("push", "refs/tags/v1.2", None, "no version");
    refuses("push", "refs/tags/v01.2.3", None, "no version");
    refuses("push", "refs/tags/1.2.3", None, "no version");
    refuses("push", "refs/tags/v99999999999999999999.0.0", None, "no version");
    refuses("push", "refs/tags/v1.2.3+meta", None, "build metadata");
    refuses("push", "refs/heads/dev", Some(json!({ "deleted": true })), "deleted");
    refuses("push", "", None, "cannot tell");
    refuses("schedule", "refs/heads/main", None, "implies nothing");
    refuses("workflow_dispatch", "refs/heads/dev", None, "implies nothing");
    refuses("pull_request_target", "refs/heads/main", None, "secrets");
    refuses("release", "refs/tags/v1.2.3", None, "say `--event`");
    refuses("", "refs/heads/dev", None, "GITHUB_EVENT_NAME");
}

#[test]
fn what_is_asked_for_wins_and_means_head() {
    let event = find(Some("dev"), &github("schedule", "refs/heads/main"), None, "develop").unwrap();
    assert_eq!(event.kind, Kind::Dev);
    assert_eq!(event.git_ref.as_deref(), Some("refs/heads/develop"));
    assert_eq!(event.revision, None);
    let event = find(Some("release:v1.0.0"), &BTreeMap::new(), None, "dev").unwrap();
    assert_eq!(event.git_ref.as_deref(), Some("refs/tags/v1.0.0"));
    for wrong in ["", "release", "release:", "release:1.2.3", "dev:x", "push", "Release:v1.0.0"] {
        assert!(find(Some(wrong), &BTreeMap::new(), None, "dev").is_err(), "{wrong}");
    }
}

#[test]
fn a_pull_request_cannot_be_turned_into_a_publishing_run() {
    for name in ["pull_request", "pull_request_target", "merge_group"] {
        for asked in ["dev", "release:v1.2.3"] {
            let error = find(Some(asked), &github(name, "refs/pull/7/merge"), None, "dev");
            assert!(error.unwrap_err().to_string().contains("never publish"));
        }
    }
    let own = pull_request(Some("me/it"));
    let event = find(Some("pr"), &github("pull_request", "refs/x"), Some(&own), "dev").unwrap();
    assert!(!event.fork);
    let event = find(Some("pr"), &github("pull_request", "refs/x"), None, "dev").unwrap();
    assert!(event.fork);
}
