//! The XCFramework: libraries for several systems in one folder, and the header that Swift imports.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Slice;

/// The framework's name, and that of the C module in it.
pub const MODULE: &str = "SottoNative";

/// What the library is called in each slice.
pub const LIBRARY: &str = "libsotto.a";

/// The folder that holds the slices' headers.
const HEADERS: &str = "Headers";

#[derive(Serialize)]
struct Info {
    #[serde(rename = "AvailableLibraries")]
    available_libraries: Vec<AvailableLibrary>,
    #[serde(rename = "CFBundlePackageType")]
    package_type: &'static str,
    #[serde(rename = "XCFrameworkFormatVersion")]
    format_version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AvailableLibrary {
    binary_path: &'static str,
    headers_path: &'static str,
    library_identifier: &'static str,
    library_path: &'static str,
    supported_architectures: Vec<&'static str>,
    supported_platform: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_platform_variant: Option<&'static str>,
}

impl Info {
    fn of<'a>(slices: impl Iterator<Item = &'a Slice>) -> Self {
        let describe = |slice: &Slice| AvailableLibrary {
            binary_path: LIBRARY,
            headers_path: HEADERS,
            library_identifier: slice.identifier,
            library_path: LIBRARY,
            supported_architectures: slice.targets.iter().map(|target| target.architecture).collect(),
            supported_platform: slice.platform,
            supported_platform_variant: slice.variant,
        };
        Self { available_libraries: slices.map(describe).collect(), package_type: "XFWK", format_version: "1.0" }
    }
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

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{PHONE, SIMULATOR};
    use super::*;

    #[test]
    fn a_framework_says_what_is_in_it() {
        let folder = std::env::temp_dir().join(format!("sotto-framework-{}", std::process::id()));
        let [generated, headers, made] = ["generated", "headers", "made"].map(|name| folder.join(name));
        fs::create_dir_all(&generated).expect("a folder");
        for (name, text) in [("SottoNative.h", "void f(void);"), ("SottoNative.modulemap", "module SottoNative {}")] {
            fs::write(generated.join(name), text).expect("a file");
        }
        assert_eq!(lay_out_headers(&generated, &headers).expect("headers"), "void f(void);");
        let library = folder.join("any.a");
        fs::write(&library, "!<arch>\n").expect("a library");
        assemble(&[(PHONE, library.clone()), (SIMULATOR, library)], &headers, &made).expect("a framework");

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
        fs::remove_dir_all(&folder).expect("an own folder");
    }
}
