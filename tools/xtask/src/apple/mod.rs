//! The XCFramework: a static library for each kind of Apple system, and the header that Swift imports.

mod framework;
mod macho;
mod privacy;
mod rehearsal;
mod system;
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::macho::{PLATFORM_IOS, PLATFORM_IOSSIMULATOR, PLATFORM_MACOS};

use crate::bindgen::bindgen;
use crate::steps::{in_file, root, run, sha256};
use framework::{LIBRARY, MODULE};
use macho::{ObjectFile, System};
use tools::{Target, Tools, folder};

/// The oldest systems that the library runs on, as in `Package.swift`.
const IOS: (u32, u32) = (16, 0);
const MACOS: (u32, u32) = (13, 0);

/// What the library may add to an app, in bytes.
const LARGEST: u64 = 10_500_000;
/// The same of what Debian's compiler builds to check: it is optimized little, without link-time optimization, and thereby larger.
const LARGEST_TO_CHECK: u64 = 13_500_000;

/// One library of the framework.
#[derive(Debug, Clone, Copy)]
struct Slice {
    /// Its folder, in Xcode's way of naming.
    identifier: &'static str,
    platform: &'static str,
    variant: Option<&'static str>,
    /// Apple's number for platform and variant together.
    number: u32,
    minimum: (u32, u32),
    /// One for each processor.
    targets: &'static [Target],
}

const PHONE: Slice = Slice {
    identifier: "ios-arm64",
    platform: "ios",
    variant: None,
    number: PLATFORM_IOS,
    minimum: IOS,
    targets: &[Target { triple: "aarch64-apple-ios", architecture: "arm64", system: "ios", minimum: IOS }],
};

const SIMULATOR: Slice = Slice {
    identifier: "ios-arm64_x86_64-simulator",
    platform: "ios",
    variant: Some("simulator"),
    number: PLATFORM_IOSSIMULATOR,
    minimum: IOS,
    targets: &[
        Target { triple: "aarch64-apple-ios-sim", architecture: "arm64", system: "ios-simulator", minimum: IOS },
        Target { triple: "x86_64-apple-ios", architecture: "x86_64", system: "ios-simulator", minimum: IOS },
    ],
};

const MAC: Slice = Slice {
    identifier: "macos-arm64",
    platform: "macos",
    variant: None,
    number: PLATFORM_MACOS,
    minimum: MACOS,
    targets: &[Target { triple: "aarch64-apple-darwin", architecture: "arm64", system: "macos", minimum: MACOS }],
};

const SLICES: [Slice; 3] = [PHONE, SIMULATOR, MAC];

/// Builds every slice, and makes `target/apple/SottoNative.xcframework` with its zip of them.
pub fn package() -> Result<(), String> {
    let tools = Tools::of_this_machine()?;
    let headers = headers()?;
    make_framework(tools, &folder(), &headers, |target| tools.build(target))
}

/// Builds for a phone, and checks everything about the result that can be checked without Apple's SDK. How a framework is made of
/// libraries for all systems is rehearsed with small ones. The other systems' code is the phone's; of the kernels, what the simulator
/// on Intel has is what Linux has.
pub fn check() -> Result<(), String> {
    let tools = Tools::of_this_machine()?;
    let headers = headers()?;
    rehearsal::rehearse(tools, &headers, &folder().join("rehearsal"))?;
    let library = make_slice(tools, PHONE, &folder(), &headers, |target| tools.build_to_check(target))?;
    check_client(tools, PHONE.targets[0], &library, &headers)?;
    println!("{}: built and checked", PHONE.targets[0].triple);
    Ok(())
}

/// The generated header, and what it declares.
struct Headers {
    folder: PathBuf,
    functions: BTreeSet<String>,
    /// A file of the functions' symbols, one in each line.
    symbols: PathBuf,
}

fn headers() -> Result<Headers, String> {
    bindgen()?;
    let generated = root().join("target/bindings/swift");
    let (laid_out, symbols) = (folder().join("headers"), folder().join("symbols.txt"));
    let header = in_file(&generated, framework::lay_out_headers(&generated, &laid_out))?;
    let functions = functions(&header);
    write_symbols(&functions, &symbols)?;
    Ok(Headers { folder: laid_out, functions, symbols })
}

/// The functions that a header of uniffi's declares.
fn functions(header: &str) -> BTreeSet<String> {
    let is_part_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let before_parentheses = header.split('(').map(|text| text.rsplit(|c| !is_part_of_name(c)).next().unwrap_or(""));
    let names = before_parentheses.filter(|name| name.starts_with("uniffi_sotto_") || name.starts_with("ffi_sotto_"));
    names.map(str::to_owned).collect()
}

