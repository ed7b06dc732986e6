//! Splits text into the pieces that tokens do not cross, as for GPT-2's vocabulary.

/// What English words end with.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Contractions; letters, digits or marks, with a space before them; and white space.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let len = first_piece(rest);
        let (piece, left) = rest.split_at(len);
        rest = left;
        (len > 0).then_some(piece)
    })
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Letter,
    Digit,
    Mark,
    Space,
}

fn kind(character: char) -> Kind {
    match character {
        _ if character.is_whitespace() => Kind::Space,
        _ if character.is_alphabetic() => Kind::Letter,
        _ if character.is_numeric() => Kind::Digit,
        _ => Kind::Mark,
    }
}

/// Bytes of the piece that `text` begins with.
fn first_piece(text: &str) -> usize {
    if let Some(contraction) = CONTRACTIONS.iter().find(|contraction| text.starts_with(**contraction)) {
        return contraction.len();
    }
    let run = |from: usize, of: Kind| {
        from + text[from..].find(|character| kind(character) != of).unwrap_or(text.len() - from)
    };
    let space = usize::from(text.starts_with(' '));
    match text[space..].chars().next().map(kind) {
        Some(of) if of != Kind::Space => run(space, of),
        _ => {
            let end = run(0, Kind::Space);
            // The last space belongs to what comes after it.
            match text[..end].char_indices().next_back() {
                Some((last, _)) if end < text.len() && last > 0 => last,
                _ => end,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_gpt_2s() {
        let split = |text| pieces(text).collect::<Vec<_>>();
        assert_eq!(
            split("Zoë's 3 cats, they'll  go!!"),
            ["Zoë", "'s", " 3", " cats", ",", " they", "'ll", " ", " go", "!!"]
        );
        assert_eq!(split(" a\n\nb "), [" a", "\n", "\n", "b", " "]);
        assert_eq!(split("  "), ["  "]);
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split("x2y"), ["x", "2", "y"]);
    }
}
