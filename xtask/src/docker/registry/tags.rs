//! Tags: listed over all pages, and taken away where a registry can do that.

use super::exchange::Request;
use super::message::Incoming;
use super::url::Url;
use super::{Answer, Kind, Reason, Reference, Registry};
use serde::Deserialize;
use ureq::http::Method;

/// How many tags are asked for at once, and how many pages are read at most.
const PAGE: &str = "1000";
const PAGES: usize = 1000;
/// The longest page, in bytes.
const LIMIT: u64 = 8 << 20;

/// What became of a request to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone
    Done,
    /// It was not there
    Absent,
    /// This registry does not delete such things
    Unsupported(Reason),
}

#[derive(Deserialize)]
struct Page {
    /// Some registries write `null` for none
    tags: Option<Vec<String>>,
}

impl Registry {
    /// All tags of a repository, sorted as text. A repository without tags and one that
    /// does not exist may look the same: registries differ.
    pub fn tags(&self, repository: &Reference) -> Answer<Vec<String>> {
        let mut request = Request::new(self, Method::GET, repository, "tags/list").may_be_absent();
        request.url = request.url.query("n", PAGE);
        let mut tags = Vec::new();
        for _ in 0..PAGES {
            let (page, next) = match self.ask(&request, |incoming| self.page(&request, incoming)) {
                Ok(Some(page)) => page,
                Ok(None) if tags.is_empty() => return Answer::Absent,
                Ok(None) => return garbage(&request, "a page of the list is gone").into(),
                Err(reason) => return reason.into(),
            };
            tags.extend(page);
            match next {
                None => {
                    tags.sort_unstable();
                    tags.dedup();
                    return Answer::Found(tags);
                }
                Some(next) if next == request.url => break,
                Some(next) => request.url = next,
            }
        }
        garbage(&request, "the list has no end").into()
    }

    /// Deletes a manifest by digest (with ALL tags that point at it), or only a tag where the
    /// reference has no digest. Many registries can do one or none of both.
    pub fn delete_manifest(&self, reference: &Reference) -> Result<Deletion, Reason> {
        let path = format!("manifests/{}", reference.key());
        let request = Request::new(self, Method::DELETE, reference, &path).may_be_absent();
        let by_tag = reference.digest().is_none();
        match self.ask(&request, |incoming| {
            self.shared.wire.drain(incoming);
            Ok(())
        }) {
            Ok(Some(())) => Ok(Deletion::Done),
            Ok(None) => Ok(Deletion::Absent),
            // Distribution up to 2.8 takes a tag for a broken digest and answers 400.
            Err(reason) if reason.status == Some(405) || (by_tag && reason.status == Some(400)) => {
                Ok(Deletion::Unsupported(reason))
            }
            Err(reason) => Err(reason),
        }
    }

    fn page(
        &self,
        request: &Request<'_>,
        incoming: Incoming,
    ) -> Result<(Vec<String>, Option<Url>), Reason> {
        let next = incoming.header("link").and_then(next);
        let next = match next.map(|next| request.url.join(next)) {
            None => None,
            Some(Some(next)) if next.same_server(&request.origin) => Some(next),
            Some(_) => return Err(garbage(request, "the next page is on another server")),
        };
        let bytes = self.shared.wire.read(incoming, LIMIT)?;
        let page: Page = serde_json::from_slice(&bytes)
            .map_err(|e| garbage(request, format!("no list of tags: {e}")))?;
        Ok((page.tags.unwrap_or_default(), next))
    }
}

/// The target of a `Link` header with `rel="next"` (RFC 8288).
fn next(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next"
        };
        parameters.split(';').any(is_next).then_some(target)
    })
}

fn garbage(request: &Request<'_>, detail: impl std::fmt::Display) -> Reason {
    Reason::new(Kind::Garbage, format!("tags of {}{}", request.url.host, request.url.path), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        for (header, expected) in [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            ("<https://h/x>;rel=next", Some("https://h/x")),
            (r#"</p>; rel="prev", </n>; title="t"; REL="next""#, Some("/n")),
            (r#"</p>; rel="prev""#, None),
            ("rubbish", None),
            ("", None),
        ] {
            assert_eq!(next(header), expected, "{header}");
        }
    }
}
