//! What apps can choose from: everything, or language models alone.

use super::Abi;
use crate::bindgen::BINDINGS;

/// An AAR of its own. Folders are from the root.
#[derive(Debug)]
pub struct Edition {
    /// Its name in Maven repositories.
    pub artifact: &'static str,
    /// Cargo's options for its parts.
    pub features: &'static [&'static str],
    /// Bytes that its library may take.
    pub largest: fn(Abi) -> u64,
    /// Where its generated bindings are.
    pub bindings: &'static str,
    /// Where Maven makes the Kotlin half, and from which goals.
    pub kotlin: &'static str,
    pub goals: &'static [&'static str],
}

/// Everything.
pub const FULL: Edition = Edition {
    artifact: "sotto-android",
    features: &[],
    largest: |abi| abi.largest,
    bindings: BINDINGS,
    kotlin: "target/android/kotlin",
    goals: &["clean", "package", "-Paar", "-DskipTests"],
};

/// Without voice and without personalization. No other step tests its Kotlin.
pub const CORE: Edition = Edition {
    artifact: "sotto-android-core",
    features: &["--no-default-features"],
    largest: |abi| abi.largest_core,
    bindings: "target/android/bindings-core",
    kotlin: "target/android/kotlin-core",
    goals: &["clean", "package", "-Paar,core"],
};
