use std::path::Path;

use sotto::LocalModel;

use super::{print_json, watch};
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(model: &LocalModel, text: &str, schema: &Path, json: bool) -> Result<(), Failure> {
    let schema = serde_json::from_str(&input::read_file(schema)?)
        .map_err(|error| Failure::BadInput(format!("the schema is not JSON: {error}")))?;
    let extraction = watch(model.extract(&input::read_word(text)?, &schema), |never| match never {})?;
    print_json(&extraction.value)?;
    if !json {
        screen::metrics(&extraction.metrics);
    }
    Ok(())
}
