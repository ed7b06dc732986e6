//! Text to tokens, by byte pair encoding.

use super::Vocabulary;
use super::split::pieces;

impl Vocabulary {
    /// The tokens of a text, never special tokens.
    ///
    /// Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016. A token's id is its rank: ids were given
    /// in the order in which pairs were found.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        pieces(text).flat_map(|piece| self.encode_piece(piece.as_bytes())).collect()
    }

    fn encode_piece(&self, piece: &[u8]) -> Vec<u32> {
        // Where parts begin, and where the last ends.
        let mut bounds: Vec<usize> = (0..=piece.len()).collect();
        loop {
            let pairs = bounds.windows(3).enumerate();
            let merged = pairs.filter_map(|(at, pair)| Some((self.token(&piece[pair[0]..pair[2]])?, at)));
            let Some((_, at)) = merged.min() else { break };
            bounds.remove(at + 1);
        }
        bounds.windows(2).filter_map(|part| self.token(&piece[part[0]..part[1]])).collect()
    }
}
