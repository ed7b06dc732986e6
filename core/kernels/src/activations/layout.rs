//! How products want their activations.

use crate::packed::layout::SUB_BLOCK;

/// Bytes that a sub-block of a row takes in an [`Interleaving`], at most.
pub(super) const MOST_INTERLEAVED: usize = 48;

/// How tiles read several rows of activations where an instruction set does not read them one after the other: the rows of a tile
/// take turns, in an order that the instruction set knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interleaving {
    /// Whose order it is.
    name: &'static str,
    /// Rows of activations in the largest tile.
    rows: usize,
    /// Bytes of a sub-block of a row.
    sub_block: usize,
    /// Values that share a scale, at least, where rows are interleaved.
    group: usize,
}

impl Interleaving {
    /// An order of tiles of up to `rows` rows, an even number, for groups of at least `group` values.
    #[cfg_attr(not(any(target_arch = "aarch64", target_arch = "x86_64")), allow(dead_code))]
    pub(crate) const fn new(name: &'static str, rows: usize, sub_block: usize, group: usize) -> Self {
        assert!(rows.is_multiple_of(2) && sub_block <= MOST_INTERLEAVED);
        Self { name, rows, sub_block, group }
    }
}

/// What a product wants of its activations: see [`crate::Kernels::activation_layout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivationLayout {
    /// Values that share a scale.
    pub(super) group: usize,
    pub(super) interleaving: Option<Interleaving>,
}

impl ActivationLayout {
    /// Groups of `group` values, and rows interleaved where that is done for such groups.
    pub(crate) const fn new(group: usize, interleaving: Option<Interleaving>) -> Self {
        match interleaving {
            Some(Interleaving { group: least, .. }) if group < least => Self { group, interleaving: None },
            _ => Self { group, interleaving },
        }
    }

    /// The same groups, of rows that lie one after the other only.
    pub(crate) fn without_interleaving(self) -> Self {
        Self { interleaving: None, ..self }
    }

    /// Rows that are quantized together.
    pub(super) fn tile_rows(self) -> usize {
        self.interleaving.map_or(1, |interleaving| interleaving.rows)
    }

    /// Bytes of an interleaved row of `cols` values.
    pub(super) fn interleaved_row(self, cols: usize) -> usize {
        self.interleaving.map_or(0, |interleaving| interleaving.sub_block) * (cols / SUB_BLOCK)
    }
}

/// Rows that there is room for where rows are interleaved: one more, where an odd last row makes a pair.
pub(super) const fn interleaved_rows(rows: usize) -> usize {
    rows.next_multiple_of(2)
}
