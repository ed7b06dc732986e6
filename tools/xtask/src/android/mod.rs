//! The AAR: the native library for each kind of Android device, the Kotlin classes, a Maven repository that holds both.

mod build;
mod device;
mod edition;
mod repository;
mod sizes;
mod stubs;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::build::{Library, Toolchain};
pub use self::device::test as test_on_device;
use self::edition::{CORE, Edition, FULL};
pub use self::repository::PUBLISHED;
use self::repository::{assemble, assemble_libraries};
use crate::bindgen::{BINDINGS, bindgen, called_by_kotlin, generate};
use crate::elf::{self, Findings};
use crate::steps::{in_file, root};

/// A kind of processor: Android's name, Rust's, and the linker's.
#[derive(Debug, Clone, Copy)]
pub struct Abi {
    pub name: &'static str,
    pub target: &'static str,
    pub emulation: &'static str,
    /// Bytes that the library may take, with all parts and with none that can be left out.
    pub largest: u64,
    pub largest_core: u64,
}

/// Phones.
const ARM64: Abi = Abi {
    name: "arm64-v8a",
    target: "aarch64-linux-android",
    emulation: "aarch64linux",
    largest: 10_000_000,
    largest_core: 7_100_000,
};

/// Emulators. More instruction sets, and wider code.
const X86_64: Abi = Abi {
    name: "x86_64",
    target: "x86_64-linux-android",
    emulation: "elf_x86_64",
    largest: 15_000_000,
    largest_core: 11_500_000,
};

/// The oldest Android that the library runs on, as in `android/aar/AndroidManifest.xml`.
const MIN_SDK: u32 = 26;

/// Crates of which the size is told one by one.
const LARGEST_CRATES: usize = 12;

/// The kind of processor that Android gives this name.
pub fn abi(name: &str) -> Result<Abi, String> {
    [ARM64, X86_64].into_iter().find(|abi| abi.name == name).ok_or_else(|| "arm64-v8a or x86_64".into())
}

/// Where the Maven repository is assembled, from the root.
pub const REPOSITORY: &str = "target/android/repository";

/// Builds with Android's NDK, for phones and emulators unless `abis` names any, and assembles a Maven repository.
pub fn package(abis: &[Abi]) -> Result<(), String> {
    package_with(&Toolchain::ndk()?, or(abis, &[ARM64, X86_64]), REPOSITORY)
}

/// Assembles a Maven repository of everything but native code, to rehearse with.
pub fn package_without_libraries(repository: &Path) -> Result<(), String> {
    bindgen()?;
    assemble(&FULL, &[], repository)?;
    assemble_libraries(repository)
}

/// Builds without an NDK, for phones unless `abis` names any. What comes out has the right form, and everything about that is
/// checked, but nothing can load it.
pub fn check(abis: &[Abi]) -> Result<(), String> {
    package_with(&Toolchain::debian()?, or(abis, &[ARM64]), "target/android/check")
}

fn or<'a>(abis: &'a [Abi], usual: &'a [Abi]) -> &'a [Abi] {
    if abis.is_empty() { usual } else { abis }
}

fn package_with(toolchain: &Toolchain, abis: &[Abi], repository: &str) -> Result<(), String> {
    bindgen()?;
    let repository = root().join(repository);
    for edition in [&FULL, &CORE] {
        let libraries = abis.iter().map(|&abi| toolchain.build(edition, abi)).collect::<Result<Vec<_>, _>>()?;
        // Those of everything come from the library for this machine. Which processor a library is for makes no difference to them.
        if edition.bindings != BINDINGS
            && let Some(library) = libraries.first()
        {
            generate(&library.archive.display().to_string(), edition.bindings)?;
        }
        let mut expected = called_by_kotlin(edition.bindings)?;
        expected.insert("JNI_OnLoad".into());
        for library in &libraries {
            report(toolchain, edition, library, &expected)?;
        }
        assemble(edition, &libraries, &repository)?;
    }
    assemble_libraries(&repository)
}

