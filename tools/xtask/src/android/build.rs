//! The native library: cargo compiles an archive, and it is linked here, where it can be said what is exported. (rustc exports every
//! C function of every dependency.)

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::edition::Edition;
use super::{Abi, MIN_SDK, stubs};
use crate::arm::missing;
use crate::steps::{cargo, in_file, root, run};

/// What the bindings of an app call, and what Android's Java calls when it loads the library.
const EXPORTS: &str = "{ global: uniffi_sotto_*; ffi_sotto_*; JNI_OnLoad; local: *; };\n";

/// Where everything is made, from the root.
const TARGET: &str = "target/android";

/// Debian's packages, also read by `.ci/run`.
const PACKAGES: &str = include_str!("../../android-packages.txt");

/// Debian's linker, of the same make as the NDK's.
pub const LLD: &str = "ld.lld-22";

/// What Rust's standard library needs of Android, and the log.
const LIBRARIES: [&str; 5] = ["-llog", "-ldl", "-lm", "-lc", "-lunwind"];

/// How the linker makes the library: for pages of 16 KB, with a table for unwinding, without what is not used, small.
const FORM: [&str; 10] = [
    "-soname=libsotto.so",
    "-zmax-page-size=16384",
    "-znow",
    "--eh-frame-hdr",
    "--hash-style=gnu",
    "--pack-dyn-relocs=android",
    "--gc-sections",
    "--icf=safe",
    "--build-id",
    "--strip-all",
];

/// What compiles and links for Android.
#[derive(Debug)]
pub enum Toolchain {
    /// Android's own, in this folder: what ships is made with it.
    Ndk(PathBuf),
    /// Debian's: it compiles the same objects, the standard library too, and links them against stand-ins for Android's libraries.
    Debian,
}

/// A linked library, the archive that it was linked from, and the linker's account of it.
#[derive(Debug)]
pub struct Library {
    pub abi: Abi,
    pub path: PathBuf,
    pub archive: PathBuf,
    pub map: PathBuf,
}

impl Toolchain {
    /// The NDK that `ANDROID_NDK_HOME` names.
    pub fn ndk() -> Result<Self, String> {
        let ndk = env::var_os("ANDROID_NDK_HOME").ok_or("ANDROID_NDK_HOME does not name an NDK")?;
        let host = if cfg!(target_os = "macos") { "darwin-x86_64" } else { "linux-x86_64" };
        Ok(Self::Ndk(Path::new(&ndk).join(format!("toolchains/llvm/prebuilt/{host}/bin"))))
    }

    /// Debian's, if it is installed.
    pub fn debian() -> Result<Self, String> {
        match missing(PACKAGES.split_whitespace())[..] {
            [] => Ok(Self::Debian),
            ref missing => Err(format!("this needs Debian bookworm's packages {}", missing.join(" "))),
        }
    }

    /// Compiles and links an edition's library for one kind of device.
    pub fn build(&self, edition: &Edition, abi: Abi) -> Result<Library, String> {
        let mut compile = self.cargo("rustc", abi);
        compile.args(["--release", "--package", "sotto-ffi", "--lib", "--crate-type", "staticlib"]);
        // What no crate uses of another goes: a tenth of the library.
        compile.args(["--config", "profile.release.lto='fat'"]).args(edition.features);
        run(&mut compile)?;
        let made = root().join(TARGET).join(abi.target).join("release");
        let folder = made.join(edition.artifact);
        in_file(&folder, fs::create_dir_all(&folder))?;
        // The next edition's archive takes this one's place.
        let archive = folder.join("libsotto.a");
        in_file(&archive, fs::rename(made.join("libsotto.a"), &archive))?;
        self.link(abi, &folder)
    }

    /// A cargo command that compiles for one kind of device.
    pub fn cargo(&self, command: &str, abi: Abi) -> Command {
        let mut cargo = match self {
            Self::Ndk(_) => cargo(&[command]),
            Self::Debian => {
                let mut debian = Command::new("/usr/bin/cargo");
                debian.args([command, "-Zbuild-std=std,panic_abort"]).current_dir(root());
                debian.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                debian
            }
        };
        cargo.args(["--target", abi.target, "--target-dir", TARGET]);
        let variable = |name: &str| format!("CARGO_TARGET_{}_{name}", abi.target.to_uppercase().replace('-', "_"));
        cargo.env(variable("LINKER"), self.linker(abi)).env(variable("RUSTFLAGS"), remap_paths());
        cargo
    }

    /// What links the programs and libraries that cargo makes: tests, and what a dependency makes beside, which nobody uses.
    fn linker(&self, abi: Abi) -> PathBuf {
        match self {
            Self::Ndk(tools) => tools.join(format!("{}{MIN_SDK}-clang", abi.target)),
            Self::Debian => "true".into(),
        }
    }

    fn link(&self, abi: Abi, folder: &Path) -> Result<Library, String> {
        let [path, archive, map] = ["libsotto.so", "libsotto.a", "libsotto.map"].map(|name| folder.join(name));
        let library = Library { abi, path, archive, map };
        let exports = folder.join("exports");
        in_file(&exports, fs::write(&exports, EXPORTS))?;
        let archive = library.archive.display().to_string();
        let files = [format!("--version-script={}", exports.display()), format!("-Map={}", library.map.display())];
        let input = ["--whole-archive".to_owned(), archive, "--no-whole-archive".to_owned()];
        let options: Vec<String> = FORM.map(str::to_owned).into_iter().chain(files).chain(input).collect();
        match self {
            Self::Ndk(_) => {
                let mut clang = Command::new(self.linker(abi));
                clang.arg("-shared").args(options.iter().map(|option| format!("-Wl,{option}"))).args(LIBRARIES);
                run(clang.arg("-Wl,--no-undefined").arg("-o").arg(&library.path))?;
            }
            Self::Debian => {
                let lld = || {
                    let mut lld = Command::new(LLD);
                    lld.args(["-m", abi.emulation, "-shared"]).args(&options).arg("-o").arg(&library.path);
                    lld
                };
                run(&mut lld())?;
                let stubs = stubs::make(&folder.join("stubs"), &library)?;
                run(lld().arg("--no-undefined").args(stubs))?;
            }
        }
        Ok(library)
    }

    /// What reads a library of Android's.
    pub fn readelf(&self) -> PathBuf {
        match self {
            Self::Ndk(tools) => tools.join("llvm-readelf"),
            Self::Debian => "readelf".into(),
        }
    }
}

/// Panics name their place: by the crate, not by the folder of the machine that built it.
fn remap_paths() -> String {
    let home = env::home_dir().unwrap_or_default();
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    format!("--remap-path-prefix={}=", cargo_home.join("registry/src/").display())
}
