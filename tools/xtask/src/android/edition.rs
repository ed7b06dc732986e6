//! What apps can choose from: everything, or language models alone.

use super::Abi;
use crate::bindgen::{BINDINGS, generate};
use crate::kotlin;

/// An AAR of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    Full,
    /// Without voice and without personalization.
    Core,
}

impl Edition {
    pub const ALL: [Self; 2] = [Self::Full, Self::Core];

    /// Its name in Maven repositories.
    pub fn artifact(self) -> &'static str {
        match self {
            Self::Full => "sotto-android",
            Self::Core => "sotto-android-core",
        }
    }

    /// Cargo's options for its parts.
    pub fn features(self) -> &'static [&'static str] {
        match self {
            Self::Full => &[],
            Self::Core => &["--no-default-features"],
        }
    }

    /// Bytes that its library may take.
    pub fn largest(self, abi: Abi) -> u64 {
        match self {
            Self::Full => abi.largest,
            Self::Core => abi.largest_core,
        }
    }

    /// Where its generated bindings are, from the root.
    pub fn bindings(self) -> &'static str {
        match self {
            Self::Full => BINDINGS,
            Self::Core => "target/android/bindings-core",
        }
    }

    /// Generates its bindings from an archive of its own, for any processor. The full one's come from the library for this machine.
    pub fn generate_bindings(self, archive: &str) -> Result<(), String> {
        match self {
            Self::Full => Ok(()),
            Self::Core => generate(archive, self.bindings()),
        }
    }

    /// Where Maven makes the Kotlin half, from the root.
    pub fn kotlin(self) -> &'static str {
        match self {
            Self::Full => "target/android/kotlin",
            Self::Core => "target/android/kotlin-core",
        }
    }

    /// Makes the Kotlin half.
    pub fn build_kotlin(self) -> Result<(), String> {
        match self {
            Self::Full => kotlin::build_for_aar(),
            Self::Core => kotlin::build_for_core_aar(),
        }
    }
}
