//! Text of others on one line of a terminal: nothing in it moves the cursor, and it fits.

/// On one line: blanks for each run of them, and nothing that a terminal would obey.
pub fn on_one_line(text: &str) -> String {
    let text: String = text.lines().map(harmless).collect::<Vec<_>>().join(" ");
    let words = text.split(char::is_whitespace);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Without what a terminal would obey; tabs and blanks stay.
pub fn harmless(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\x1b' && rest.peek() == Some(&'[') {
            // A colour or a movement ends with a letter.
            rest.by_ref().skip(1).find(|c| ('@'..='~').contains(c));
        } else if c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

/// How many columns a text takes. East Asian characters and emoji take two; this errs towards wide.
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    match u32::from(c) {
        0..0x300 | 0x370..0x1100 | 0x2000..0x2300 | 0x2500..0x2600 => 1,
        0x300..0x370 => 0,
        _ => 2,
    }
}

/// So much of a text as fits into so many columns, with `…` where it is cut.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = width.saturating_sub(1);
    for c in text.chars() {
        let Some(rest) = left.checked_sub(self::width(c)) else { break };
        left = rest;
        kept.push(c);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// Bytes for people: `340 kB`, `1.2 MB`, `12 MB`.
pub fn size(bytes: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    match units.iter().find(|(unit, _)| bytes >= *unit * 0.9995) {
        Some((unit, name)) if bytes / unit < 9.95 => format!("{:.1} {name}", bytes / unit),
        Some((unit, name)) => format!("{:.0} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        assert_eq!(on_one_line(" a\n\tb\x1b[31mc\r d\x07"), "a bc d");
        assert_eq!(harmless("\x1b[31mred\x1b[0m\ttab\r\x07!"), "red\ttab!");
        assert_eq!(harmless("\x1b["), "");
    }

    #[test]
    fn texts_are_cut_by_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(columns("é…日e\u{301}"), 5);
    }

    #[test]
    fn sizes_are_for_people() {
        let all = [0, 999, 1_000, 9_949, 12_345, 999_600, 1_234_567, 12_000_000_000].map(size);
        let said = ["0 B", "999 B", "1.0 kB", "9.9 kB", "12 kB", "1.0 MB", "1.2 MB", "12 GB"];
        assert_eq!(all, said);
    }
}
