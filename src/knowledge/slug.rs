//! Slugs: an article's name in the address bar, made from its title when nobody gives one.

/// The most characters a slug has.
const MOST: usize = 250;

/// The slug of a title: transliterated, lower case, whatever is neither letter nor digit as one `-`. `article` for a
/// title that leaves nothing.
pub fn from_title(title: &str) -> String {
    let mut slug = String::new();
    for c in any_ascii::any_ascii(title).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = cut(&slug, MOST);
    if slug.is_empty() { "article".into() } else { slug.into() }
}

/// The same slug with a number, for the second and later ones.
pub fn numbered(slug: &str, number: usize) -> String {
    let suffix = format!("-{number}");
    format!("{}{suffix}", cut(slug, MOST - suffix.len()))
}

/// At most so many characters of ASCII text, without a `-` at the end.
fn cut(slug: &str, most: usize) -> &str {
    slug[..slug.len().min(most)].trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_transliterated() {
        for (title, slug) in [
            ("How to reset your password?", "how-to-reset-your-password"),
            ("  Größe & Maße – 2. Teil ", "grosse-masse-2-teil"),
            ("Сброс пароля", "sbros-parolya"),
            ("日本", "riben"),
            ("Don't", "don-t"),
            ("***", "article"),
        ] {
            assert_eq!(from_title(title), slug, "{title}");
        }
    }

    #[test]
    fn slugs_have_250_characters_at_most_and_end_with_no_dash() {
        assert_eq!(from_title(&"é".repeat(300)), "e".repeat(250));
        assert_eq!(from_title(&format!("{} b", "a".repeat(249))), "a".repeat(249));
        assert_eq!(numbered(&"a".repeat(250), 12), format!("{}-12", "a".repeat(247)));
        assert_eq!(numbered(&format!("{}-bb", "a".repeat(247)), 2), format!("{}-2", "a".repeat(247)));
    }
}
