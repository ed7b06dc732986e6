//! GPT-2's table of printable stand-ins for bytes.

use std::sync::LazyLock;

/// The character that stands for each byte in a byte-level vocabulary: printable Latin-1 stands for itself, and the
/// rest takes the characters from U+0100 on, in order.
static BYTE_TO_CHAR: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut stand_ins = (0x100..).filter_map(char::from_u32);
    std::array::from_fn(|byte| match byte as u8 {
        printable @ (b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) => char::from(printable),
        _ => stand_ins.next().unwrap_or(char::REPLACEMENT_CHARACTER),
    })
});

/// The character that stands for `byte`.
pub(crate) fn char_of(byte: u8) -> char {
    BYTE_TO_CHAR[usize::from(byte)]
}

/// The bytes that a token's text stands for. Characters outside the table stand for themselves, as in tokens that
/// somebody added to a vocabulary in plain text.
pub(crate) fn bytes_of(token: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(token.len());
    for character in token.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => u8::try_from(code).ok(),
        // Stand-ins cover, in this order: 0x00..=0x20, 0x7F..=0xA0, 0xAD.
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7F).ok(),
        0x143 => Some(0xAD),
        _ => None,
    }
}

/// Whether `byte` can occur in UTF-8 text.
pub(crate) fn occurs_in_utf8(byte: u8) -> bool {
    !matches!(byte, 0xC0 | 0xC1 | 0xF5..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_its_own_inverse() {
        for byte in 0..=u8::MAX {
            assert_eq!(bytes_of(&char_of(byte).to_string()), [byte]);
        }
        assert_eq!(char_of(b' '), 'Ġ');
        assert_eq!(char_of(b'\n'), 'Ċ');
    }

    #[test]
    fn text_outside_the_table_stands_for_itself() {
        assert_eq!(bytes_of("日"), "日".as_bytes());
    }
}
