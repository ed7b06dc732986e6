//! The XCFramework: libraries for several systems in one folder, and the header that Swift imports.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Slice, faults_of_library, functions, read};
use crate::steps::{copy_folder, in_file};

/// The framework's name, and that of the C module in it.
pub const MODULE: &str = "SottoNative";

/// What the library is called in each slice.
pub const LIBRARY: &str = "libsotto.a";

/// The folder that holds the slices' headers.
const HEADERS: &str = "Headers";

/// The framework's `Info.plist`, as far as it is looked at.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Info {
    #[serde(rename = "AvailableLibraries")]
    available_libraries: Vec<AvailableLibrary>,
    #[serde(rename = "CFBundlePackageType")]
    package_type: String,
    #[serde(rename = "XCFrameworkFormatVersion")]
    format_version: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AvailableLibrary {
    library_identifier: String,
    binary_path: String,
    headers_path: String,
    library_path: String,
    supported_architectures: Vec<String>,
    supported_platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_platform_variant: Option<String>,
}

impl Info {
    fn of<'a>(slices: impl Iterator<Item = &'a Slice>) -> Self {
        let describe = |slice: &Slice| AvailableLibrary {
            library_identifier: slice.identifier.into(),
            binary_path: LIBRARY.into(),
            headers_path: HEADERS.into(),
            library_path: LIBRARY.into(),
            supported_architectures: slice.targets.iter().map(|target| target.architecture.into()).collect(),
            supported_platform: slice.platform.into(),
            supported_platform_variant: slice.variant.map(Into::into),
        };
        let mut available_libraries: Vec<_> = slices.map(describe).collect();
        // Nobody's order counts, so that Xcode's does not.
        available_libraries.sort();
        Self { available_libraries, package_type: "XFWK".into(), format_version: "1.0".into() }
    }

    fn read(framework: &Path) -> Result<Self, String> {
        let path = framework.join("Info.plist");
        let mut info: Self = plist::from_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        info.available_libraries.sort();
        Ok(info)
    }
}

/// What is wrong with a framework of these slices, whose header has these functions.
pub fn faults(framework: &Path, slices: &[Slice], wanted: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    let (info, expected) = (Info::read(framework)?, Info::of(slices.iter()));
    if info != expected {
        faults.push(format!("it says that it has {info:?}, and not {expected:?}"));
    }
    for slice in slices {
        let folder = framework.join(slice.identifier);
        let mut complain = |fault: &str| faults.push(format!("{}: {fault}", slice.identifier));
        faults_of_library(slice, &read(&folder.join(LIBRARY))?, wanted).iter().for_each(|fault| complain(fault));
        let headers = folder.join(HEADERS).join(MODULE);
        let header = headers.join(format!("{MODULE}.h"));
        if functions(&in_file(&header, fs::read_to_string(&header))?) != *wanted {
            complain("its header declares other functions");
        }
        if !headers.join("module.modulemap").is_file() {
            complain("there is no module map");
        }
    }
    Ok(faults)
}

/// Lays out what `xcodebuild -create-xcframework` would.
pub fn assemble(slices: &[(Slice, PathBuf)], headers: &Path, framework: &Path) -> io::Result<()> {
    for (slice, library) in slices {
        let folder = framework.join(slice.identifier);
        fs::create_dir_all(&folder)?;
        fs::copy(library, folder.join(LIBRARY))?;
        copy_folder(headers, &folder.join(HEADERS))?;
    }
    let info = Info::of(slices.iter().map(|(slice, _)| slice));
    plist::to_file_xml(framework.join("Info.plist"), &info).map_err(io::Error::other)
}

/// Puts the header and its module map into a folder of the module's name: Xcode throws the headers of all frameworks
/// together, and each of them has a `module.modulemap`. Returns the header's text.
pub fn lay_out_headers(generated: &Path, headers: &Path) -> io::Result<String> {
    let folder = headers.join(MODULE);
    fs::create_dir_all(&folder)?;
    fs::copy(generated.join(format!("{MODULE}.modulemap")), folder.join("module.modulemap"))?;
    let header = format!("{MODULE}.h");
    fs::copy(generated.join(&header), folder.join(&header))?;
    fs::read_to_string(folder.join(header))
}

#[cfg(test)]
mod tests {
    use super::super::macho::tests::object_file;
    use super::super::{PHONE, SIMULATOR};
    use super::*;

    /// A framework of libraries with one object, which nobody has asked for.
    fn made(folder: &Path) -> PathBuf {
        let [generated, headers, made] = ["generated", "headers", "made"].map(|name| folder.join(name));
        fs::create_dir_all(&generated).expect("a folder");
        for (name, text) in [("SottoNative.h", "void f(void);"), ("SottoNative.modulemap", "module SottoNative {}")] {
            fs::write(generated.join(name), text).expect("a file");
        }
        assert_eq!(lay_out_headers(&generated, &headers).expect("headers"), "void f(void);");
        let library = folder.join("any.a");
        fs::write(&library, object_file()).expect("a library");
        assemble(&[(PHONE, library.clone()), (SIMULATOR, library)], &headers, &made).expect("a framework");
        made
    }

    #[test]
    fn a_framework_says_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = made(folder.path());
        assert!(made.join("ios-arm64/Headers/SottoNative/module.modulemap").is_file());
        let info: plist::Dictionary = plist::from_file(made.join("Info.plist")).expect("a property list");
        assert_eq!(info["CFBundlePackageType"].as_string(), Some("XFWK"));
        let libraries = info["AvailableLibraries"].as_array().expect("libraries");
        let libraries: Vec<_> = libraries.iter().filter_map(plist::Value::as_dictionary).collect();
        for library in &libraries {
            let inside = |key: &str| library[key].as_string().expect("text").to_owned();
            let slice = made.join(inside("LibraryIdentifier"));
            assert!(slice.join(inside("LibraryPath")).is_file());
            assert!(slice.join(inside("HeadersPath")).join("SottoNative/SottoNative.h").is_file());
        }
        assert_eq!(libraries.len(), 2);
        assert!(!libraries[0].contains_key("SupportedPlatformVariant"));
        assert_eq!(libraries[1]["SupportedPlatformVariant"].as_string(), Some("simulator"));
        assert_eq!(libraries[1]["SupportedArchitectures"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn what_is_wrong_with_a_framework_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = made(folder.path());
        let slices = [SIMULATOR, PHONE];
        let found = |slices: &[Slice]| faults(&made, slices, &BTreeSet::new()).map(|faults| faults.join("\n"));
        let sound = found(&slices).expect("readable");
        assert!(sound.contains("ios-arm64: 1 objects are built for another system"), "{sound}");
        assert!(!["it says", "its header", "module map"].iter().any(|fault| sound.contains(fault)), "{sound}");
        for wrong in [&slices[..1], &[Slice { variant: None, ..SIMULATOR }, PHONE]] {
            assert!(found(wrong).expect("readable").contains("it says that it has"));
        }
        let headers = made.join("ios-arm64/Headers/SottoNative");
        fs::write(headers.join("SottoNative.h"), "void uniffi_sotto_f(void);").expect("a file");
        assert!(found(&slices).expect("readable").contains("ios-arm64: its header declares other functions"));
        fs::remove_file(headers.join("module.modulemap")).expect("it was there");
        assert!(found(&slices).expect("readable").contains("ios-arm64: there is no module map"));
        fs::remove_file(made.join("ios-arm64/libsotto.a")).expect("it was there");
        assert!(found(&slices).is_err());
    }
}
