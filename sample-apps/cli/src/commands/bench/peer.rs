//! Another program to compare with: llama.cpp's `llama-bench`, or one with the same options and JSON output.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use sotto::{BenchOptions, BenchReport, median};

use crate::failure::Failure;

/// The program, and the GGUF file that it runs.
pub struct Peer {
    program: PathBuf,
    model: PathBuf,
}

/// One measurement, as `llama-bench -o json` prints it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Measurement {
    n_prompt: usize,
    n_gen: usize,
    #[serde(default)]
    n_depth: usize,
    avg_ts: f64,
}

/// The program's speeds, in the order of ours.
#[derive(Serialize)]
pub struct Comparison {
    pub program: String,
    pub prefill: Vec<PeerSpeed>,
    pub decode: Vec<PeerSpeed>,
}

/// One of its speeds: `None` where it did not print one.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PeerSpeed {
    pub tokens_per_second: Option<f64>,
    /// Our speed over its.
    pub ratio: Option<f64>,
}

impl Peer {
    /// # Errors
    /// [`Failure::BadInput`] without a model file.
    pub fn new(program: &Path, model: Option<&Path>) -> Result<Self, Failure> {
        let model = model.ok_or_else(|| Failure::BadInput("--compare needs a model file: use --model".into()))?;
        Ok(Self { program: program.to_owned(), model: model.to_owned() })
    }

    pub fn name(&self) -> String {
        self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned()
    }

    /// Runs it once.
    ///
    /// # Errors
    /// [`Failure::Peer`] if it does not start, fails, or prints something else.
    pub fn measure(&self, options: &BenchOptions, threads: usize) -> Result<Vec<Measurement>, Failure> {
        let list = |numbers: &[usize]| match numbers {
            [] => "0".to_owned(),
            _ => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        let failed = |why: String| Failure::Peer { program: self.name(), why };
        let output = Command::new(&self.program)
            .arg("-m")
            .arg(&self.model)
            .args(["-t", &threads.to_string(), "-r", "1", "-o", "json"])
            .args(["-p", &list(&options.prefill), "-n", &options.decode.to_string(), "-d", &list(&options.depths)])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(format!("it ended with {}", output.status)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| failed(format!("it did not print llama-bench's JSON: {error}")))
    }

    /// Medians of its turns beside `ours`.
    pub fn compare(&self, ours: &BenchReport, turns: &[Vec<Measurement>]) -> Comparison {
        let speed = |tokens_per_second: f64, is_it: &dyn Fn(&Measurement) -> bool| {
            let measured: Vec<f64> = turns.iter().flatten().filter(|m| is_it(m)).map(|m| m.avg_ts).collect();
            let theirs = (!measured.is_empty()).then(|| median(measured));
            PeerSpeed { tokens_per_second: theirs, ratio: theirs.map(|theirs| tokens_per_second / theirs) }
        };
        let prefill = ours.prefill.iter().map(|ours| {
            speed(ours.tokens_per_second, &|m| (m.n_prompt, m.n_gen, m.n_depth) == (ours.tokens, 0, ours.depth))
        });
        let decode = ours.decode.iter().map(|ours| {
            speed(ours.tokens_per_second, &|m| (m.n_prompt, m.n_gen, m.n_depth) == (0, ours.tokens, ours.depth))
        });
        Comparison { program: self.name(), prefill: prefill.collect(), decode: decode.collect() }
    }
}

impl fmt::Display for PeerSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tokens_per_second, self.ratio) {
            (Some(theirs), Some(ratio)) => write!(f, "  {ratio:.2} times its {theirs:.1}"),
            _ => write!(f, "  not measured there"),
        }
    }
}
