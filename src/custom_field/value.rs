//! What a value of a custom field must look like. The types are those of HTML's form controls, and so are the formats.
//! <https://html.spec.whatwg.org/multipage/input.html>

use jiff::civil::{Date, Time};

use super::model::FieldType;
use crate::error::Check;
use crate::scalar::{self, Email};

/// What is wrong with a value, if anything is.
pub fn wrong(kind: FieldType, value: &str) -> Option<&'static str> {
    let (fits, message) = match kind {
        FieldType::Date => (is_date(value), "must be a date such as 2026-03-15"),
        FieldType::DatetimeLocal => {
            (is_date_time(value), "must be a date and a time of day such as 2026-03-15T14:30")
        }
        FieldType::Time => (is_time(value), "must be a time of day such as 14:30"),
        FieldType::Email => (is_email(value), "must be an e-mail address"),
        FieldType::Number => (is_number(value), "must be a number such as 12 or 0.5"),
        FieldType::Tel => (is_telephone(value), "must be a telephone number such as +1 555 0100"),
        FieldType::Url => (is_web_address(value), "must be an address such as https://example.com/page"),
        FieldType::Text => (!value.contains(['\r', '\n']), "must be one line of text"),
        FieldType::Textarea => (true, ""),
    };
    (!fits).then_some(message)
}

/// Whether text has digits wherever the picture has a zero, and what the picture has elsewhere.
fn is_like(text: &str, picture: &str) -> bool {
    let fits = |(c, like): (u8, u8)| if like == b'0' { c.is_ascii_digit() } else { c == like };
    text.len() == picture.len() && text.bytes().zip(picture.bytes()).all(fits)
}

// The time library reads more than these formats have: offsets, leap seconds, weeks.

fn is_date(text: &str) -> bool {
    is_like(text, "0000-00-00") && text.parse::<Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    let is_like_one = is_like(text, "00:00") || is_like(text, "00:00:00") && !text.ends_with(":60");
    is_like_one && text.parse::<Time>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    text.split_once('T').is_some_and(|(date, time)| is_date(date) && is_time(time))
}

fn is_email(text: &str) -> bool {
    let mut found = Check::default();
    scalar::check::<Email>(text, "email", &mut found);
    found.finish().is_ok()
}

/// As JSON writes numbers, and no longer than any value: a bare one in a body has no limit of its own.
fn is_number(text: &str) -> bool {
    text.len() <= 100_000 && text.trim() == text && text.parse::<serde_json::Number>().is_ok()
}

fn is_telephone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let allowed = |c: char| c.is_ascii_digit() || " +-()./#*,;ext".contains(c);
    (3..=40).contains(&digits) && text.chars().count() <= 60 && text.chars().all(allowed)
}

fn is_web_address(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    !host.is_empty() && !host.starts_with([':', '.', '@']) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_type() {
        use FieldType::{Date, DatetimeLocal, Email, Number, Tel, Text, Textarea, Time, Url};
        let good = [
            (Date, "2024-02-29"),
            (DatetimeLocal, "2026-03-15T14:30"),
            (DatetimeLocal, "2026-03-15T14:30:59"),
            (Time, "23:59"),
            (Email, "zoë@desk.example"),
            (Number, "-12.5e3"),
            (Number, "0"),
            (Tel, "+1 (555) 010-0 ext 7"),
            (Url, "https://example.com:8080/a?b=c#d"),
            (Url, "HTTP://localhost"),
            (Text, "Chrome 120"),
            (Textarea, "two\nlines"),
        ];
        for (kind, value) in good {
            assert_eq!(wrong(kind, value), None, "{kind} {value}");
        }
        let bad = [
            (Date, "2026-02-30"),
            (Date, "2026-3-5"),
            (Date, "2026-W10-1"),
            (Date, "15.03.2026"),
            (DatetimeLocal, "2026-03-15 14:30"),
            (DatetimeLocal, "2026-03-15T24:30"),
            (DatetimeLocal, "2026-03-15T14:30Z"),
            (DatetimeLocal, "2026-03-15T14:30-05"),
            (Time, "25:00"),
            (Time, "24:00"),
            (Time, "14:30+01"),
            (Time, "23:59:60"),
            (Time, "14.30"),
            (Time, "7:30"),
            (Email, "nobody"),
            (Number, "12 "),
            (Number, "0x1f"),
            (Number, "NaN"),
            (Number, "1,5"),
            (Tel, "call me"),
            (Tel, "+-()"),
            (Url, "example.com"),
            (Url, "javascript:alert(1)"),
            (Url, "https://"),
            (Url, "https://a b"),
            (Text, "two\nlines"),
        ];
        for (kind, value) in bad {
            assert!(wrong(kind, value).is_some(), "{kind} {value}");
        }
    }
}
