use std::path::Path;

use sotto::{ChatOptions, LocalModel, SamplingOptions};

use super::{print_text, style};
use crate::args::SamplingArguments;
use crate::failure::Failure;
use crate::input;

pub fn run(
    model: &LocalModel,
    text: &str,
    style: &Path,
    sampling: &SamplingArguments,
    max_tokens: usize,
    json: bool,
) -> Result<(), Failure> {
    let style = style::read(style)?;
    let options = ChatOptions { sampling: sampling.over(SamplingOptions::default()), max_tokens, format: None };
    print_text(
        model.rewrite(&input::read_word(text)?, &style, &options),
        |reply| (&reply.metrics, reply.finish_reason),
        json,
    )
}