fn write_symbols<'a>(names: impl IntoIterator<Item = &'a String>, path: &Path) -> Result<(), String> {
    let lines: String = names.into_iter().map(|name| format!("_{name}\n")).collect();
    in_file(path, fs::write(path, lines))
}

/// Makes the framework of all slices in `folder`, with its zip, of the libraries that `build` gives for each target.
fn make_framework(
    tools: Tools,
    folder: &Path,
    headers: &Headers,
    build: impl Fn(Target) -> Result<PathBuf, String>,
) -> Result<(), String> {
    let mut slices = Vec::new();
    for slice in SLICES {
        slices.push((slice, make_slice(tools, slice, folder, headers, &build)?));
    }
    let framework = folder.join(format!("{MODULE}.xcframework"));
    tools.assemble(&slices, &headers.folder, &framework)?;
    fail_on(&framework.display().to_string(), &framework::faults(&framework, &SLICES, &headers.functions)?)?;
    zip(&framework)
}

/// Makes the library of a slice, which defines the functions of the header and nothing else that anybody could see.
fn make_slice(
    tools: Tools,
    slice: Slice,
    folder: &Path,
    headers: &Headers,
    build: impl Fn(Target) -> Result<PathBuf, String>,
) -> Result<PathBuf, String> {
    let mut libraries = Vec::new();
    for target in slice.targets {
        libraries.push(tools.hide_symbols(*target, &build(*target)?, folder, headers)?);
    }
    let library = match &libraries[..] {
        [library] => library.clone(),
        several => {
            let folder = folder.join(slice.identifier);
            in_file(&folder, fs::create_dir_all(&folder))?;
            let joined = folder.join(LIBRARY);
            tools.join(several, &joined)?;
            joined
        }
    };
    let objects = read(&library)?;
    let bytes = fs::metadata(&library).map_or(0, |file| file.len());
    let Slice { identifier, minimum: (major, minor), .. } = slice;
    println!(
        "{identifier}: {:.1} MB before linking, {} objects, from {major}.{minor} on",
        bytes as f64 / 1e6,
        objects.len()
    );
    fail_on(identifier, &faults_of_library(&slice, &objects, &headers.functions))?;
    Ok(library)
}

fn read(library: &Path) -> Result<Vec<ObjectFile>, String> {
    let data = in_file(library, fs::read(library))?;
    macho::read(&data).map_err(|error| format!("{}: {error}", library.display()))
}

fn fail_on(what: &str, faults: &[String]) -> Result<(), String> {
    if faults.is_empty() { Ok(()) } else { Err(format!("{what}: {}", faults.join("; "))) }
}

/// What is wrong with the library of a slice.
fn faults_of_library(slice: &Slice, objects: &[ObjectFile], functions: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let system = System { platform: slice.number, minimum: slice.minimum };
    let alien = objects.iter().filter(|object| object.system != Some(system)).count();
    if alien > 0 {
        faults.push(format!("{alien} objects are built for another system than {system:?}"));
    }
    let wanted: BTreeSet<&str> = slice.targets.iter().map(|target| target.architecture).collect();
    let found: BTreeSet<&str> = objects.iter().map(|object| object.architecture.as_str()).collect();
    if found != wanted {
        faults.push(format!("it is for {found:?}, and not for {wanted:?}"));
    }
    for architecture in found {
        let objects: Vec<_> = objects.iter().filter(|object| object.architecture == architecture).collect();
        faults
            .extend(faults_of_symbols(&objects, functions).into_iter().map(|fault| format!("{architecture}: {fault}")));
    }
    faults
}

fn faults_of_symbols(objects: &[&ObjectFile], functions: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut complain = |what: &str, names: Vec<&String>| {
        if !names.is_empty() {
            faults.push(format!("{what}: {names:?}"));
        }
    };
    let exports: BTreeSet<String> = objects.iter().flat_map(|object| object.exports.clone()).collect();
    complain("the header does not declare", exports.difference(functions).collect());
    complain("the library lacks", functions.difference(&exports).collect());
    let mut seen = BTreeSet::new();
    let defined = objects.iter().flat_map(|object| object.defined());
    complain("defined twice", defined.filter(|name| !seen.insert(*name)).collect());
    faults
}

/// Links a library that offers every function of the header as an app would, and checks what that comes to: what the functions
/// do not need falls away.
fn check_client(tools: Tools, target: Target, library: &Path, headers: &Headers) -> Result<(), String> {
    let client = tools.link_client(target, library, headers)?;
    let bytes = fs::metadata(&client).map_or(0, |file| file.len());
    println!("{}: adds {:.2} MB to an app", target.triple, bytes as f64 / 1e6);
    let called = undefined(&read(&client)?);
    for (category, functions) in privacy::categories(&called) {
        println!("  {category}: {}", functions.join(" "));
    }
    let manifest = root().join("ios/Sources/Sotto/PrivacyInfo.xcprivacy");
    let manifest = in_file(&manifest, fs::read(&manifest))?;
    let mut faults = privacy::faults(&manifest, &called);
    faults.extend(system::faults(&called));
    let largest = match tools {
        Tools::Xcode => LARGEST,
        Tools::Debian => LARGEST_TO_CHECK,
    };
    if bytes > largest {
        faults.push(format!("it adds {bytes} bytes to an app, more than {largest}"));
    }
    fail_on(target.triple, &faults)
}

