//! Stand-ins for Android's libraries where there is no NDK: each has exactly the functions that the library needs of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::build::{LLD, Library};
use crate::elf;
use crate::steps::{in_file, run};

/// Makes the shared libraries that `library`, linked without any, lacks, and returns what tells the linker of them.
pub fn make(folder: &Path, library: &Library) -> Result<Vec<String>, String> {
    in_file(folder, fs::create_dir_all(folder))?;
    // The linker wants to link something.
    in_file(folder, fs::write(folder.join("empty.a"), "!<arch>\n"))?;
    let readelf = Path::new("readelf");
    // Android's C library has the functions of this machine's, and they are divided in the same way.
    let here = |name: &str| {
        let path = format!("/lib/{}-linux-gnu/{name}", std::env::consts::ARCH);
        Ok::<BTreeSet<String>, String>(elf::read(readelf, Path::new(&path))?.exports.into_iter().collect())
    };
    let mut shared = divide(elf::read(readelf, &library.path)?.undefined, &here("libm.so.6")?, &here("libc.so.6")?)?;
    // The NDK's unwinder becomes a part of the library: in its place, any function that is in there.
    let unwinder = shared.remove("unwind").unwrap_or_default();
    let mut options: Vec<String> = unwinder.iter().map(|function| format!("--defsym={function}=JNI_OnLoad")).collect();
    options.extend(["--as-needed".to_owned(), format!("-L{}", folder.display())]);
    for (name, functions) in shared {
        let mut lld = Command::new(LLD);
        lld.args([
            "-m",
            library.abi.emulation,
            "-shared",
            "empty.a",
            &format!("-soname=lib{name}.so"),
            &format!("-olib{name}.so"),
        ]);
        run(lld.args(functions.iter().map(|function| format!("--defsym={function}=0"))).current_dir(folder))?;
        options.push(format!("-l{name}"));
    }
    Ok(options)
}

/// Says which library has which function.
fn divide(
    undefined: Vec<String>,
    math: &BTreeSet<String>,
    c: &BTreeSet<String>,
) -> Result<BTreeMap<&'static str, Vec<String>>, String> {
    let mut libraries: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for function in undefined {
        let library = match function.as_str() {
            name if name.starts_with("__android_log_") => "log",
            name if name.starts_with("_Unwind_") => "unwind",
            name if name.starts_with("dl") && c.contains(name) => "dl",
            name if math.contains(name) => "m",
            name if c.contains(name) || ONLY_IN_ANDROIDS_C.contains(&name) => "c",
            _ => {
                unknown.push(function);
                continue;
            }
        };
        libraries.entry(library).or_default().push(function);
    }
    match unknown.is_empty() {
        true => Ok(libraries),
        false => Err(format!("no library of Android's has {}", unknown.join(" "))),
    }
}

/// What Rust and its crates use of Android's C library that this machine's does not have.
const ONLY_IN_ANDROIDS_C: [&str; 2] = ["__errno", "__system_property_get"];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn every_function_has_its_library() {
        let math = names(&["expf"]).into_iter().collect();
        let c = names(&["malloc", "dlsym", "open"]).into_iter().collect();
        let undefined = names(&["malloc", "expf", "dlsym", "__errno", "__android_log_write", "_Unwind_Resume"]);
        let divided = divide(undefined, &math, &c).expect("all are known");
        assert_eq!(divided["c"], ["malloc", "__errno"]);
        for (library, function) in
            [("m", "expf"), ("dl", "dlsym"), ("log", "__android_log_write"), ("unwind", "_Unwind_Resume")]
        {
            assert_eq!(divided[library], [function]);
        }
        assert!(divide(names(&["malloc", "__cxa_throw"]), &math, &c).is_err_and(|why| why.contains("__cxa_throw")));
    }
}
