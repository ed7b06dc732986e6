//! A tokenizer's tables as packed files hold them: one after the other in one run of bytes, and read where they lie.

use bytes::Bytes;

use super::spec::{TABLES_KEY, invalid_key};
use crate::TextError;

/// Each table begins with its length in bytes, and ends at a multiple of this.
const ALIGNMENT: usize = 4;

/// Takes one table after the other from what [`write`] made. A file may hold anything.
pub(crate) struct TableReader(Bytes);

impl TableReader {
    pub(crate) fn new(tables: Bytes) -> Self {
        Self(tables)
    }

    /// The next table; `name` is for the error if there is none.
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Bytes, TextError> {
        let cut_off = || invalid_tables(format!("the table of {name} is cut off"));
        let length = self.0.first_chunk().map(|length| u32::from_le_bytes(*length) as usize).ok_or_else(cut_off)?;
        let end = length.checked_next_multiple_of(ALIGNMENT).filter(|&end| end <= self.0.len() - ALIGNMENT);
        let mut table = self.0.split_to(ALIGNMENT + end.ok_or_else(cut_off)?).split_off(ALIGNMENT);
        table.truncate(length);
        Ok(table)
    }

    /// The next table, which has rows of `N` numbers.
    pub(crate) fn rows<const N: usize>(&mut self, name: &str) -> Result<Rows<N>, TextError> {
        let bytes = self.bytes(name)?;
        match bytes.len().is_multiple_of(size_of::<[u32; N]>()) {
            true => Ok(Rows(bytes)),
            false => Err(invalid_tables(format!("the table of {name} ends within a row"))),
        }
    }

    pub(crate) fn end(self) -> Result<(), TextError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(invalid_tables("there is more data after their end")),
        }
    }
}

/// Appends a table to others.
pub(crate) fn write(table: &Bytes, tables: &mut Vec<u8>) {
    // A vocabulary's texts have at most 4 GB, and everything else is numbers of at most 2^24 tokens.
    tables.extend_from_slice(&(table.len() as u32).to_le_bytes());
    tables.extend_from_slice(table);
    tables.resize(tables.len().next_multiple_of(ALIGNMENT), 0);
}

/// Rows of `N` numbers of 32 bits, wherever they lie.
#[derive(Default)]
pub(crate) struct Rows<const N: usize>(Bytes);

impl<const N: usize> Rows<N> {
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<[u32; N]> {
        self.as_slice().get(index).map(numbers)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = [u32; N]> {
        self.as_slice().iter().map(numbers)
    }

    /// For [`numbers`].
    pub(crate) fn as_slice(&self) -> &[[[u8; 4]; N]] {
        self.0.as_chunks().0.as_chunks().0
    }
}

impl<const N: usize> FromIterator<[u32; N]> for Rows<N> {
    fn from_iter<T: IntoIterator<Item = [u32; N]>>(rows: T) -> Self {
        let mut bytes = Vec::new();
        for number in rows.into_iter().flatten() {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Self(bytes.into())
    }
}

/// A row as it lies in a file.
pub(crate) fn numbers<const N: usize>(row: &[[u8; 4]; N]) -> [u32; N] {
    row.map(u32::from_le_bytes)
}

/// The tables contradict themselves.
pub(crate) fn invalid_tables(why: impl Into<String>) -> TextError {
    invalid_key(TABLES_KEY, why)
}
