//! The uniffi bridge between the Sotto SDK and Kotlin and Swift.
