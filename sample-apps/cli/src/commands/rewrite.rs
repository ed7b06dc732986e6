use std::io::Write;
use std::path::Path;

use sotto::{ChatOptions, LocalModel, SamplingOptions, StyleProfile};

use super::{print_json, watch};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(
    model: &LocalModel,
    text: &str,
    style: &Path,
    sampling: &SamplingArguments,
    json: bool,
) -> Result<(), Failure> {
    let style: StyleProfile = serde_json::from_str(&input::read_file(style)?)
        .map_err(|error| Failure::BadInput(format!("the style is not what `sotto style` prints: {error}")))?;
    let options = ChatOptions { sampling: sampling.over(SamplingOptions::default()), ..ChatOptions::default() };
    let job = model.rewrite(&input::read_word(text)?, &style, &options);
    if json {
        return print_json(&watch(job, |_| Ok(()))?);
    }
    let mut out = std::io::stdout().lock();
    let reply = watch(job, |piece| {
        out.write_all(screen::answer(&piece).as_bytes())?;
        Ok(out.flush()?)
    })?;
    writeln!(out)?;
    screen::metrics(&reply.metrics);
    Ok(())
}
