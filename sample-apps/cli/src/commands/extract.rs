use std::path::Path;

use sotto::ServerCall;

use super::texts::{Texts, print_each};
use super::{load, print_json, watch};
use crate::args::ModelArguments;
use crate::failure::Failure;
use crate::fallback::{Fallback, or_server};
use crate::{input, screen};

pub fn run(
    model: &ModelArguments,
    texts: &Texts,
    schema: &Path,
    fallback: Option<&Fallback>,
    json: bool,
) -> Result<(), Failure> {
    let schema = serde_json::from_str(&input::read_file(schema)?)
        .map_err(|error| Failure::BadInput(format!("the schema is not JSON: {error}")))?;
    let text = match texts {
        Texts::One(text) => text,
        Texts::Lines(lines) => {
            let job = load(model)?.extract_all(lines.clone(), &schema);
            return print_each(job, json, |extraction| print_json(&extraction.value));
        }
    };
    let found = load(model).and_then(|model| watch(model.extract(text, &schema), |never| match never {}));
    let extraction = or_server(fallback, found, |server, reason| {
        server.ask(ServerCall::extract(text, &schema, &server.model, reason)?, |never| match never {})
    })?;
    print_json(&extraction.value)?;
    // That a text has left this machine is said in any case.
    if !json || extraction.metrics.handed_over.is_some() {
        screen::metrics(&extraction.metrics);
    }
    Ok(())
}
