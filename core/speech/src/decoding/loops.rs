//! Text that goes round and round.

/// Tokens of the longest round.
const LONGEST: usize = 24;
/// A loop is at least so many rounds, and at least so many tokens.
const ROUNDS: usize = 4;
const TOKENS: usize = 24;
/// Rounds of a shorter loop, at least, where the text is nothing else: what music is taken for.
const ALL_ROUNDS: usize = 8;

/// Whether the text's end is the same again and again.
pub(super) fn go_round(text: &[u32]) -> bool {
    round(text).is_some()
}

/// Tokens of the text that are left when its end is said once only.
pub(super) fn without_repetition(text: &[u32]) -> usize {
    let Some(round) = round(text) else { return text.len() };
    let repeated = (round..text.len()).rev().take_while(|&at| text[at] == text[at - round]).count();
    text.len() - repeated
}

/// Tokens of the round that the text's end repeats.
fn round(text: &[u32]) -> Option<usize> {
    let repeats = |round: usize, len: usize| {
        text.len() >= len && (text.len() - len + round..text.len()).all(|at| text[at] == text[at - round])
    };
    (1..=LONGEST).find(|&round| {
        let is_all = text.len() >= ALL_ROUNDS * round && repeats(round, text.len());
        is_all || repeats(round, (ROUNDS * round).max(TOKENS))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_found_and_cut_to_one_round() {
        let lead: Vec<u32> = (100..110).collect();
        for round in [1, 3, 24] {
            let rounds = 24usize.div_ceil(round).max(4);
            let repeated = (0..round as u32).cycle().take(rounds * round);
            let text: Vec<u32> = lead.iter().copied().chain(repeated).collect();
            assert!(go_round(&text), "{round}");
            assert!(!go_round(&text[..text.len() - round]), "{round}: one round fewer is no loop");
            assert_eq!(without_repetition(&text), lead.len() + round);
        }
        assert!(!go_round(&(0..200).collect::<Vec<u32>>()));
        assert!(!go_round(&[]));
        // A text that is nothing but a short word, again and again; with another word before it, it may have been said.
        let short = |rounds: usize| [8, 9].repeat(rounds);
        assert!(go_round(&short(8)) && !go_round(&short(7)));
        assert_eq!(without_repetition(&short(9)), 2);
        assert!(!go_round(&[&[7], &short(8)[..]].concat()));
        // A word that is said three times.
        assert!(!go_round(&[5, 6, 7, 7, 7]));
    }
}
