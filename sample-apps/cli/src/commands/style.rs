use std::path::Path;

use sotto::StyleProfile;

use super::print_json;
use crate::failure::Failure;
use crate::input;

/// A profile that was printed, and perhaps edited.
pub fn read(file: &Path) -> Result<StyleProfile, Failure> {
    serde_json::from_str(&input::read_file(file)?)
        .map_err(|error| Failure::BadInput(format!("the style is not what `sotto style` prints: {error}")))
}

/// The profile is JSON in any case: it is made to be read, edited and given to `rewrite`.
pub fn run(texts: &Path) -> Result<(), Failure> {
    print_json(&StyleProfile::of(&input::read_lines(texts)?))
}
