//! The engine's own bridge, and how containers get out of it. The rules stand in an nftables table of
//! our own, so that taking them away leaves no trace in anyone's tables.

use super::blocks::{self, Block};
use super::files;
use super::packages::Root;
use super::setup::Setup;
use crate::process::Command;
use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// Runs `ip`, `nft` and `iptables` for one engine.
#[derive(Debug)]
pub struct Network<'a> {
    /// Where things are kept
    pub setup: &'a Setup,
    /// Where the tools are
    pub root: &'a Root,
    /// The bridge's name, which is also the table's and the mark of our rules
    pub bridge: &'a str,
    /// Where dockerd records its networks
    pub networks: &'a Utf8Path,
}

impl Network<'_> {
    /// The block of before if it is free or our own bridge has it, else another one.
    pub fn choose_block(&self, before: Option<Block>) -> Result<Block> {
        let links = self.ip(&["-4", "-o", "addr", "show"])?;
        let routes = self.ip(&["-4", "route", "show", "table", "all"])?;
        let ours = |line: &&str| !line.split_whitespace().any(|word| word == self.bridge);
        let mut lines: Vec<&str> = links.lines().chain(routes.lines()).filter(ours).collect();
        let resolver = files::read(Utf8Path::new("/etc/resolv.conf"))?.unwrap_or_default();
        lines.extend(resolver.lines());
        let used = blocks::parse_used(&lines.join("\n"));
        let free = |block: &Block| !used.iter().any(|other| other.overlaps(*block));
        let seed = u8::from_str_radix(&self.bridge[self.bridge.len() - 2..], 16).unwrap_or(0);
        before.filter(free).or_else(|| blocks::choose(&used, seed)).ok_or_else(|| {
            anyhow!("no free addresses for the engine's bridge: 172.31.0.0/16 and 10.200.0.0/12 are in use\nnext: see `ip route`")
        })
    }

    /// Makes the bridge and the rules, whatever of them is there already.
    pub fn raise(&self, block: Block) -> Result<()> {
        if !exists(self.bridge) {
            self.ip(&["link", "add", "name", self.bridge, "type", "bridge"]).context(
                "cannot make a bridge\nnext: see that the kernel has bridges (`modprobe bridge`) and that this container may make them",
            )?;
        }
        self.ip(&["addr", "replace", &block.bridge_address(), "dev", self.bridge])?;
        self.ip(&["link", "set", self.bridge, "up"])?;
        self.allow_forwarding()?;
        let table = self.table();
        let rules = format!(
            "add table ip {table}\ndelete table ip {table}\ntable ip {table} {{\n chain out {{\n  type nat hook postrouting priority 100; policy accept;\n  ip saddr {block} ip daddr != {block} masquerade\n }}\n}}\n"
        );
        let command = self.tool("give containers a way out", "nft", &["-f", "-"]).stdin(rules);
        self.setup.processes.read(&command).context(
            "no network for containers\nnext: see that the kernel has nf_tables with NAT (`modprobe nft_masq`)",
        )?;
        self.pass_other_firewalls(block)
    }

    /// Another Docker, or a firewall, may let nothing through that it does not know: in its chain, and
    /// only if there is one, stand two rules of ours.
    fn pass_other_firewalls(&self, block: Block) -> Result<()> {
        let chain = self.forward_rules();
        let indifferent = chain.iter().all(|rule| rule == "-P FORWARD ACCEPT");
        if indifferent || chain.iter().any(|rule| rule.contains(self.bridge)) {
            return Ok(());
        }
        let block = block.to_string();
        let state = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
        for way in [vec!["-s", &block], [&["-d", block.as_str()][..], &state].concat()] {
            let comment = ["-m", "comment", "--comment", self.bridge, "-j", "ACCEPT"];
            let args = [&["-w", "-I", "FORWARD"][..], &way, &comment].concat();
            let command = self.tool("let containers' packets through", "iptables", &args);
            self.setup.processes.read(&command)?;
        }
        Ok(())
    }

    /// Takes away everything of ours: rules, the bridge, and the bridges of compose's networks.
    pub fn lower(&self) -> Result<()> {
        let table = self.table();
        let delete = format!("add table ip {table}\ndelete table ip {table}\n");
        let nft = self.tool("remove the table", "nft", &["-f", "-"]).stdin(delete);
        self.setup.processes.read(&nft).ok();
        for rule in self.forward_rules().iter().filter(|rule| rule.contains(self.bridge)) {
            let args: Vec<&str> = rule.split_whitespace().skip(1).collect();
            let args = [&["-w", "-D"][..], &args].concat();
            let command = self.tool("remove a rule", "iptables", &args);
            self.setup.processes.read(&command).ok();
        }
        let networks = std::fs::read(self.networks).unwrap_or_default();
        let interfaces = interfaces();
        let of_network = |name: &&String| is_of_network(name, &networks);
        for name in interfaces.iter().filter(|name| *name == self.bridge || of_network(name)) {
            self.ip(&["link", "delete", name])?;
        }
        Ok(())
    }

    fn allow_forwarding(&self) -> Result<()> {
        let switch = files::read(Utf8Path::new(IP_FORWARD))?.unwrap_or_default();
        if switch.trim() == "1" {
            return Ok(());
        }
        files::write(&was_off(self.setup), "off before\n")?;
        files::set_switch(IP_FORWARD, "1")
    }

    fn forward_rules(&self) -> Vec<String> {
        let command = self.tool("look at the firewall", "iptables", &["-w", "-S", "FORWARD"]);
        let rules = self.setup.processes.read(&command).unwrap_or_default();
        rules.lines().map(str::to_owned).collect()
    }

    fn table(&self) -> String {
        self.bridge.replace('-', "_")
    }

    fn ip(&self, args: &[&str]) -> Result<String> {
        self.setup.processes.read(&self.tool("set up the engine's network", "ip", args))
    }

    fn tool(&self, doing: &str, program: &str, args: &[&str]) -> Command {
        Command::new(doing, program).args(args.iter().copied()).envs(&self.root.env(self.setup))
    }
}

