//! What takes the space of a library, read from the linker's map.

use std::collections::BTreeMap;

/// Bytes of each crate, the largest first, and of what lld makes itself. Generic code counts where it is made.
///
/// `  1f2a00   1f2a00     5c8     4         /path/libsotto.a(sotto-….candle_core.…-cgu.0.rcgu.o):(.text.…)`
pub fn by_crate(map: &str) -> Vec<(String, u64)> {
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for line in map.lines() {
        let Some((place, _)) = line.split_once(":(") else { continue };
        let mut columns = place.split_whitespace().skip(2);
        let Some(Ok(size)) = columns.next().map(|size| u64::from_str_radix(size, 16)) else { continue };
        let Some(object) = columns.last() else { continue };
        *crates.entry(crate_of(object).to_owned()).or_default() += size;
    }
    let mut crates: Vec<(String, u64)> = crates.into_iter().collect();
    crates.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    crates
}

/// `/path/libsotto.a(sotto-0123.candle_core-4567.candle_core.89ab-cgu.0.rcgu.o)` is candle_core's.
fn crate_of(object: &str) -> &str {
    let Some((_, member)) = object.rsplit_once('(') else { return "the linker" };
    let parts: Vec<&str> = member.split('.').collect();
    let unit = parts.iter().position(|part| part.ends_with("-cgu")).and_then(|unit| unit.checked_sub(1));
    unit.map_or(member, |name| parts[name])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "
     VMA      LMA     Size Align Out     In      Symbol
   10000    10000    80000    64 .text
   10000    10000    1a000    64         libsotto.a(sotto_engine-0a1b.sotto_engine.2c-cgu.0.rcgu.o):(.text.hot)
   10000    10000    1a000     1                 sotto_engine::forward
   2a000    2a000    20000    16         /a path/libsotto.a(sotto-9.std-3f.std.11-cgu.0.rcgu.o.rcgu.o):(.text._ZN3std)
   4a000    4a000       10    16         libsotto.a(sotto_engine-0a1b.sotto_engine.2c-cgu.0.rcgu.o):(.rodata)
   5a000    5a000      100     8         <internal>:(.gnu.hash)
";

    #[test]
    fn each_crate_has_its_sections() {
        let expected = [("std", 0x20000), ("sotto_engine", 0x1a010), ("the linker", 0x100)];
        assert_eq!(by_crate(MAP), expected.map(|(name, size)| (name.to_owned(), size)));
    }
}
