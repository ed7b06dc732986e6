//! An unfinished download.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::files::{Files, read_json, write_json};
use crate::{Source, StoreError};

/// What an unfinished download is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The model's address, without a query.
    pub url: String,
    /// Its size, if the server has said it.
    pub bytes: Option<u64>,
    /// Its SHA-256, if the app or the hub has said it.
    pub sha256: Option<String>,
    /// The server's strong name for this version.
    pub etag: Option<String>,
}

impl Origin {
    /// What is known of a model before a server has said anything.
    fn of(source: &Source) -> Self {
        Self { url: source.address(), sha256: source.sha256.clone(), ..Self::default() }
    }
}

/// An unfinished download: bytes from the beginning of the model.
#[derive(Debug)]
pub struct Part<'a> {
    files: &'a Files,
    file: File,
    len: u64,
    pub origin: Origin,
    /// Whether its bytes came with more than one reply, so that they may be of two versions.
    pub is_joined: bool,
}

impl<'a> Part<'a> {
    /// The unfinished download of this model, or a new one. One that an earlier process has left is gone on with only if a SHA-256
    /// will tell whether it was right.
    pub fn open(files: &'a Files, source: &Source) -> Result<Self, StoreError> {
        let file = OpenOptions::new().create(true).append(true).open(&files.part);
        let file = file.map_err(StoreError::storage(&files.part))?;
        let len = fs::metadata(&files.part).map_err(StoreError::storage(&files.part))?.len();
        let old = read_json(&files.origin).filter(|old: &Origin| {
            old.url == source.address()
                && old.sha256.is_some()
                && (source.sha256.is_none() || source.sha256 == old.sha256)
                && old.bytes.is_none_or(|bytes| len <= bytes)
        });
        let is_old = old.is_some();
        let mut part =
            Self { files, file, len, origin: old.unwrap_or_else(|| Origin::of(source)), is_joined: is_old && len > 0 };
        if !is_old {
            part.clear()?;
        }
        Ok(part)
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether all bytes are there.
    pub fn is_complete(&self) -> bool {
        self.origin.bytes == Some(self.len)
    }

    /// Whether a reply may go on from here: only if something will tell when the model has changed meanwhile.
    pub fn can_go_on(&self) -> bool {
        self.len > 0 && (self.origin.sha256.is_some() || self.origin.etag.is_some())
    }

    /// Begins anew.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0).map_err(StoreError::storage(&self.files.part))?;
        (self.len, self.is_joined) = (0, false);
        Ok(())
    }

    /// Begins anew with what the server says now: only `sha256` of the app itself is kept.
    pub fn forget(&mut self, source: &Source) -> Result<(), StoreError> {
        self.origin = Origin::of(source);
        self.clear()
    }

    /// Stores what it is of.
    pub fn write_origin(&self) -> Result<(), StoreError> {
        write_json(&self.files.origin, &self.origin)
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).inspect_err(|_| self.len = self.file.metadata().map_or(0, |file| file.len()))?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}
