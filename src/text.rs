//! The folded form of text, which sorting, uniqueness and every search go by, and the words of a search.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most words a search may have.
pub const MAX_WORDS: usize = 10;

/// Folds text: compatibility forms resolved (NFKD), diacritics dropped in every script but kana (where they make
/// another letter), Hangul syllables kept whole, lower case, `ß` as `ss`, `ł` as `l`, `ø` as `o`, final sigma as sigma.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // Runs of ASCII need no tables. What follows one never composes with it: of all marks only kana's are kept.
        let ascii = rest.bytes().take_while(u8::is_ascii).count();
        let (plain, other) = rest.split_at(ascii);
        folded.extend(plain.chars().map(|c| c.to_ascii_lowercase()));
        let run = other.find(|c: char| c.is_ascii()).unwrap_or(other.len());
        let (other, after) = other.split_at(run);
        if !other.is_empty() {
            fold_run(other, &mut folded);
        }
        rest = after;
    }
    folded
}

/// Folds a run of characters beyond ASCII.
fn fold_run(text: &str, folded: &mut String) {
    let kept = |c: &char| !is_combining_mark(*c) || matches!(c, '\u{3099}' | '\u{309A}');
    // Lower case can bring marks of its own (İ does), so marks are dropped after it as well as before.
    let lower = text.nfkd().filter(kept).flat_map(char::to_lowercase).nfkd().filter(kept);
    let mut run = String::with_capacity(text.len());
    for c in lower {
        match c {
            'ß' => run.push_str("ss"),
            'ł' => run.push('l'),
            'ø' => run.push('o'),
            'ς' => run.push('σ'),
            c => run.push(c),
        }
    }
    folded.extend(run.nfc());
}

/// The words of a search, folded. Never operators: every character of a word counts as itself.
pub fn words(query: &str) -> Vec<String> {
    query.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect()
}

/// The distinct pairs of neighbouring characters in folded text, written so that any tokenizer keeps them whole: what
/// the two-character search indexes hold.
pub fn bigrams(folded: &str) -> String {
    let mut pairs: Vec<(char, char)> = folded
        .chars()
        .zip(folded.chars().skip(1))
        .filter(|(a, b)| !a.is_whitespace() && !b.is_whitespace())
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut text = String::with_capacity(pairs.len() * 7);
    for (a, b) in pairs {
        push_bigram(&mut text, a, b);
        text.push(' ');
    }
    text
}

/// One pair of characters as a token of a two-character index.
pub fn bigram(a: char, b: char) -> String {
    let mut token = String::new();
    push_bigram(&mut token, a, b);
    token
}

/// Two code points in hexadecimal with an `x` between them; by hand, because a ticket has hundreds.
fn push_bigram(text: &mut String, a: char, b: char) {
    for (n, c) in [a, b].into_iter().enumerate() {
        if n > 0 {
            text.push('x');
        }
        let code = u32::from(c);
        let digits = (8 - code.leading_zeros() / 4).max(1);
        for place in (0..digits).rev() {
            text.push(char::from(b"0123456789abcdef"[(code >> (4 * place) & 15) as usize]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_and_diacritics_in_every_script() {
        for (text, folded) in [
            ("Straße", "strasse"),
            ("ẞ", "ss"),
            ("Łódź Ørsted", "lodz orsted"),
            ("ΟΔΟΣ", "οδοσ"),
            ("Ἀθῆναι", "αθηναι"),
            ("İstanbul", "istanbul"),
            ("ﬁnd ①", "find 1"),
            ("Ёлка", "елка"),
            ("Việt Nam", "viet nam"),
            ("Cafe\u{301}s a\u{3099}B", "cafes a\u{3099}b"),
            ("مُحَمَّد", "محمد"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn keeps_kana_and_hangul_whole() {
        assert_eq!(fold("がぎパ"), "がぎパ");
        assert_eq!(fold("ｶﾞ"), "ガ");
        assert_ne!(fold("が"), fold("か"));
        assert_eq!(fold("한국어"), "한국어");
        assert!(!fold("한").contains(&fold("하")));
    }

    #[test]
    fn words_are_never_operators() {
        assert_eq!(words("  \"a  AND\tb* \n"), ["\"a", "and", "b*"]);
        assert!(words(" \u{301} ").is_empty());
    }

    #[test]
    fn bigrams_are_distinct_and_never_span_a_space() {
        assert_eq!(bigrams("aa aab"), "61x61 61x62 ");
    }
}
