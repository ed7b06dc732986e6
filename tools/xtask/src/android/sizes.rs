//! What takes the space of a library, read from the linker's map.

use std::collections::BTreeMap;

/// Bytes of each crate, the largest first, and of what lld makes itself. Generic code counts where it is made.
///
/// `  1f2a00   1f2a00     5c8     4         /path/libsotto.a(candle_core-….rcgu.o):(.text.…)`
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

/// `/path/libsotto.a(candle_core-0123456789abcdef.candle_core.fedcba-cgu.0.rcgu.o)` is candle_core's.
fn crate_of(object: &str) -> &str {
    match object.rsplit_once('(') {
        Some((_, member)) => member.split(['-', '.']).next().unwrap_or(member),
        None => "the linker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "
     VMA      LMA     Size Align Out     In      Symbol
   10000    10000    80000    64 .text
   10000    10000    1a000    64         libsotto.a(sotto_engine-0a1b.sotto_engine.2c-cgu.0.rcgu.o):(.text.hot)
   10000    10000    1a000     1                 sotto_engine::forward
   2a000    2a000    20000    16         /a path/libsotto.a(std-3f.std.11-cgu.0.rcgu.o):(.text._ZN3std)
   4a000    4a000       10    16         libsotto.a(sotto_engine-0a1b.sotto_engine.2c-cgu.0.rcgu.o):(.rodata)
   5a000    5a000      100     8         <internal>:(.gnu.hash)
";

    #[test]
    fn each_crate_has_its_sections() {
        let expected = [("std", 0x20000), ("sotto_engine", 0x1a010), ("the linker", 0x100)];
        assert_eq!(by_crate(MAP), expected.map(|(name, size)| (name.to_owned(), size)));
    }
}
