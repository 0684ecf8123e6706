//! What is fetched for which purpose.

/// A set of packages that is fetched and unpacked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageSet {
    /// dockerd, its clients, the registry, and what they call
    Engine,
    /// mmdebstrap and what it runs on
    Mmdebstrap,
    /// What tests call
    Tests,
    /// The browser that tests look at timelines with
    Browser,
}

/// The packages of a set. An entry `a|b` is the first of them that exists; one that ends with `|`
/// may be absent.
#[derive(Clone, Copy, Debug)]
pub struct Contents {
    /// The name of its folder
    pub name: &'static str,
    /// What to call it in a message
    pub purpose: &'static str,
    /// How much space fetching and unpacking takes at most, the lists of packages included
    pub megabytes: u64,
    /// The newest versions that the machine's libc can run, whatever suite they are from, without
    /// what they depend on
    pub newest: &'static [&'static str],
    /// From the machine's own release, with all that they depend on and that the machine lacks
    pub own: &'static [&'static str],
    /// From the machine's own release, alone
    pub alone: &'static [&'static str],
    /// Programs that the machine may have itself: when one comes or goes, the set is made anew
    pub depends_on: &'static [&'static str],
}

impl PackageSet {
    /// What is in it.
    pub fn contents(self) -> Contents {
        match self {
            Self::Engine => Contents {
                name: "engine",
                purpose: "the private engine",
                megabytes: 700,
                newest: &[
                    "docker.io",
                    "docker-cli|",
                    "docker-buildx",
                    "docker-compose|docker-compose-v2",
                    "docker-registry",
                    "containerd",
                    "tini-static",
                ],
                // runc and the tools below it are bound to the machine's own libc and kernel tools.
                own: &["runc", "iptables", "nftables", "iproute2", "libsystemd0"],
                alone: &[],
                depends_on: &["runc", "iptables", "nft", "ip"],
            },
            Self::Mmdebstrap => Contents {
                name: "mmdebstrap",
                purpose: "making base images",
                megabytes: 300,
                newest: &[],
                own: &["perl", "gpgv", "mount"],
                // Alone, since the Python that it depends on is only for options that we do not use.
                alone: &["mmdebstrap", "debian-archive-keyring"],
                depends_on: &["perl", "gpgv", "mount"],
            },
            Self::Tests => Contents {
                name: "tests",
                purpose: "the tests",
                megabytes: 200,
                newest: &[],
                own: &["python3", "shellcheck"],
                alone: &[
                    "busybox-static",
                    "python3-pip-whl",
                    "zsh",
                    "fish",
                    "fish-common",
                    "libpcre2-32-0",
                ],
                depends_on: &["python3", "shellcheck"],
            },
            Self::Browser => Contents {
                name: "browser",
                purpose: "a browser for the tests",
                megabytes: 800,
                newest: &[],
                own: &["chromium", "fonts-dejavu-core"],
                alone: &[],
                depends_on: &["chromium"],
            },
        }
    }
}
