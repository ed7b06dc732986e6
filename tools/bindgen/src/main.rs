//! `sotto-bindgen LIBRARY CONFIG OUT`: Kotlin into `OUT/kotlin`, Swift into `OUT/swift`.

use std::env;
use std::fs;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use regex::Regex;
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

/// The package of the generated Kotlin, as `bindings/uniffi.toml` says.
const KOTLIN_FILE: &str = "kotlin/dev/sotto/internal/sotto.kt";

fn main() -> Result<()> {
    let arguments: Vec<Utf8PathBuf> = env::args().skip(1).map(Into::into).collect();
    let [library, config, out] = &arguments[..] else { bail!("usage: sotto-bindgen LIBRARY CONFIG OUT") };
    for (folder, language) in [("kotlin", TargetLanguage::Kotlin), ("swift", TargetLanguage::Swift)] {
        let mut paths = BindgenPaths::default();
        paths.add_layer(ConfigFile(config.clone()));
        let options = GenerateOptions {
            languages: vec![language],
            source: library.clone(),
            out_dir: out.join(folder),
            ..GenerateOptions::default()
        };
        generate_with_bindgen_paths(options, paths)?;
    }
    hide(&out.join(KOTLIN_FILE))
}

/// One `uniffi.toml`, whatever the crate.
struct ConfigFile(Utf8PathBuf);

impl BindgenPathsLayer for ConfigFile {
    fn get_config_path(&self, _crate_name: &str) -> Option<Utf8PathBuf> {
        Some(self.0.clone())
    }
}

/// Makes every top-level declaration of a file internal to the Kotlin module: apps see the SDK's own classes alone. Some
/// follow their comment on its last line, or what they throw.
fn hide(path: &Utf8PathBuf) -> Result<()> {
    let declaration = Regex::new(
        r"(?m)^( *\*/ )?( *@Throws\([^)]*\) )?(?:public )?((?:open |data |sealed |enum |abstract |suspend |inline |external )*(?:class|interface|object|fun|val|var|typealias)(?-u:\b))",
    )?;
    let text = fs::read_to_string(path).with_context(|| format!("the generator made no {path}"))?;
    Ok(fs::write(path, &*declaration.replace_all(&text, "${1}${2}internal $3"))?)
}
