//! Prompt lookup: guesses the next tokens from what followed the current end of the text earlier. Tasks copy from their
//! prompt, so most guesses are right, and a pass that checks several tokens takes about as long as one (Saxena, "Prompt
//! Lookup Decoding", 2023; Yang et al., "Inference with Reference", 2023). The model still decides about every token.

/// The maximum number of tokens that are compared.
const LONGEST: usize = 8;

/// The number of wrong guesses in a row before more tokens must match.
const PATIENCE: u32 = 4;

/// Makes guesses, the more carefully the more guesses in a row were wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guesser {
    wrong: u32,
}

impl Guesser {
    /// At most `most` tokens that may follow `text`, the first of which is `possible`: those after the longest earlier
    /// run of tokens that `text` ends with, and among equals after the last. A single token with several continuations
    /// is no evidence.
    pub(crate) fn guess<'a>(&self, text: &'a [u32], most: usize, possible: impl Fn(u32) -> bool) -> &'a [u32] {
        let (mut longest, mut start, mut several) = (0, text.len(), false);
        for end in (1..text.len()).rev() {
            let alike = alike_at_end(&text[..end], text);
            if alike < longest.max(1) || !possible(text[end]) {
                continue;
            }
            if alike > longest {
                (longest, start, several) = (alike, end, false);
            } else {
                several |= text[end] != text[start];
            }
            if longest == LONGEST {
                break;
            }
        }
        match longest < self.needed() || (longest == 1 && several) {
            true => &[],
            false => &text[start..text.len().min(start + most)],
        }
    }

    /// Records how many guessed tokens were right.
    pub(crate) fn learn(&mut self, guessed: usize, right: usize) {
        if guessed > 0 {
            self.wrong = if right > 0 { 0 } else { self.wrong.saturating_add(1) };
        }
    }

    /// The number of tokens that must match.
    fn needed(&self) -> usize {
        1 << (self.wrong / PATIENCE).min(LONGEST.ilog2())
    }
}

/// The length of the common suffix, up to [`LONGEST`].
fn alike_at_end(left: &[u32], right: &[u32]) -> usize {
    left.iter().rev().zip(right.iter().rev()).take(LONGEST).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &[u32], most: usize) -> &[u32] {
        Guesser::default().guess(text, most, |_| true)
    }

    #[test]
    fn what_followed_the_longest_run_is_guessed() {
        assert_eq!(guess(&[1, 2, 3, 4, 9, 3, 7, 2, 3], 2), [4, 9]);
        assert_eq!(guess(&[7, 5, 1, 7, 5, 2, 7, 5], 1), [2], "of equals, the last");
        assert_eq!(guess(&[5, 6, 5], 8), [6, 5], "no more than there is");
        for nothing in [&[][..], &[1], &[1, 2, 3]] {
            assert!(guess(nothing, 3).is_empty());
        }
        assert!(guess(&[5, 1, 8, 5, 2, 5], 1).is_empty(), "a token that went on in two ways");
        assert_eq!(guess(&[5, 1, 8, 5, 1, 5], 1), [1], "and in one");
        assert!(guess(&[1, 1], 0).is_empty());
    }

    #[test]
    fn what_cannot_follow_is_not_guessed() {
        assert_eq!(Guesser::default().guess(&[5, 1, 8, 5, 2, 5], 2, |token| token != 2), [1, 8]);
    }

    #[test]
    fn wrong_guesses_make_careful() {
        // Tokens that are alike, and how many wrong guesses in a row it takes until nothing rests on them.
        for (alike, guesses) in [(1, PATIENCE), (2, 2 * PATIENCE), (4, 3 * PATIENCE)] {
            let text: Vec<u32> = (0..alike).chain([9]).chain(0..alike).collect();
            let mut guesser = Guesser::default();
            for _ in 0..guesses {
                assert_eq!(guesser.guess(&text, 1, |_| true), [9]);
                guesser.learn(1, 0);
            }
            assert!(guesser.guess(&text, 1, |_| true).is_empty());
            guesser.learn(0, 0);
            assert!(guesser.guess(&text, 1, |_| true).is_empty());
            guesser.learn(3, 1);
            assert_eq!(guesser.guess(&text, 1, |_| true), [9]);
        }
        let long = [4; LONGEST + 1];
        assert_eq!(
            Guesser { wrong: u32::MAX }.guess(&long, 1, |_| true),
            [4],
            "what is alike for long is always guessed"
        );
    }
}
