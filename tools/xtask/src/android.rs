//! The AAR: the native library for each kind of Android device, the Kotlin classes, a Maven repository that holds both.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::elf::{self, Findings};
use crate::kotlin;
use crate::steps::{cargo, root, run};

/// Android's name for a kind of processor, and Rust's.
const ABIS: [(&str, &str); 2] = [("arm64-v8a", "aarch64-linux-android"), ("x86_64", "x86_64-linux-android")];

/// The oldest Android that the library runs on, as in `android/src/aar/AndroidManifest.xml`.
const MIN_SDK: u32 = 26;

/// Links for a phone where there is no NDK.
const STUB_LINKER: &str = "aarch64-linux-gnu-gcc";

/// What the library may take on a phone.
const LARGEST: u64 = 8_000_000;

/// Builds for both kinds of device with Android's NDK, and assembles a Maven repository in `target/android/repository`.
pub fn package() -> Result<(), String> {
    let ndk = env::var_os("ANDROID_NDK_HOME")
        .ok_or("ANDROID_NDK_HOME names no NDK: what ships needs one; `--check` does without")?;
    let built = ABIS.map(|(abi, target)| Ok((abi, build_with_ndk(Path::new(&ndk), target)?)));
    let built = built.into_iter().collect::<Result<Vec<_>, String>>()?;
    for (abi, library) in &built {
        report(abi, library)?;
    }
    assemble(&built, "target/android/repository")
}

/// Builds for a phone without an NDK: the standard library from its source, and empty libraries in place of Android's. What
/// comes out has the right form, and everything about that is checked, but nothing can load it.
pub fn check() -> Result<(), String> {
    let (abi, target) = ABIS[0];
    let library = build_with_stubs(target)?;
    report(abi, &library)?;
    assemble(&[(abi, library)], "target/android/check")
}

fn build_with_ndk(ndk: &Path, target: &str) -> Result<PathBuf, String> {
    let host = if cfg!(target_os = "macos") { "darwin-x86_64" } else { "linux-x86_64" };
    let clang = ndk.join(format!("toolchains/llvm/prebuilt/{host}/bin/{target}{MIN_SDK}-clang"));
    build(&mut cargo(&["build"]), target, clang.as_os_str(), "")
}

fn build_with_stubs(target: &str) -> Result<PathBuf, String> {
    let stubs = root().join("target/android/stubs");
    make_stubs(&stubs).map_err(|error| format!("{}: {error}", stubs.display()))?;
    for library in ["c", "m", "dl", "log"] {
        let mut linker = Command::new(STUB_LINKER);
        linker.args(["-shared", "-nostdlib", "-xc", "empty", &format!("-Wl,-soname,lib{library}.so")]);
        run(linker.arg(format!("-olib{library}.so")).current_dir(&stubs))?;
    }
    // Debian's compiler brings the standard library's source; rustup's cannot be had for Android everywhere.
    let mut command = Command::new("/usr/bin/cargo");
    command.args(["build", "-Zbuild-std=std,panic_abort"]).current_dir(root());
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    let flags = format!("-Clink-arg=-nostartfiles -L{}", stubs.display());
    build(&mut command, target, OsStr::new(STUB_LINKER), &flags)
}

/// An empty file to make libraries of, and an empty archive in place of the NDK's unwinder.
fn make_stubs(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("empty"), "")?;
    fs::write(folder.join("libunwind.a"), "!<arch>\n")
}

fn build(command: &mut Command, target: &str, linker: &OsStr, flags: &str) -> Result<PathBuf, String> {
    let variable = format!("CARGO_TARGET_{}", target.to_uppercase().replace('-', "_"));
    let form = "-Clink-arg=-Wl,-soname,libsotto.so -Clink-arg=-Wl,-z,max-page-size=16384";
    command.args(["--release", "--package", "sotto-ffi", "--target", target, "--target-dir", "target/android"]);
    command.args(["--config", "profile.release.strip=true"]);
    command.env(format!("{variable}_LINKER"), linker).env(format!("{variable}_RUSTFLAGS"), format!("{form} {flags}"));
    run(command)?;
    Ok(root().join(format!("target/android/{target}/release/libsotto.so")))
}

/// Prints what is to be known about a library, and fails if it would not do on a phone.
fn report(abi: &str, library: &Path) -> Result<(), String> {
    let findings = elf::read(library)?;
    let Findings { bytes, exports, needed, .. } = &findings;
    println!("{abi}: {:.2} MB, {} exports, needs {}", *bytes as f64 / 1e6, exports.len(), needed.join(" "));
    let faults = faults(&findings);
    if faults.is_empty() { Ok(()) } else { Err(format!("{abi}: {}", faults.join("; "))) }
}

