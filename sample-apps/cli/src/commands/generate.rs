use std::io::Write;

use sotto::{CompletionOptions, LocalModel, Prompt, SamplingOptions};

use super::{print_json, watch};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::screen;

pub fn run(
    model: &LocalModel,
    prompt: Prompt,
    max_tokens: usize,
    sampling: &SamplingArguments,
    json: bool,
) -> Result<(), Failure> {
    let options = CompletionOptions { sampling: sampling.over(SamplingOptions::default()), max_tokens, format: None };
    let job = model.complete(prompt, &options);
    if json {
        return print_json(&watch(job, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    let completion = watch(job, |piece| {
        out.write_all(screen::answer(&piece).as_bytes())?;
        Ok(out.flush()?)
    })?;
    writeln!(out)?;
    screen::metrics(&completion.metrics);
    Ok(())
}
