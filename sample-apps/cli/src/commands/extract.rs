use std::path::Path;

use sotto::LocalModel;

use super::texts::{Texts, print_each};
use super::{print_json, watch};
use crate::failure::Failure;
use crate::{input, screen};

pub fn run(model: &LocalModel, texts: &Texts, schema: &Path, json: bool) -> Result<(), Failure> {
    let schema = serde_json::from_str(&input::read_file(schema)?)
        .map_err(|error| Failure::BadInput(format!("the schema is not JSON: {error}")))?;
    let text = match texts {
        Texts::One(text) => text,
        Texts::Lines(lines) => {
            let job = model.extract_all(lines.clone(), &schema);
            return print_each(job, json, |extraction| print_json(&extraction.value));
        }
    };
    let extraction = watch(model.extract(text, &schema), |never| match never {})?;
    print_json(&extraction.value)?;
    if !json {
        screen::metrics(&extraction.metrics);
    }
    Ok(())
}
