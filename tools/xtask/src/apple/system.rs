//! What the library needs of the system: nothing but what Apple documents, and somebody has gone through.

use std::collections::BTreeSet;

/// The list: a symbol in each line, without the underscore that every C name has, and comments that say what they are for.
const REVIEWED: &str = include_str!("system-symbols.txt");

/// The symbols that are not on the list.
pub fn faults(needed: &BTreeSet<String>) -> Vec<String> {
    let reviewed: BTreeSet<&str> = reviewed().collect();
    let unknown: Vec<&str> = needed.iter().map(String::as_str).filter(|name| !reviewed.contains(name)).collect();
    match unknown.is_empty() {
        true => vec![],
        false => vec![format!("nobody has reviewed that it needs {}: see system-symbols.txt", unknown.join(" "))],
    }
}

fn reviewed() -> impl Iterator<Item = &'static str> {
    REVIEWED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::names;
    use super::*;

    #[test]
    fn what_nobody_has_reviewed_is_a_fault() {
        assert_eq!(faults(&names(&["malloc", "mmap"])), [""; 0]);
        let faults = faults(&names(&["malloc", "_dyld_private", "xpc_secret"]));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("needs _dyld_private xpc_secret:"), "{faults:?}");
    }

    #[test]
    fn each_symbol_is_listed_once() {
        let mut seen = BTreeSet::new();
        let twice: Vec<&str> = reviewed().filter(|name| !seen.insert(*name)).collect();
        assert_eq!(twice, [""; 0]);
    }
}
