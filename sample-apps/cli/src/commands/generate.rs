use sotto::{CompletionOptions, LocalModel, Prompt, SamplingOptions};

use super::print_text;
use crate::args::SamplingArguments;
use crate::failure::Failure;

pub fn run(
    model: &LocalModel,
    prompt: Prompt,
    max_tokens: usize,
    sampling: &SamplingArguments,
    json: bool,
) -> Result<(), Failure> {
    let options = CompletionOptions { sampling: sampling.over(SamplingOptions::default()), max_tokens, format: None };
    print_text(model.complete(prompt, &options), |answer| (&answer.metrics, answer.finish_reason), json)
}
