//! The way from libraries to a framework, gone in seconds: in the place of what is compiled for an hour, small objects go
//! through every step.

use std::fs;
use std::path::{Path, PathBuf};

use super::tools::{Target, Tools};
use super::{Headers, make_framework};
use crate::steps::in_file;

/// What the two objects of a stand-in define for each other, as Rust's library and its helpers do.
const BETWEEN: &str = "_between";

/// Makes a framework of stand-ins in `folder`.
pub fn rehearse(tools: Tools, headers: &Headers, folder: &Path) -> Result<(), String> {
    if folder.exists() {
        in_file(folder, fs::remove_dir_all(folder))?;
    }
    make_framework(tools, folder, headers, |target| stand_in(tools, target, folder, headers))
}

/// A library that looks as if the compiler had made it: it has the functions of the header, and one that an app may have from
/// elsewhere, too.
fn stand_in(tools: Tools, target: Target, folder: &Path, headers: &Headers) -> Result<PathBuf, String> {
    let functions = headers.functions.iter().map(|name| format!("_{name}"));
    let ours = functions.chain(["_of_a_dependency".into()]).map(|name| exported(&name)).collect::<String>();
    let objects = [
        ("ours.s", format!("{ours}.data\n.quad {BETWEEN}\n.quad _malloc\n")),
        ("helpers.s", format!(".private_extern {BETWEEN}\n{}", exported(BETWEEN))),
    ];
    let mut made = Vec::new();
    for (name, code) in objects {
        let source = target.file(folder, name);
        in_file(&source, fs::create_dir_all(source.with_file_name("")))?;
        in_file(&source, fs::write(&source, build_version(target) + &code + ".subsections_via_symbols\n"))?;
        made.push(tools.object(target, &source)?);
    }
    let library = target.file(folder, "built.a");
    tools.archive(&made, &library)?;
    Ok(library)
}

/// For which system, and from which version on.
fn build_version(target: Target) -> String {
    let (major, minor) = target.minimum;
    format!(".build_version {}, {major}, {minor}\n.text\n", target.system.replace('-', ""))
}

fn exported(name: &str) -> String {
    format!(".globl {name}\n{name}:\n  nop\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::names;
    use super::super::write_symbols;
    use super::*;
    use crate::steps::SKIPPED;

    fn headers(folder: &Path, functions: BTreeSet<String>) -> Headers {
        let (laid_out, symbols) = (folder.join("headers"), folder.join("symbols.txt"));
        fs::create_dir_all(laid_out.join("SottoNative")).expect("a folder");
        let header: String = functions.iter().map(|name| format!("void {name}(void);\n")).collect();
        fs::write(laid_out.join("SottoNative/SottoNative.h"), header).expect("a file");
        fs::write(laid_out.join("SottoNative/module.modulemap"), "module SottoNative {}").expect("a file");
        write_symbols(&functions, &symbols).expect("a file");
        Headers { folder: laid_out, functions, symbols }
    }

    #[test]
    fn stand_ins_become_a_framework_unless_something_is_wrong_with_them() {
        let Ok(tools) = Tools::of_this_machine() else {
            return eprintln!(
                "{SKIPPED}: the rehearsal of framework packaging, because its tools are missing (`cargo xtask apple`)"
            );
        };
        let folder = tempfile::tempdir().expect("a folder");
        let (folder, functions) = (folder.path(), names(&["ffi_sotto_free", "uniffi_sotto_load"]));
        let headers = headers(folder, functions);
        let made = folder.join("made");
        rehearse(tools, &headers, &made).expect("a framework");
        assert!(made.join("SottoNative.xcframework.zip").is_file());

        let newer = |target: Target| Target { minimum: (99, 0), ..target };
        let other = |target: Target| Target { system: "macos", ..target };
        for wrong in [newer as fn(Target) -> Target, other] {
            let refused = make_framework(tools, &made, &headers, |target| {
                // The files lie where those of the target itself do.
                stand_in(tools, wrong(target), &made, &headers)
            });
            let why = refused.expect_err("built for another system");
            assert!(why.contains("objects are built for another system"), "{why}");
        }
    }
}