fn faults(library: &Findings) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let ours = |name: &str| ["uniffi_sotto_", "ffi_sotto_", "UNIFFI_META_"].iter().any(|begin| name.starts_with(begin));
    let alien: Vec<&str> = library.exports.iter().map(String::as_str).filter(|name| !ours(name)).collect();
    let unknown: Vec<&str> = library
        .needed
        .iter()
        .map(String::as_str)
        .filter(|name| !["libc.so", "libm.so", "libdl.so", "liblog.so"].contains(name))
        .collect();
    expect(library.soname.as_deref() == Some("libsotto.so"), format!("its name is {:?}", library.soname));
    expect(!library.exports.is_empty(), "it exports nothing".into());
    expect(alien.is_empty(), format!("it exports {}", alien.join(" ")));
    expect(unknown.is_empty(), format!("it needs {}", unknown.join(" ")));
    expect(!library.load_alignments.is_empty(), "it has nothing to load".into());
    expect(
        library.load_alignments.iter().all(|&alignment| alignment >= 16384),
        "devices with pages of 16 KB refuse it".into(),
    );
    expect(!library.text_relocations, "it has text relocations, which Android refuses".into());
    expect(library.bytes <= LARGEST, format!("it has {} bytes, more than {LARGEST}", library.bytes));
    faults
}

/// Puts libraries and Kotlin classes into an AAR, and that into a Maven repository with its sources and checksums.
fn assemble(libraries: &[(&str, PathBuf)], repository: &str) -> Result<(), String> {
    kotlin::build_jars()?;
    let built = root().join("target/kotlin");
    let content = root().join("target/android/aar");
    let files = libraries.iter().map(|(abi, library)| (library.clone(), format!("jni/{abi}/libsotto.so")));
    let files = files.chain([
        (built.join("sotto-android-0.1.0.jar"), "classes.jar".to_owned()),
        (built.join("aar/AndroidManifest.xml"), "AndroidManifest.xml".to_owned()),
        (built.join("aar/proguard.txt"), "proguard.txt".to_owned()),
    ]);
    lay_out(&content, files).map_err(|error| format!("{}: {error}", content.display()))?;
    let aar = root().join("target/android/sotto-android.aar");
    run(Command::new("jar").args(["--create", "--no-manifest", "--file"]).arg(&aar).arg("-C").arg(&content).arg("."))?;
    let option = |name: &str, value: &Path| format!("-D{name}={}", value.display());
    let repository = root().join(repository);
    run(Command::new("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "--quiet"])
        .arg("org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file")
        .arg(format!("-Durl=file://{}", repository.display()))
        .arg(option("file", &aar))
        .arg(option("pomFile", &built.join("aar/pom.xml")))
        .arg(option("sources", &built.join("sotto-android-0.1.0-sources.jar"))))?;
    println!("{}: {} bytes", aar.display(), fs::metadata(&aar).map_or(0, |file| file.len()));
    Ok(())
}

fn lay_out(folder: &Path, files: impl Iterator<Item = (PathBuf, String)>) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (source, name) in files {
        let target = folder.join(name);
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        fs::copy(source, target)?;
    }
    // Android's build tools want the list of resources, of which there are none.
    fs::write(folder.join("R.txt"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Findings {
        Findings {
            bytes: 7_000_000,
            soname: Some("libsotto.so".into()),
            needed: vec!["libc.so".into(), "libdl.so".into()],
            exports: vec!["uniffi_sotto_fn_func_load".into(), "ffi_sotto_rustbuffer_free".into()],
            load_alignments: vec![16384, 65536],
            text_relocations: false,
        }
    }

    #[test]
    fn a_sound_library_has_no_faults() {
        assert_eq!(faults(&sound()), [""; 0]);
    }

    #[test]
    fn each_fault_is_found() {
        let broken = [
            Findings { bytes: LARGEST + 1, ..sound() },
            Findings { soname: None, ..sound() },
            Findings { needed: vec!["libc++_shared.so".into()], ..sound() },
            Findings { exports: vec!["malloc".into()], ..sound() },
            Findings { exports: Vec::new(), ..sound() },
            Findings { load_alignments: vec![16384, 4096], ..sound() },
            Findings { load_alignments: Vec::new(), ..sound() },
            Findings { text_relocations: true, ..sound() },
        ];
        for library in &broken {
            assert_eq!(faults(library).len(), 1, "{:?}", faults(library));
        }
    }
}
