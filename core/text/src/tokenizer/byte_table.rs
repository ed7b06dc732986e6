//! GPT-2's table of printable stand-ins for bytes.

/// Appends the bytes that `text` stands for, and tells whether text can spell it: characters outside the table stand for
/// themselves, as in tokens that somebody added to a vocabulary in plain text, but no bytes are written so.
pub(crate) fn push_bytes(text: &str, bytes: &mut Vec<u8>) -> bool {
    let mut in_table = true;
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => {
                in_table = false;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    in_table
}

fn byte_of(character: char) -> Option<u8> {
    *BYTES.get(character as usize)?
}

/// Bytes by the code of the character that stands for them: printable Latin-1 stands for itself, and the rest takes the
/// characters from U+0100 on, in order.
const BYTES: [Option<u8>; 0x144] = {
    let mut bytes = [None; 0x144];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 0x100 {
        let stand_in = match byte {
            0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => byte,
            _ => {
                next += 1;
                next - 1
            }
        };
        bytes[stand_in] = Some(byte as u8);
        byte += 1;
    }
    bytes
};

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(text: &str) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        let in_table = push_bytes(text, &mut bytes);
        (bytes, in_table)
    }

    #[test]
    fn every_byte_has_its_stand_in() {
        // Printable Latin-1 stands for itself, and the rest takes the characters from U+0100 on, in order.
        let mut others = (0x100..).filter_map(char::from_u32);
        for byte in 0..=u8::MAX {
            let stand_in = match byte {
                b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
                _ => others.next().expect("there are more characters than bytes"),
            };
            assert_eq!(bytes_of(&stand_in.to_string()), (vec![byte], true));
        }
        assert_eq!(bytes_of("ĠaĊ"), (b" a\n".to_vec(), true));
    }

    #[test]
    fn text_outside_the_table_stands_for_itself() {
        assert_eq!(bytes_of("日"), ("日".as_bytes().to_vec(), false));
    }
}
