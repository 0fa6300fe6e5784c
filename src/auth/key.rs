//! API keys as text: `lodge_ext_` or `lodge_int_`, 43 letters and digits that hold 256 random bits, and six that hold
//! their CRC-32, so that a scanner can tell a leaked key from noise without asking anyone.

use sha2::{Digest, Sha256};

use crate::words;

words! {
    /// Whom a key speaks for.
    KeyType {
        /// An agent: the External API.
        External = "external",
        /// An administrator's program: the Internal API, as far as the key's scopes reach.
        Internal = "internal",
    }
}

impl KeyType {
    fn prefix(self) -> &'static str {
        match self {
            Self::External => "lodge_ext_",
            Self::Internal => "lodge_int_",
        }
    }
}

/// The digits of base 62, in order.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many of them 256 bits take.
const SECRET: usize = 43;
/// How many of them a CRC-32 takes.
const CHECKSUM: usize = 6;

/// What the database keeps of a key: its SHA-256. A fast hash is right for a secret of 256 random bits, and the only one
/// that can be checked on every request (OWASP ASVS 5.0, 6.5.2).
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Makes a new key from 32 random bytes.
pub fn format(kind: KeyType, random: [u8; 32]) -> String {
    let mut digits = [0_u8; SECRET];
    let mut number = random;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::from(divide_by_62(&mut number))];
    }
    let mut key = kind.prefix().to_owned();
    key.extend(digits.map(char::from));
    key.extend(checksum(&key).map(char::from));
    key
}

/// Whether text has the form of a key and its checksum is right. Says nothing about whether the key was ever issued.
pub fn is_well_formed(key: &str) -> bool {
    let Some(rest) = KeyType::ALL.iter().find_map(|kind| key.strip_prefix(kind.prefix())) else {
        return false;
    };
    if rest.len() != SECRET + CHECKSUM || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let (body, sum) = key.split_at(key.len() - CHECKSUM);
    checksum(body) == sum.as_bytes()
}

fn checksum(body: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Divides a big-endian number by 62 in place and returns the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u8 {
    let mut rest = 0_u32;
    for byte in number {
        let value = (rest << 8) | u32::from(*byte);
        *byte = (value / 62) as u8;
        rest = value % 62;
    }
    rest as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_well_formed_and_a_typo_is_not() {
        for random in [[0; 32], [255; 32], [7; 32]] {
            let key = format(KeyType::External, random);
            assert_eq!(key.len(), 59);
            assert!(is_well_formed(&key), "{key}");
            let typo = key.replacen(&key[20..21], if &key[20..21] == "x" { "y" } else { "x" }, 1);
            assert!(!is_well_formed(&typo), "{typo}");
        }
        for bad in ["", "lodge_ext_", "lodge_xxx_0", "ext"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn all_256_bits_reach_the_key() {
        let mut one = [0; 32];
        one[0] = 0x80;
        assert_ne!(format(KeyType::Internal, one), format(KeyType::Internal, [0; 32]));
        assert!(format(KeyType::Internal, [255; 32]).starts_with("lodge_int_"));
    }
}
