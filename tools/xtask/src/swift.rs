//! The Swift SDK: the native library for this machine, generated bindings, SwiftPM. Where there is no Swift, Debian's is kept in a
//! folder of its own, with the Debian that it belongs to.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bindgen::{bindgen, wide_model};
use crate::steps::{SKIPPED, cache_folder, root, run};

/// Names the folder where Debian's Swift is kept.
const ROOT_VARIABLE: &str = "SOTTO_SWIFT_ROOT";

/// The Debian release that has Swift.
const RELEASE: &str = "trixie";

const PACKAGES: [&str; 5] = ["swiftlang", "libc6-dev", "libstdc++-14-dev", "git", "ca-certificates"];

/// What is formatted.
const SOURCES: [&str; 5] = ["Package.swift", "ios/Sources", "ios/Tests", "sample-apps/demo-model", "sample-apps/ios"];

/// What `cargo xtask apple` makes, from the root.
const FRAMEWORK: &str = "target/apple/SottoNative.xcframework";

/// The sample app. What it does without a screen is tested here; the rest needs Xcode.
const SAMPLE: &str = "sample-apps/ios/Notes.swiftpm";

/// Runs a program in another Debian (`$1`), where this folder (`$2`) is to be found at the same place.
const RUN_INSIDE: &str = r#"
    system=$1 folder=$2; shift 2
    mkdir -p "$system$folder" && mount --bind "$folder" "$system$folder" &&
    mount -t proc proc "$system/proc" && mount --rbind /dev "$system/dev" &&
    exec chroot "$system" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/libexec/swift/bin:/usr/bin:/bin \
        sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
"#;

/// Runs the Swift tests. Where something is missing for them, returns a line that says so.
pub fn test_if_installed() -> Result<Option<String>, String> {
    let missing = match Swift::find()? {
        None => Some("Swift (`cargo xtask install-swift`)"),
        Some(_) if cfg!(target_os = "macos") && !framework().exists() => Some("the framework (`cargo xtask apple`)"),
        Some(_) => None,
    };
    match missing {
        Some(missing) => Ok(Some(format!("{SKIPPED}: the Swift tests, because something is missing: {missing}"))),
        None => test().map(|()| None),
    }
}

/// Runs the Swift tests: on a Mac on the framework, elsewhere on the library built for this machine. Installs Swift, unless there
/// is one.
pub fn test() -> Result<(), String> {
    if cfg!(target_os = "macos") && !framework().exists() {
        return Err("the framework is missing: run `cargo xtask apple` first".into());
    }
    install()?;
    let swift = Swift::find()?.ok_or("Swift was installed, but cannot be found")?;
    bindgen()?;
    wide_model()?;
    test_package(&swift, ".", "target/swift")?;
    test_package(&swift, SAMPLE, "target/swift-sample")
}

fn test_package(swift: &Swift, package: &str, scratch: &str) -> Result<(), String> {
    // On Linux, packed copies of models are kept there, and not in the home folder.
    let data = format!("XDG_DATA_HOME={}", folder()?.join(scratch).join("data").display());
    // One after the other: some measure how soon work stops.
    let test = ["swift", "test", "--no-parallel", "--package-path", package, "--scratch-path", scratch];
    let mut tests = swift.command("env", &[[data.as_str()].as_slice(), &test].concat())?;
    tests.args(["-Xswiftc", "-warnings-as-errors"]);
    for option in linker_options(env::consts::OS, &folder()?.join("target/debug")) {
        tests.args(["-Xlinker", &option]);
    }
    // Read on a Mac: this framework, and not that of a release.
    run(tests.env("SOTTO_XCFRAMEWORK", FRAMEWORK))
}

/// Builds a package of somewhere else in the project's folder, then the documentation of the SDK that it depends on. Without Swift,
/// returns a line that says so.
pub fn build_if_installed(package: &Path) -> Result<Option<String>, String> {
    let Some(swift) = Swift::find()? else {
        return Ok(Some(format!("{SKIPPED}: {}, because Swift is missing", package.display())));
    };
    let graphs = package.join("symbols");
    fs::create_dir_all(&graphs).map_err(|error| format!("{}: {error}", graphs.display()))?;
    let mut build = swift.command("swift", &["build", "--package-path"])?;
    build.arg(package).args(["-Xswiftc", "-emit-symbol-graph", "-Xswiftc", "-emit-symbol-graph-dir", "-Xswiftc"]);
    run(build.arg(&graphs))?;
    document(&swift, &graphs, &package.join("documentation"))?;
    Ok(None)
}

/// Makes the documentation of the module from its symbols, which a compiler has left in `graphs`, and the catalog. A link to nothing
/// is an error.
fn document(swift: &Swift, graphs: &Path, documentation: &Path) -> Result<(), String> {
    let symbols = graphs.join("only");
    let copied = fs::create_dir_all(&symbols)
        .and_then(|()| fs::copy(graphs.join("Sotto.symbols.json"), symbols.join("Sotto.symbols.json")));
    copied.map_err(|error| format!("{}: {error}", graphs.display()))?;
    let mut docc = swift.command("docc", &["convert", "ios/Sources/Sotto/Sotto.docc", "--warnings-as-errors"])?;
    docc.args(["--fallback-display-name", "Sotto", "--fallback-bundle-identifier", "dev.sotto.Sotto"]);
    run(docc.arg("--additional-symbol-graph-dir").arg(&symbols).arg("--output-path").arg(documentation))
}

