//! Which addresses an engine may use: a block that nothing on the machine uses. Pure.

use std::fmt;
use std::net::Ipv4Addr;

/// A range of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    base: u32,
    bits: u8,
}

impl Block {
    /// Reads `10.1.0.0/16`; without a slash it is one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let address: Ipv4Addr = address.parse().ok()?;
        Some(Self { base: u32::from(address) & mask(bits), bits })
    }

    /// Whether they share an address.
    pub fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.bits.min(other.bits));
        self.base & mask == other.base & mask
    }

    /// The bridge's own address with its network: the first /24 of the block.
    pub fn bridge_address(self) -> String {
        format!("{}/24", Ipv4Addr::from(self.base + 1))
    }

    /// The second half, out of which compose's networks are made.
    pub fn pool(self) -> Self {
        let bits = self.bits + 1;
        Self { base: self.base + (1 << (32 - bits)), bits }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.bits)
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

/// A block of 4,096 addresses that overlaps with nothing in use; `seed` spreads the engines.
pub fn choose(used: &[Block], seed: u8) -> Option<Block> {
    let within = |first: u32, count: u32| {
        (0..count)
            .map(move |i| Block { base: first + (((i + u32::from(seed)) % count) << 12), bits: 20 })
    };
    let candidates = within(0xAC1F_0000, 16).chain(within(0x0AC8_0000, 256));
    candidates.into_iter().find(|block| !used.iter().any(|other| other.overlaps(*block)))
}

/// All addresses and networks in the output of `ip -4 -o addr` and `ip -4 route show table all`. The
/// default route is none.
pub fn parse_used(text: &str) -> Vec<Block> {
    let words = text.split_whitespace().filter(|word| word.contains('.'));
    words.filter_map(Block::parse).filter(|block| block.bits > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(list: &[&str]) -> Vec<Block> {
        list.iter().map(|text| Block::parse(text).unwrap()).collect()
    }

    #[test]
    fn parts_of_a_block() {
        let block = Block::parse("172.31.16.0/20").unwrap();
        assert_eq!(block.bridge_address(), "172.31.16.1/24");
        assert_eq!(block.pool().to_string(), "172.31.24.0/21");
        for bad in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "::1/64"] {
            assert_eq!(Block::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn overlaps() {
        let block = Block::parse("172.31.16.0/20").unwrap();
        for (other, expected) in [
            ("172.31.31.255", true),
            ("172.31.32.0/20", false),
            ("172.16.0.0/12", true),
            ("172.31.17.0/24", true),
            ("10.0.0.0/8", false),
        ] {
            assert_eq!(block.overlaps(Block::parse(other).unwrap()), expected, "{other}");
        }
    }

    #[test]
    fn a_free_block_is_found() {
        let choice = |used: &[&str], seed| choose(&blocks(used), seed).unwrap().to_string();
        assert_eq!(choice(&[], 0), "172.31.0.0/20");
        assert_eq!(choice(&[], 17), "172.31.16.0/20");
        assert_eq!(choice(&["172.31.0.5"], 0), "172.31.16.0/20");
        assert_eq!(choice(&["172.16.0.0/12"], 0), "10.200.0.0/20");
        assert_eq!(choose(&blocks(&["172.16.0.0/12", "10.0.0.0/8"]), 0), None);
    }

    #[test]
    fn what_ip_prints() {
        let text = "1: lo    inet 127.0.0.1/8 scope host lo\ndefault via 10.0.2.2 dev eth0 \n172.31.0.0/16 dev eth0\n0.0.0.0/0 x\n";
        let expected = blocks(&["127.0.0.1/8", "10.0.2.2", "172.31.0.0/16"]);
        assert_eq!(parse_used(text), expected);
    }
}
