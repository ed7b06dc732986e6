//! Stand-ins for Android's libraries where there is no NDK: each has exactly the functions that the library needs of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::MIN_SDK;
use super::build::{LLD, Library};
use crate::elf;
use crate::steps::{in_file, run};

/// What the library may use of Android's own libraries.
const FUNCTIONS: &str = include_str!("functions.txt");

/// Makes the shared libraries that `library`, linked without any, lacks, and returns what tells the linker of them.
pub fn make(folder: &Path, library: &Library) -> Result<Vec<String>, String> {
    in_file(folder, fs::create_dir_all(folder))?;
    // The linker wants to link something.
    in_file(folder, fs::write(folder.join("empty.a"), "!<arch>\n"))?;
    let mut shared = divide(elf::read(Path::new("readelf"), &library.path)?.undefined, &libraries(FUNCTIONS))?;
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

/// The library of each function in lines like `libc: abort accept4`.
fn libraries(lines: &str) -> BTreeMap<&str, &str> {
    let lines = lines.lines().filter_map(|line| line.strip_prefix("lib")?.split_once(": "));
    lines.flat_map(|(library, functions)| functions.split_whitespace().map(move |name| (name, library))).collect()
}

/// Says which library has which function.
fn divide<'a>(
    undefined: Vec<String>,
    known: &BTreeMap<&str, &'a str>,
) -> Result<BTreeMap<&'a str, Vec<String>>, String> {
    let mut libraries: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for function in undefined {
        match known.get(function.as_str()) {
            Some(library) => libraries.entry(library).or_default().push(function),
            None if function.starts_with("_Unwind_") => libraries.entry("unwind").or_default().push(function),
            None => unknown.push(function),
        }
    }
    if unknown.is_empty() {
        return Ok(libraries);
    }
    Err(format!(
        "nobody has looked yet whether Android {MIN_SDK} has {}: find each in bionic's libc.map.txt, libm.map.txt or \
         libdl.map.txt. If its line has no `introduced`, or none after {MIN_SDK}, add it to \
         tools/xtask/src/android/functions.txt; else the library cannot be loaded there, and must do without it",
        unknown.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn every_function_has_its_library() {
        let known =
            libraries("# Where they are.\nlibc: malloc __errno\nlibc: open\nlibm: expf\nliblog: __android_log_write\n");
        let undefined = names(&["malloc", "expf", "__errno", "__android_log_write", "_Unwind_Resume"]);
        let divided = divide(undefined, &known).expect("all are known");
        assert_eq!(divided["c"], ["malloc", "__errno"]);
        for (library, function) in [("m", "expf"), ("log", "__android_log_write"), ("unwind", "_Unwind_Resume")] {
            assert_eq!(divided[library], [function]);
        }
    }

    #[test]
    fn a_function_that_nobody_has_looked_for_is_refused() {
        // Android has these from API levels 28 and 30 on.
        for newer in ["getentropy", "memfd_create"] {
            let refused = divide(names(&["malloc", newer]), &libraries(FUNCTIONS)).expect_err(newer);
            assert!(refused.contains(&format!("has {newer}: find")), "{refused}");
        }
    }
}
