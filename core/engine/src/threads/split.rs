use std::marker::PhantomData;

/// Buffers that tasks share out among themselves.
///
/// # Safety
/// Parts of different indices must not overlap.
pub unsafe trait Split {
    /// What one task gets.
    type Part;

    /// How many parts there are.
    fn parts(&self) -> usize;

    /// One part.
    ///
    /// # Safety
    /// No part is taken twice while an earlier one is in use, and `index` is less than [`Split::parts`].
    unsafe fn part(&self, index: usize) -> Self::Part;
}

/// A slice in chunks of one length, the last possibly shorter.
pub struct Chunks<'a, T> {
    start: *mut T,
    len: usize,
    chunk: usize,
    lives: PhantomData<&'a mut [T]>,
}

// SAFETY: it stands for a mutable slice, which may be sent to and used from other threads if its elements may; that they
// use different parts is the condition of `Split::part`.
unsafe impl<T: Send> Sync for Chunks<'_, T> {}

impl<'a, T> Chunks<'a, T> {
    /// `slice` in chunks of `chunk` elements.
    ///
    /// # Panics
    /// When `chunk` is zero.
    pub fn new(slice: &'a mut [T], chunk: usize) -> Self {
        assert!(chunk > 0, "chunks hold something");
        Self { start: slice.as_mut_ptr(), len: slice.len(), chunk, lives: PhantomData }
    }
}

// SAFETY: chunk `i` is elements `i * chunk` to `(i + 1) * chunk`: no two meet.
unsafe impl<'a, T> Split for Chunks<'a, T> {
    type Part = &'a mut [T];

    fn parts(&self) -> usize {
        self.len.div_ceil(self.chunk)
    }

    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let start = index * self.chunk;
        let len = self.chunk.min(self.len - start);
        // SAFETY: `start + len` is at most `self.len`, so this is in the slice that `new` borrowed for 'a. No other chunk meets it, and
        // by the condition of `Split::part` no other use of this one lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

/// A slice in pieces of any lengths.
pub struct Pieces<'a, T> {
    start: *mut T,
    /// Where each piece ends: the next begins there.
    ends: &'a [usize],
    lives: PhantomData<&'a mut [T]>,
}

// SAFETY: as for `Chunks`.
unsafe impl<T: Send> Sync for Pieces<'_, T> {}

impl<'a, T> Pieces<'a, T> {
    /// `slice` in pieces that end at `ends`; what is after the last is left out.
    ///
    /// # Panics
    /// When `ends` are not in order, or beyond the slice.
    pub fn new(slice: &'a mut [T], ends: &'a [usize]) -> Self {
        assert!(ends.is_sorted() && ends.last().is_none_or(|last| *last <= slice.len()), "pieces lie in the slice");
        Self { start: slice.as_mut_ptr(), ends, lives: PhantomData }
    }
}

// SAFETY: a piece begins where the one before it ends: no two meet.
unsafe impl<'a, T> Split for Pieces<'a, T> {
    type Part = &'a mut [T];

    fn parts(&self) -> usize {
        self.ends.len()
    }

    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        // SAFETY: `new` checked that the ends are in order and in the slice, which it borrowed for 'a. No other piece meets this one, and
        // by the condition of `Split::part` no other use of this one lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), self.ends[index] - start) }
    }
}

// SAFETY: both have the property.
unsafe impl<A: Split, B: Split> Split for (A, B) {
    type Part = (A::Part, B::Part);

    fn parts(&self) -> usize {
        self.0.parts().min(self.1.parts())
    }

    unsafe fn part(&self, index: usize) -> Self::Part {
        // SAFETY: `index` is below both counts, and whoever has this part alone has both of its halves alone.
        unsafe { (self.0.part(index), self.1.part(index)) }
    }
}
