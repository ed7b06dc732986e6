//! The commands that build for Apple's systems: Xcode's on a Mac, Debian's compiler and LLVM elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::framework::{self, LIBRARY};
use super::macho::ObjectFile;
use super::{Headers, IOS, MACOS, Slice, read, undefined, write_symbols};
use crate::arm::need_packages;
use crate::steps::{cargo, root, run};

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../../apple-packages.txt");

/// Where everything goes, from the root.
const FOLDER: &str = "target/apple";

/// The same, from anywhere.
pub fn folder() -> PathBuf {
    root().join(FOLDER)
}

/// What is built for: a processor with a kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Rust's name.
    pub triple: &'static str,
    /// Apple's name of the processor.
    pub architecture: &'static str,
    /// What linkers call the system.
    pub system: &'static str,
    /// The oldest version of it.
    pub minimum: (u32, u32),
}

impl Target {
    fn minimum_os(&self) -> String {
        version(self.minimum)
    }

    /// Where the steps for this target leave `file`, below the folder of all of them.
    pub fn file(&self, folder: &Path, file: &str) -> PathBuf {
        folder.join(self.triple).join(file)
    }
}

fn version((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// Whose commands are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    Xcode,
    Debian,
}

impl Tools {
    /// Those of this machine; an error says what is missing.
    pub fn of_this_machine() -> Result<Self, String> {
        if cfg!(target_os = "macos") {
            return Ok(Self::Xcode);
        }
        need_packages("Apple's systems", PACKAGES.split_whitespace())?;
        Ok(Self::Debian)
    }

    /// Builds the static library as it ships, and says where it is.
    pub fn build(self, target: Target) -> Result<PathBuf, String> {
        // One object in the end: what is not exported can be that object's own.
        Self::compile(self.cargo(target).args(["--config", "profile.release.lto='fat'"]), target)
    }

    /// Builds the static library from the same sources, with Debian's compiler in half the time: it is optimized little, and crates
    /// stay objects that see each other.
    pub fn build_to_check(self, target: Target) -> Result<PathBuf, String> {
        match self {
            Self::Xcode => self.build(target),
            Self::Debian => {
                let mut command = self.cargo(target);
                for quick in ["opt-level=1", "lto='off'"] {
                    command.args(["--config", &format!("profile.release.{quick}")]);
                }
                command.env(variable(target, "RUSTFLAGS"), "-Zdefault-visibility=hidden");
                Self::compile(&mut command, target)
            }
        }
    }

    fn compile(command: &mut Command, target: Target) -> Result<PathBuf, String> {
        run(command)?;
        Ok(target.file(&folder(), "release/libsotto.a"))
    }

    /// The command that compiles a static library.
    fn cargo(self, target: Target) -> Command {
        let mut command = match self {
            Self::Xcode => cargo(&["rustc"]),
            Self::Debian => {
                // Debian's compiler brings the standard library's source; rustup's cannot be had for Apple everywhere.
                let mut command = Command::new("/usr/bin/cargo");
                command.args(["rustc", "-Zbuild-std=std,panic_abort"]).current_dir(root());
                command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                // A static library is not linked; a dependency makes a dynamic one of itself too, which nobody wants.
                command.env(variable(target, "LINKER"), "true").args(["--config", "profile.release.strip=false"]);
                command
            }
        };
        command.args(["--release", "--package", "sotto-ffi", "--lib", "--crate-type", "staticlib"]);
        command.args(["--target", target.triple, "--target-dir", FOLDER]);
        command.env("IPHONEOS_DEPLOYMENT_TARGET", version(IOS)).env("MACOSX_DEPLOYMENT_TARGET", version(MACOS));
        command
    }

    /// Makes of a source in the assembler's language an object beside it.
    pub fn object(self, target: Target, source: &Path) -> Result<PathBuf, String> {
        let object = source.with_extension("o");
        let Target { architecture, system, .. } = target;
        let mut assemble = match self {
            Self::Xcode => {
                let version = format!("{architecture}-apple-{system}{}", target.minimum_os());
                xcrun(&["clang", "-c", "-target", &version])
            }
            Self::Debian => {
                let mut assemble = Command::new("llvm-mc-22");
                assemble.arg(format!("-triple={architecture}-apple-darwin")).args(["-filetype=obj", "--no-warn"]);
                assemble
            }
        };
        run(assemble.arg(source).arg("-o").arg(&object))?;
        Ok(object)
    }

    /// Makes a static library of objects.
    pub fn archive(self, objects: &[PathBuf], library: &Path) -> Result<(), String> {
        let mut archive = match self {
            Self::Xcode => xcrun(&["libtool", "-static", "-o"]),
            Self::Debian => {
                let mut archive = Command::new("llvm-ar-22");
                archive.args(["--format=darwin", "crs"]);
                archive
            }
        };
        run(archive.arg(library).args(objects))
    }

    /// Makes of `library` one in `folder` whose functions of the header alone can be seen from outside: other libraries in an app
    /// may have the same dependencies.
    pub fn hide_symbols(
        self,
        target: Target,
        library: &Path,
        folder: &Path,
        headers: &Headers,
    ) -> Result<PathBuf, String> {
        let hidden = target.file(folder, LIBRARY);
        match self {
            // The linker makes one object of all, and what is not exported that object's own.
            Self::Xcode => {
                let object = target.file(folder, "sotto.o");
                let minimum = target.minimum_os();
                let mut link = xcrun(&["ld", "-r", "-arch", target.architecture]);
                link.args(["-platform_version", target.system, &minimum, &minimum]);
                link.arg("-exported_symbols_list").arg(&headers.symbols);
                run(link.arg("-all_load").arg(library).arg("-o").arg(&object))?;
                run(xcrun(&["libtool", "-static", "-o"]).arg(&hidden).arg(&object))?;
            }
            // LLVM's linker cannot do that: what objects need of each other stays, visible to them alone.
            Self::Debian => {
                let symbols = target.file(folder, "symbols.txt");
                let between = shared(&read(library)?);
                write_symbols(headers.functions.union(&between), &symbols)?;
                let mut keep = Command::new("llvm-objcopy-22");
                keep.arg(format!("--keep-global-symbols={}", symbols.display())).arg("--strip-debug");
                run(keep.arg(library).arg(&hidden))?;
            }
        }
        Ok(hidden)
    }

    /// Joins libraries for several processors.
    pub fn join(self, libraries: &[PathBuf], joined: &Path) -> Result<(), String> {
        let mut command = match self {
            Self::Xcode => xcrun(&["lipo"]),
            Self::Debian => Command::new("llvm-lipo-22"),
        };
        run(command.args(libraries).arg("-create").arg("-output").arg(joined))
    }

    /// Links a dynamic library that offers the functions of the header, and nothing that these do not need.
    pub fn link_client(self, target: Target, library: &Path, headers: &Headers) -> Result<PathBuf, String> {
        let client = target.file(&folder(), "client.dylib");
        let minimum = target.minimum_os();
        let mut link = match self {
            Self::Xcode => {
                let version = format!("{}-apple-{}{minimum}", target.architecture, target.system);
                let mut link = xcrun(&["--sdk", "iphoneos", "clang", "-target", &version, "-dynamiclib"]);
                link.args(["-Wl,-dead_strip", "-Wl,-x"]);
                link.arg(format!("-Wl,-exported_symbols_list,{}", headers.symbols.display()));
                link.arg(format!("-Wl,-force_load,{}", library.display()));
                link
            }
            Self::Debian => {
                let system = target.file(&folder(), "libSystem.tbd");
                let stub = stub(target, &undefined(&read(library)?));
                fs::write(&system, stub).map_err(|error| format!("{}: {error}", system.display()))?;
                let mut link = Command::new("ld64.lld-22");
                link.args(["-dylib", "-arch", target.architecture, "-dead_strip", "-x"]);
                link.args(["-platform_version", target.system, &minimum, &minimum]);
                link.arg("-exported_symbols_list").arg(&headers.symbols);
                link.arg("-force_load").arg(library).arg(system);
                link
            }
        };
        run(link.arg("-o").arg(&client))?;
        Ok(client)
    }

    /// Makes a framework of libraries with one folder of headers.
    pub fn assemble(self, slices: &[(Slice, PathBuf)], headers: &Path, framework: &Path) -> Result<(), String> {
        let failed = |error| format!("{}: {error}", framework.display());
        if framework.exists() {
            fs::remove_dir_all(framework).map_err(failed)?;
        }
        if self == Self::Debian {
            return framework::assemble(slices, headers, framework).map_err(failed);
        }
        let mut create = Command::new("xcodebuild");
        create.arg("-create-xcframework");
        for (_, library) in slices {
            create.arg("-library").arg(library).arg("-headers").arg(headers);
        }
        run(create.arg("-output").arg(framework))
    }
}

/// Cargo's variable for a target.
fn variable(target: Target, name: &str) -> String {
    format!("CARGO_TARGET_{}_{name}", target.triple.to_uppercase().replace('-', "_"))
}

fn xcrun(arguments: &[&str]) -> Command {
    let mut command = Command::new("xcrun");
    command.args(arguments);
    command
}

/// What some objects define and others need.
fn shared(objects: &[ObjectFile]) -> BTreeSet<String> {
    let defined = objects.iter().flat_map(ObjectFile::defined).cloned().collect::<BTreeSet<_>>();
    objects.iter().flat_map(|object| &object.undefined).filter(|name| defined.contains(*name)).cloned().collect()
}

/// In place of Apple's libraries: says that one library has all that is needed.
fn stub(target: Target, needed: &BTreeSet<String>) -> String {
    let Target { architecture, system, .. } = target;
    let symbols = needed.iter().map(|name| format!("'_{name}'")).collect::<Vec<_>>().join(", ");
    format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ {architecture}-{system} ]\ninstall-name: '/usr/lib/libSystem.B.dylib'\n\
         exports:\n  - targets: [ {architecture}-{system} ]\n    symbols: [ {symbols} ]\n...\n"
    )
}
