//! Guesses at what a model writes next: what followed where the text ended as it does now. Tasks copy from their prompt, so
//! that most guesses come true, and a pass that checks some tokens takes about the time of one (Saxena, "Prompt Lookup
//! Decoding", 2023; Yang et al., "Inference with Reference", 2023). The model decides about each of them all the same.

/// Tokens that a guess has to rest on, at most; more are not looked at.
const LONGEST: usize = 8;

/// Guesses, the more carefully the more guesses were wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guesser {
    /// Tokens that have to be alike.
    needed: usize,
}

impl Guesser {
    pub(crate) fn new() -> Self {
        Self { needed: 1 }
    }

    /// At most `most` tokens that may follow `text`, of which the first is `possible`: those behind the longest run of tokens that
    /// `text` ends with, and of equals, the last.
    pub(crate) fn guess<'a>(&self, text: &'a [u32], most: usize, possible: impl Fn(u32) -> bool) -> &'a [u32] {
        let (mut longest, mut start) = (self.needed - 1, text.len());
        for end in (1..text.len()).rev() {
            let alike = alike_at_end(&text[..end], text);
            if alike > longest && possible(text[end]) {
                (longest, start) = (alike, end);
                if longest == LONGEST {
                    break;
                }
            }
        }
        &text[start..text.len().min(start + most)]
    }

    /// Takes note of how many of the guessed tokens were right.
    pub(crate) fn learn(&mut self, guessed: usize, right: usize) {
        if guessed > 0 {
            self.needed = if right > 0 { self.needed.div_ceil(2) } else { (2 * self.needed).min(LONGEST) };
        }
    }
}

/// How many tokens both end with, up to [`LONGEST`].
fn alike_at_end(left: &[u32], right: &[u32]) -> usize {
    left.iter().rev().zip(right.iter().rev()).take(LONGEST).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &[u32], most: usize) -> &[u32] {
        Guesser::new().guess(text, most, |_| true)
    }

    #[test]
    fn what_followed_the_longest_run_is_guessed() {
        assert_eq!(guess(&[1, 2, 3, 4, 9, 3, 7, 2, 3], 2), [4, 9]);
        assert_eq!(guess(&[5, 1, 8, 5, 2, 5], 1), [2], "of equals, the last");
        assert_eq!(guess(&[5, 6, 5], 8), [6, 5], "no more than there is");
        for nothing in [&[][..], &[1], &[1, 2, 3]] {
            assert!(guess(nothing, 3).is_empty());
        }
        assert!(guess(&[1, 1], 0).is_empty());
    }

    #[test]
    fn what_cannot_follow_is_not_guessed() {
        assert_eq!(Guesser::new().guess(&[5, 1, 8, 5, 2, 5], 2, |token| token != 2), [1, 8]);
    }

    #[test]
    fn wrong_guesses_make_careful() {
        let text = [1, 2, 3, 9, 2, 3];
        let mut guesser = Guesser::new();
        guesser.learn(3, 0);
        assert_eq!(guesser.guess(&text, 1, |_| true), [9]);
        guesser.learn(3, 0);
        assert!(guesser.guess(&text, 1, |_| true).is_empty());
        guesser.learn(0, 0);
        assert!(guesser.guess(&text, 1, |_| true).is_empty());
        guesser.learn(3, 1);
        assert_eq!(guesser.guess(&text, 1, |_| true), [9]);
    }
}
