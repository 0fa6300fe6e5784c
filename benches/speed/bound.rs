//! What was bound to a statement's parameters, found out by comparing its text with the one in which SQLite has filled them in.

use rusqlite::types::Value;

/// A parameter: by its name or number, and what was bound to it. Nothing is what a list of ids looks like, and NULL.
pub type Bound = (String, Value);

/// The parameters of a statement, in the order of their first use. Nothing if the two texts do not belong together.
pub fn bound(sql: &str, filled: &str) -> Option<Vec<Bound>> {
    let (sql, filled) = (sql.as_bytes(), filled.as_bytes());
    let (mut at, mut there, mut unnamed) = (0, 0, 0);
    let mut found: Vec<Bound> = vec![];
    while let Some(byte) = sql.get(at) {
        match byte {
            b'\'' => {
                let length = quoted(&sql[at..])?;
                (at, there) = (at + length, there + length);
            }
            b'?' | b':' => {
                let length =
                    1 + sql[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                let mut name = String::from_utf8(sql[at..at + length].to_vec()).ok()?;
                if name == "?" {
                    unnamed += 1;
                    name = format!("?{unnamed}");
                }
                let (value, taken) = literal(&filled[there..])?;
                if !found.iter().any(|(known, _)| *known == name) {
                    found.push((name, value));
                }
                (at, there) = (at + length, there + taken);
            }
            byte if filled.get(there) == Some(byte) => (at, there) = (at + 1, there + 1),
            _ => return None,
        }
    }
    Some(found)
}

/// How long a text in quotes is, with them.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.iter().position(|byte| *byte == b'\'')? + 1;
        if text.get(at) != Some(&b'\'') {
            return Some(at);
        }
        at += 1;
    }
}

/// The literal that stands here, and how long it is.
fn literal(text: &[u8]) -> Option<(Value, usize)> {
    match text.first()? {
        b'\'' => {
            let length = quoted(text)?;
            let inner = std::str::from_utf8(&text[1..length - 1]).ok()?;
            Some((Value::Text(inner.replace("''", "'")), length))
        }
        b'x' => {
            let length = 1 + quoted(&text[1..])?;
            let digits = std::str::from_utf8(&text[2..length - 1]).ok()?;
            let bytes =
                (0..digits.len()).step_by(2).map(|n| u8::from_str_radix(digits.get(n..n + 2)?, 16).ok());
            Some((Value::Blob(bytes.collect::<Option<_>>()?), length))
        }
        b'N' => text.starts_with(b"NULL").then_some((Value::Null, 4)),
        _ => {
            let length =
                text.iter().take_while(|byte| byte.is_ascii_digit() || b"-+.e".contains(byte)).count();
            let number = std::str::from_utf8(&text[..length]).ok()?;
            let value = number.parse().map(Value::Integer).or_else(|_| number.parse().map(Value::Real));
            Some((value.ok()?, length))
        }
    }
}
