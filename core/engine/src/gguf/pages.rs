use std::borrow::Cow;
use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{Mmap, MmapMut, MmapOptions};

use crate::machine::check_available;
use crate::{EngineError, FilePart};

/// Alignment of the first byte that every tensor format can live with: that of `f32`, and of what Android's packages hold.
const BASE_ALIGNMENT: usize = 4;

/// The bytes of a whole model file or of a packed matrix, aligned to [`BASE_ALIGNMENT`].
#[derive(Debug)]
pub(crate) enum Pages {
    /// A file, read-only.
    File(Mmap),
    /// Private pages, written once.
    Private(Mmap),
    Memory(Cow<'static, [u8]>),
}

impl Pages {
    /// Maps a part of a file read-only. Its pages are clean: the system can drop them under pressure and read them again. A
    /// part that does not lie as tensors need is copied instead.
    pub(crate) fn map(part: &FilePart) -> Result<Self, EngineError> {
        let (file, len) = part.checked()?;
        // SAFETY: the mapping is read-only and private to this process. That nobody shrinks or rewrites the file while
        // it is open is a condition of `GgufFile::open`, which passes it on to its caller.
        let map = unsafe { MmapOptions::new().offset(part.offset()).len(len).map(file) }.map_err(|source| {
            match source.kind() {
                // There is no room for it among this process's addresses, or for its page tables in memory.
                io::ErrorKind::OutOfMemory => EngineError::OutOfMemory { needed: len as u64, available: 0 },
                _ => EngineError::NotFound { path: part.name().to_owned(), source },
            }
        })?;
        match is_aligned(&map) {
            true => Ok(Self::File(map)),
            false => Self::copy(&map),
        }
    }

    /// Takes bytes that are in memory already, and copies them once if they do not lie as tensors need.
    pub(crate) fn from_memory(bytes: Cow<'static, [u8]>) -> Result<Self, EngineError> {
        if bytes.is_empty() {
            return Err(EngineError::invalid("byte 0", "the file is empty"));
        }
        match is_aligned(&bytes) {
            true => Ok(Self::Memory(bytes)),
            false => Self::copy(&bytes),
        }
    }

    fn copy(bytes: &[u8]) -> Result<Self, EngineError> {
        Self::write(bytes.len(), |copy| {
            copy.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// A part of them for other crates: it stays where it is, and they stay as long as anyone has it.
    pub(crate) fn share(self: &Arc<Self>, range: Range<usize>) -> Bytes {
        Bytes::from_owner(Owner(Arc::clone(self))).slice(range)
    }

    /// Whether they take private memory.
    pub(crate) fn is_private(&self) -> bool {
        matches!(self, Self::Private(_))
    }

    /// Gives back the pages of a part that will not be read again soon, so that a file and what was made of it are not both
    /// resident. Whoever reads it after all reads the file again.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Self::File(map) = self {
            // SAFETY: nothing was written to this mapping, so that a dropped page has the same bytes when it is read again.
            let released =
                unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
            if let Err(error) = released {
                log::debug!("the pages of a file could not be released: {error}");
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// New bytes, filled in by `fill`: private memory.
    pub(crate) fn write(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), EngineError>,
    ) -> Result<Self, EngineError> {
        check_available(len as u64)?;
        let out_of_memory = |_| EngineError::OutOfMemory { needed: len as u64, available: 0 };
        let mut bytes = MmapMut::map_anon(len).map_err(out_of_memory)?;
        ask_for_huge_pages(&bytes);
        fill(&mut bytes)?;
        Ok(Self::Private(bytes.make_read_only().map_err(out_of_memory)?))
    }
}

struct Owner(Arc<Pages>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(BASE_ALIGNMENT)
}

/// Weights are read from end to end for every token: fewer, larger pages mean fewer misses of the address cache. Where the
/// system has none to give, nothing is lost.
fn ask_for_huge_pages(bytes: &MmapMut) {
    #[cfg(target_os = "linux")]
    if let Err(error) = bytes.advise(memmap2::Advice::HugePage) {
        log::debug!("huge pages are not available: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bytes;
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::File(map) | Self::Private(map) => map,
            Self::Memory(bytes) => bytes,
        }
    }
}
