//! Numbers with units: how long, how much.

use super::Fault;
use crate::diagnostic::quoted;
use std::time::Duration;

const MINUTE: u64 = 60;
const UNITS: [(&str, u64); 4] =
    [("m", MINUTE), ("h", 60 * MINUTE), ("d", 24 * 60 * MINUTE), ("w", 7 * 24 * 60 * MINUTE)];

/// One number and one unit: `30m`, `12h`, `7d`, `2w`.
pub fn duration(text: &str) -> Result<Duration, Fault> {
    let help = "write one number and `m`, `h`, `d` or `w`, for example `7d`";
    let malformed = || Fault::new(format!("{} is no duration", quoted(text))).help(help);
    let (number, unit) = split(text);
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
    if number.is_empty() {
        return Err(malformed());
    }
    let product = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*seconds));
    match product {
        Some(0) => {
            let fault = Fault::new(format!("{} is no time at all", quoted(text)));
            Err(fault.help("leave the key out, or say how old an image may become"))
        }
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(Fault::new(format!("duration {} is too long", quoted(text))).help(help)),
    }
}

/// A size as docker writes it: a number and `b`, `k`, `m` or `g`.
pub fn shm_size(text: &str) -> Result<(), Fault> {
    let (number, unit) = split(text);
    let amount = number.parse::<u32>().unwrap_or(0);
    if amount > 0 && matches!(unit, "" | "b" | "k" | "m" | "g") {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is no size", quoted(text)));
    let first = unit.trim_start().chars().next().map(|c| c.to_ascii_lowercase());
    Err(match first {
        Some(unit @ ('b' | 'k' | 'm' | 'g')) if amount > 0 => {
            fault.help(format!("did you mean `{amount}{unit}`?"))
        }
        _ => fault.help("write a number above 0 and `b`, `k`, `m` or `g`, for example `64m`"),
    })
}

/// Leading digits, and the rest.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let seconds = |text: &str| duration(text).map(|d| d.as_secs()).ok();
        assert_eq!(seconds("30m"), Some(1_800));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("2w"), Some(1_209_600));
        for bad in
            ["", "d", "7", "7 d", "7D", "-7d", "1d12h", "0d", "7s", "99999999999999999999d", "９d"]
        {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        for good in ["64m", "1g", "65536", "512k", "1b"] {
            assert!(shm_size(good).is_ok(), "{good}");
        }
        for bad in ["", "m", "0m", "64M", "64mb", "1.5g", "-1m", "64 m"] {
            assert!(shm_size(bad).is_err(), "{bad}");
        }
    }
}
