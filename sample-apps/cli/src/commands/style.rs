use std::path::Path;

use sotto::StyleProfile;

use super::print_json;
use crate::failure::Failure;
use crate::input;

/// The profile is JSON in any case: it is made to be read, edited and given to `rewrite`.
pub fn run(texts: &Path) -> Result<(), Failure> {
    print_json(&StyleProfile::of(&input::read_lines(texts)?))
}
