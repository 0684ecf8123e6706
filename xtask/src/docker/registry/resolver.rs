//! Names of hosts, each resolved once for many requests.
//!
//! ureq resolves for every request, also on a connection that is kept, and starts a thread for it
//! where there is a time limit.

use crate::parallel::lock;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is good for: the look-ups of a run, not a registry that moves.
const GOOD: Duration = Duration::from_secs(10);

/// Resolves by `R`, but what is an address already, or was resolved a moment ago.
#[derive(Debug, Default)]
pub(super) struct CachingResolver<R = DefaultResolver> {
    resolver: R,
    known: Mutex<BTreeMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl<R: Resolver> Resolver for CachingResolver<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if let Some(address) = literal(uri) {
            return Ok(self.all(&[address]));
        }
        let name = format!("{}://{}", uri.scheme_str().unwrap_or_default(), host_and_port(uri));
        let now = Instant::now();
        if let Some((since, found)) = lock(&self.known).get(&name)
            && now.duration_since(*since) < GOOD
        {
            return Ok(self.all(found));
        }
        let found = self.resolver.resolve(uri, config, timeout)?;
        lock(&self.known).insert(name, (now, found.to_vec()));
        Ok(found)
    }
}

impl<R: Resolver> CachingResolver<R> {
    fn all(&self, found: &[SocketAddr]) -> ResolvedSocketAddrs {
        let mut all = self.empty();
        found.iter().for_each(|address| all.push(*address));
        all
    }
}

fn host_and_port(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

/// The address that a host is by itself: `127.0.0.1`, `[::1]`.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address: IpAddr = host.parse().ok()?;
    let port = match uri.scheme_str()? {
        "https" => 443,
        _ => 80,
    };
    Some(SocketAddr::new(address, uri.port_u16().unwrap_or(port)))
}

#[cfg(test)]
mod tests {
    use super::{CachingResolver, Config, NextTimeout, ResolvedSocketAddrs, Resolver, Uri};
    use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
    use ureq::unversioned::transport::time;

    /// Answers each question with another port.
    #[derive(Debug, Default)]
    struct Counting(AtomicU16);

    impl Resolver for Counting {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            found.push(([10, 0, 0, 1], self.0.fetch_add(1, Relaxed)).into());
            Ok(found)
        }
    }

    #[track_caller]
    fn case(names: &CachingResolver<Counting>, uri: &str, expected: &str) {
        let timeout = NextTimeout {
            after: time::Duration::NotHappening,
            reason: ureq::Timeout::Global,
            ..NextTimeout::default()
        };
        let found = names.resolve(&uri.parse().unwrap(), &Config::default(), timeout).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{uri}");
    }

    #[test]
    fn an_address_is_its_own_answer_and_a_name_is_asked_for_once() {
        let names = CachingResolver::default();
        case(&names, "http://127.0.0.1:5000/v2/", "127.0.0.1:5000");
        case(&names, "http://[::1]:5000/v2/", "[::1]:5000");
        case(&names, "https://192.0.2.1/v2/", "192.0.2.1:443");
        case(&names, "https://one.example/v2/", "10.0.0.1:0");
        case(&names, "https://two.example/v2/", "10.0.0.1:1");
        case(&names, "https://one.example/v2/more", "10.0.0.1:0");
        case(&names, "https://one.example:444/v2/", "10.0.0.1:2");
        case(&names, "http://one.example/v2/", "10.0.0.1:3");
    }
}
