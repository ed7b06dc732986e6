use std::ops::Range;

/// Which row of a file's tensor is which of the forward pass's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// The same.
    AsInFile,
    /// Of each head, the first `rope_dim` rows are pairs for RoPE: halves in the file, neighbours in the pass.
    PairHalves {
        /// Rows of a head.
        head_dim: usize,
        /// Those that are turned.
        rope_dim: usize,
    },
}

/// Rows (or values of a vector) of a tensor in a file, in the order in which the forward pass has them.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The first of them in the tensor.
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) order: RowOrder,
}

impl RowOrder {
    /// Where a row lies in the file.
    pub fn place(self, row: usize) -> usize {
        let Self::PairHalves { head_dim, rope_dim } = self else { return row };
        let place = match row % head_dim {
            row if row < rope_dim => row % 2 * (rope_dim / 2) + row / 2,
            unturned => unturned,
        };
        row / head_dim * head_dim + place
    }
}

impl Rows {
    /// All rows of a tensor, as they lie.
    pub(crate) fn all(count: usize) -> Self {
        Self { first: 0, count, order: RowOrder::AsInFile }
    }

    /// Where some rows lie in the file, if they follow each other there.
    pub(crate) fn range(&self, rows: &Range<usize>) -> Option<Range<usize>> {
        (self.order == RowOrder::AsInFile).then(|| self.first + rows.start..self.first + rows.end)
    }

    /// Where some rows lie in the file, one by one.
    pub(crate) fn places(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        rows.map(|row| self.first + self.order.place(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_become_neighbours_in_each_head() {
        let order = RowOrder::PairHalves { head_dim: 6, rope_dim: 4 };
        let rows = Rows { first: 100, count: 12, order };
        let places: Vec<usize> = rows.places(0..12).collect();
        assert_eq!(places, [100, 102, 101, 103, 104, 105, 106, 108, 107, 109, 110, 111]);
        assert_eq!(rows.places(7..9).collect::<Vec<_>>(), [108, 107]);
        assert_eq!((rows.range(&(0..12)), Rows::all(12).range(&(3..5))), (None, Some(3..5)));
    }
}