/// How the linker finds the library, on systems where it is not a framework.
fn linker_options(system: &str, library: &Path) -> Vec<String> {
    let library = library.display();
    match system {
        "macos" => vec![],
        // The last: Debian's library of observable objects refers to a function that is nowhere.
        _ => vec![format!("-L{library}"), format!("-rpath={library}"), "--allow-shlib-undefined".into()],
    }
}

/// Where `cargo xtask apple` leaves the framework, and `Package.swift` looks for it.
fn framework() -> PathBuf {
    root().join(FRAMEWORK)
}

/// Checks the format of the Swift sources, and the grammar of those that only Xcode can compile. Without Swift, returns a line that says so.
pub fn check_if_installed() -> Result<Option<String>, String> {
    let Some(swift) = Swift::find()? else {
        return Ok(Some(format!("{SKIPPED}: the format of the Swift sources, because Swift is missing")));
    };
    run(swift.command("swift", &["format", "lint", "--strict", "--recursive"])?.args(SOURCES))?;
    run(swift.command("swiftc", &["-frontend", "-parse"])?.args(app_sources()?))?;
    Ok(None)
}

/// Installs Debian's Swift, unless there is one.
pub fn install() -> Result<(), String> {
    if Swift::find()?.is_some() {
        return Ok(());
    }
    if cfg!(target_os = "macos") {
        return Err("Swift is missing: it comes with Xcode".into());
    }
    let system = system()?;
    let partial = system.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    }
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg";
    run(Command::new("debootstrap").args(["--variant=minbase", keyring, RELEASE]).arg(&partial).arg(mirror()?))?;
    for step in [&["install", "--yes", "--no-install-recommends"][..], &["clean"]] {
        let packages = if step.len() > 1 { &PACKAGES[..] } else { &[] };
        let mut apt = Command::new("chroot");
        apt.arg(&partial).arg("apt-get").args(step).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut apt)?;
    }
    fs::rename(&partial, &system).map_err(|error| format!("{}: {error}", system.display()))
}

/// The server that this machine takes its Debian packages from.
fn mirror() -> Result<String, String> {
    let sources = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    let output = Command::new("apt-get").args(sources).output();
    let output = output.map_err(|error| format!("cannot start apt-get: {error}"))?;
    let servers = String::from_utf8_lossy(&output.stdout);
    servers
        .lines()
        .next()
        .map(str::to_owned)
        .ok_or_else(|| "apt-get has no Debian package lists: run `apt-get update`".into())
}

/// A Swift compiler.
enum Swift {
    /// This machine's.
    Here,
    /// The one of the Debian in this folder.
    Inside(PathBuf),
}

impl Swift {
    fn find() -> Result<Option<Self>, String> {
        let version = Command::new("swift").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if version.is_ok_and(|status| status.success()) {
            return Ok(Some(Self::Here));
        }
        let system = system()?;
        Ok(system.join("usr/libexec/swift/bin/swift").exists().then_some(Self::Inside(system)))
    }

    /// A command of Swift's that runs in the project's folder.
    fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, String> {
        let folder = folder()?;
        let mut command = match self {
            Self::Here => Command::new(program),
            Self::Inside(system) => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "--propagation", "private", "sh", "-c", RUN_INSIDE, "sh"]);
                command.arg(system).arg(&folder).arg(program);
                command
            }
        };
        command.args(arguments).current_dir(folder);
        Ok(command)
    }
}

/// The sample app's sources for the screen, from the project's folder.
fn app_sources() -> Result<Vec<PathBuf>, String> {
    let folder = Path::new(SAMPLE).join("App");
    let entries = fs::read_dir(root().join(&folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.flatten().map(|entry| folder.join(entry.file_name()));
    let mut sources: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "swift")).collect();
    sources.sort();
    Ok(sources)
}

/// Where Debian's Swift is kept.
fn system() -> Result<PathBuf, String> {
    let named = env::var_os(ROOT_VARIABLE).map(PathBuf::from);
    named
        .or_else(|| cache_folder("swift"))
        .ok_or(format!("HOME is not set: set {ROOT_VARIABLE} to the folder for Swift"))
}

fn folder() -> Result<PathBuf, String> {
    root().canonicalize().map_err(|error| format!("{}: {error}", root().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apple_s_linker_is_told_nothing_that_it_does_not_know() {
        assert_eq!(linker_options("macos", Path::new("/library")), [""; 0]);
        let on_linux = linker_options("linux", Path::new("/library"));
        assert_eq!(on_linux, ["-L/library", "-rpath=/library", "--allow-shlib-undefined"]);
    }
}