/// What a library needs of others.
fn undefined(objects: &[ObjectFile]) -> BTreeSet<String> {
    let defined: BTreeSet<&String> = objects.iter().flat_map(ObjectFile::defined).collect();
    objects.iter().flat_map(|object| &object.undefined).filter(|name| !defined.contains(name)).cloned().collect()
}

/// Zips the framework beside it, and says what `Package.swift` has to say of that: its checksum is that of `swift package
/// compute-checksum`.
fn zip(framework: &Path) -> Result<(), String> {
    let archive = framework.with_extension("xcframework.zip");
    let name = framework.file_name().unwrap_or_default();
    let folder = framework.parent().unwrap_or(framework);
    let _: Result<(), std::io::Error> = fs::remove_file(&archive);
    run(Command::new("zip").args(["--quiet", "-X", "--recurse-paths"]).arg(&archive).arg(name).current_dir(folder))?;
    let data = in_file(&archive, fs::read(&archive))?;
    let checksum = sha256(&data);
    println!("{}: {:.1} MB, checksum {checksum}", archive.display(), data.len() as f64 / 1e6);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn sound() -> Vec<ObjectFile> {
        let system = Some(System { platform: PLATFORM_IOS, minimum: IOS });
        let ours = ObjectFile {
            architecture: "arm64".into(),
            system,
            exports: names(&["ffi_sotto_free", "uniffi_sotto_load"]),
            undefined: names(&["__udivti3", "malloc"]),
            ..ObjectFile::default()
        };
        let builtins = ObjectFile { exports: names(&[]), hidden: names(&["__udivti3"]), ..ours.clone() };
        vec![ours, builtins]
    }

    fn faults_of(objects: &[ObjectFile]) -> Vec<String> {
        faults_of_library(&PHONE, objects, &names(&["ffi_sotto_free", "uniffi_sotto_load"]))
    }

    #[test]
    fn a_sound_library_has_no_faults() {
        assert_eq!(faults_of(&sound()), [""; 0]);
        assert_eq!(undefined(&sound()), names(&["malloc"]));
    }

    #[test]
    fn each_fault_is_found() {
        let breaks: [fn(&mut Vec<ObjectFile>); 7] = [
            |objects| objects[1].system = None,
            |objects| objects[1].system = Some(System { platform: PLATFORM_IOSSIMULATOR, minimum: IOS }),
            |objects| objects[1].system = Some(System { platform: PLATFORM_IOS, minimum: (17, 0) }),
            |objects| objects.iter_mut().for_each(|object| object.architecture = "x86_64".into()),
            |objects| {
                objects[1].exports.insert("llg_free_tokenizer".into());
            },
            |objects| {
                objects[0].exports.pop_last();
            },
            |objects| {
                objects[1].hidden.insert("ffi_sotto_free".into());
            },
        ];
        for (number, damage) in breaks.iter().enumerate() {
            let mut objects = sound();
            damage(&mut objects);
            assert_eq!(faults_of(&objects).len(), 1, "{number}: {:?}", faults_of(&objects));
        }
    }

    #[test]
    fn slices_are_named_as_xcode_names_them() {
        for slice in SLICES {
            let architectures: Vec<&str> = slice.targets.iter().map(|target| target.architecture).collect();
            let name = [Some(slice.platform), Some(&architectures.join("_")), slice.variant];
            assert_eq!(slice.identifier, name.into_iter().flatten().collect::<Vec<_>>().join("-"));
            let system = [Some(slice.platform), slice.variant].into_iter().flatten().collect::<Vec<_>>().join("-");
            assert!(slice.targets.iter().all(|target| target.system == system && target.minimum == slice.minimum));
        }
    }

    #[test]
    fn the_header_s_functions_are_found() {
        let header = "typedef void (*UniffiCallback)(uint64_t, int8_t\n    );\n\
            void*_Nonnull uniffi_sotto_fn_clone_ffimodel(void*_Nonnull ptr);\n\
            RustBuffer ffi_sotto_rustbuffer_alloc(uint64_t size, RustCallStatus *_Nonnull out_status\n);";
        assert_eq!(functions(header), names(&["ffi_sotto_rustbuffer_alloc", "uniffi_sotto_fn_clone_ffimodel"]));
    }
}
