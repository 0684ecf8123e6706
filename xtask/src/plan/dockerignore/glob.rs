//! Whether a pattern is well-formed by the rules of Go's `path.Match`, which BuildKit asks first.

/// Whether every class is closed and every escape has something to escape.
pub fn is_well_formed(pattern: &str) -> bool {
    let chars: Vec<char> = pattern.chars().collect();
    let mut rest = &chars[..];
    while !rest.is_empty() {
        let stars = rest.iter().take_while(|c| **c == '*').count();
        let (chunk, after) = chunk(&rest[stars..]);
        if !is_chunk(chunk) {
            return false;
        }
        rest = after;
    }
    true
}

/// Up to the next `*` outside a class; any `]` counts as the end of one here.
fn chunk(chars: &[char]) -> (&[char], &[char]) {
    let mut in_class = false;
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '\\' if i + 1 < chars.len() => i += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        i += 1;
    }
    chars.split_at(i)
}

fn is_chunk(mut chars: &[char]) -> bool {
    while let [first, rest @ ..] = chars {
        chars = match first {
            '[' => match class(rest) {
                Some(rest) => rest,
                None => return false,
            },
            '\\' => match rest {
                [] => return false,
                [_, rest @ ..] => rest,
            },
            _ => rest,
        };
    }
    true
}

/// What follows a class, whose `[` is already taken.
fn class(chars: &[char]) -> Option<&[char]> {
    let mut rest = chars.strip_prefix(&['^']).unwrap_or(chars);
    let mut is_first = true;
    loop {
        if let [']', after @ ..] = rest
            && !is_first
        {
            return Some(after);
        }
        is_first = false;
        rest = class_character(rest)?;
        if let ['-', after @ ..] = rest {
            rest = class_character(after)?;
        }
    }
}

/// What follows a character of a class; something must follow.
fn class_character(chars: &[char]) -> Option<&[char]> {
    let rest = match chars {
        [] | ['-' | ']', ..] => return None,
        ['\\', _, rest @ ..] => rest,
        ['\\'] => return None,
        [_, rest @ ..] => rest,
    };
    (!rest.is_empty()).then_some(rest)
}