/// Prints what is to be known about a library, and fails if it would not do on a phone.
fn report(
    toolchain: &Toolchain,
    edition: &Edition,
    library: &Library,
    expected: &BTreeSet<String>,
) -> Result<(), String> {
    let findings = elf::read(&toolchain.readelf(), &library.path)?;
    let Findings { bytes, exports, needed, .. } = &findings;
    let abi = format!("{} for {}", edition.artifact, library.abi.name);
    println!("{abi}: {:.2} MB, {} exports, needs {}", megabytes(*bytes), exports.len(), needed.join(" "));
    print_sizes(&in_file(&library.map, fs::read_to_string(&library.map))?);
    let faults = faults(&findings, (edition.largest)(library.abi), expected);
    if faults.is_empty() { Ok(()) } else { Err(format!("{abi}: {}", faults.join("; "))) }
}

fn print_sizes(map: &str) {
    let crates = sizes::by_crate(map);
    for (name, size) in crates.iter().take(LARGEST_CRATES) {
        println!("  {:5.2} MB {name}", megabytes(*size));
    }
    let rest = &crates[LARGEST_CRATES.min(crates.len())..];
    println!("  {:5.2} MB {} others", megabytes(rest.iter().map(|(_, size)| size).sum()), rest.len());
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn faults(library: &Findings, largest: u64, expected: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let exports: BTreeSet<String> = library.exports.iter().cloned().collect();
    let names = |set: Vec<&String>| set.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let alien = names(exports.difference(expected).collect());
    let missing = names(expected.difference(&exports).collect());
    let unknown: Vec<&str> = library
        .needed
        .iter()
        .map(String::as_str)
        .filter(|name| !["libc.so", "libm.so", "libdl.so", "liblog.so"].contains(name))
        .collect();
    expect(library.soname.as_deref() == Some("libsotto.so"), format!("its name is {:?}", library.soname));
    expect(alien.is_empty(), format!("it exports {alien}"));
    expect(missing.is_empty(), format!("it does not export {missing}"));
    expect(unknown.is_empty(), format!("it needs unexpected libraries or functions: {}", unknown.join(" ")));
    expect(!library.load_alignments.is_empty(), "it has nothing to load".into());
    expect(
        library.load_alignments.iter().all(|&alignment| alignment >= 16384),
        "devices with pages of 16 KB refuse it".into(),
    );
    expect(!library.text_relocations, "it has text relocations, which Android refuses".into());
    expect(library.unwind_table, "it has no table for unwinding, and a panic would end the app".into());
    expect(library.bytes <= largest, format!("it has {} bytes, more than {largest}", library.bytes));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Findings {
        Findings {
            bytes: 7_000_000,
            soname: Some("libsotto.so".into()),
            needed: vec!["libc.so".into(), "libdl.so".into()],
            exports: vec!["uniffi_sotto_fn_func_load".into(), "JNI_OnLoad".into()],
            undefined: vec!["malloc".into()],
            load_alignments: vec![16384, 65536],
            text_relocations: false,
            unwind_table: true,
        }
    }

    fn expected() -> BTreeSet<String> {
        sound().exports.into_iter().collect()
    }

    #[test]
    fn every_build_asks_for_the_same_android() {
        for (file, line) in [
            ("android/aar/AndroidManifest.xml", format!("android:minSdkVersion=\"{MIN_SDK}\"")),
            ("sample-apps/android/build.gradle.kts", format!("minSdk = {MIN_SDK}\n")),
            ("sample-apps/android/pom.xml", format!("--min-sdk-version {MIN_SDK} ")),
        ] {
            let text = fs::read_to_string(root().join(file)).expect(file);
            assert!(text.contains(&line), "{file} has no {line}");
        }
    }

    #[test]
    fn a_sound_library_has_no_faults() {
        assert_eq!(faults(&sound(), ARM64.largest, &expected()), [""; 0]);
    }

    #[test]
    fn each_fault_is_found() {
        let broken = [
            Findings { bytes: ARM64.largest + 1, ..sound() },
            Findings { soname: None, ..sound() },
            Findings { needed: vec!["libc++_shared.so".into()], ..sound() },
            Findings { exports: [sound().exports, vec!["malloc".into()]].concat(), ..sound() },
            Findings { exports: vec!["JNI_OnLoad".into()], ..sound() },
            Findings { load_alignments: vec![16384, 4096], ..sound() },
            Findings { load_alignments: Vec::new(), ..sound() },
            Findings { text_relocations: true, ..sound() },
            Findings { unwind_table: false, ..sound() },
        ];
        for library in &broken {
            let faults = faults(library, ARM64.largest, &expected());
            assert_eq!(faults.len(), 1, "{faults:?}");
        }
    }
}