/// Bytes that have gone over a bridge in both directions since it was made.
pub fn moved(bridge: &str) -> Option<u64> {
    let count = |name: &str| -> Option<u64> {
        let file = format!("/sys/class/net/{bridge}/statistics/{name}");
        files::read(Utf8Path::new(&file)).ok()??.trim().parse().ok()
    };
    Some(count("rx_bytes")? + count("tx_bytes")?)
}

/// Whether there is such an interface, asked in the cheapest way.
pub fn exists(interface: &str) -> bool {
    interfaces().iter().any(|name| name == interface)
}

fn interfaces() -> Vec<String> {
    let table = files::read(Utf8Path::new("/proc/net/dev")).ok().flatten().unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Puts forwarding back to off if it was we who turned it on.
pub fn restore_forwarding(setup: &Setup) -> Result<()> {
    let mark = was_off(setup);
    if mark.exists() {
        files::set_switch(IP_FORWARD, "0")?;
        files::remove_file(&mark)?;
    }
    Ok(())
}

fn was_off(setup: &Setup) -> camino::Utf8PathBuf {
    setup.cache.join("engine/.ip-forward-was-off")
}

/// Whether an interface is the bridge `br-<12 digits of the id>` of a network in dockerd's own records.
fn is_of_network(interface: &str, records: &[u8]) -> bool {
    interface.strip_prefix("br-").is_some_and(|id| {
        id.len() == 12 && records.windows(id.len()).any(|window| window == id.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bridges_of_the_engines_own_networks_are_taken() {
        let records = b"\0\x01network/v1.0/0a1b2c3d4e5f6677\0{}";
        for (name, expected) in [
            ("br-0a1b2c3d4e5f", true),
            ("br-0a1b2c3d4e50", false),
            ("br-", false),
            ("br-net", false),
            ("0a1b2c3d4e5f", false),
        ] {
            assert_eq!(is_of_network(name, records), expected, "{name}");
        }
        assert!(!is_of_network("br-0a1b2c3d4e5f", b""));
    }
}
