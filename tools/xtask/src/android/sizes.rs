//! What takes the space of a library, read from the linker's map.

use std::collections::BTreeMap;

/// Bytes of each crate, the largest first, and of what lld makes itself. Generic code counts where its types come from, and
/// constants have no name to tell.
///
/// `  1f2a00   1f2a00     5c8     4         /path/libsotto.a(sotto-….rcgu.o):(.text._RNvCs3Xk_11candle_core4name)`
pub fn by_crate(map: &str) -> Vec<(String, u64)> {
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for line in map.lines() {
        let Some((place, section)) = line.split_once(":(") else { continue };
        let mut columns = place.split_whitespace().skip(2);
        let Some(Ok(size)) = columns.next().map(|size| u64::from_str_radix(size, 16)) else { continue };
        let Some(object) = columns.last() else { continue };
        let owner = if object == "<internal>" { "the linker" } else { crate_of(section) };
        *crates.entry(owner.to_owned()).or_default() += size;
    }
    let mut crates: Vec<(String, u64)> = crates.into_iter().collect();
    crates.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    crates
}

/// The first crate in a section's symbol that is not the standard library; else the first.
fn crate_of(section: &str) -> &str {
    let crates: Vec<&str> = section.match_indices("Cs").filter_map(|(at, _)| crate_at(&section[at..])).collect();
    let own = crates.iter().find(|name| !["core", "alloc", "std"].contains(name));
    own.or(crates.first()).unwrap_or(&"constants, tables")
}

/// The name at the root of a path in a mangled symbol: `Cs3Xk_11candle_core…`
/// (<https://doc.rust-lang.org/rustc/symbol-mangling/v0.html>).
fn crate_at(symbol: &str) -> Option<&str> {
    let (_, name) = symbol.split_once('_')?;
    let digits = name.find(|character: char| !character.is_ascii_digit())?;
    let len: usize = name[..digits].parse().ok()?;
    name.get(digits..digits + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "
     VMA      LMA     Size Align Out     In      Symbol
   10000    10000    80000    64 .text
   10000    10000    1a000    64         libsotto.a(sotto-0a1b.o):(.text._RNvCs3XkZ_12sotto_engine7forward)
   10000    10000    1a000     1                 sotto_engine::forward
   2a000    2a000    20000    16         /a path/libsotto.a(sotto-9.o):(.text._RNvNtCs9_3std2io4read)
   4a000    4a000       10    16         libsotto.a(sotto-9.o):(.text._RINvNtCs1_4core3ptr4dropNtCs3XkZ_12sotto_engine4PoolE)
   5a000    5a000       20    16         libsotto.a(sotto-9.o):(.rodata..Lanon.1a98.501)
   5b000    5b000      100     8         <internal>:(.gnu.hash)
";

    #[test]
    fn each_crate_has_its_sections() {
        let expected =
            [("std", 0x20000), ("sotto_engine", 0x1a010), ("the linker", 0x100), ("constants, tables", 0x20)];
        assert_eq!(by_crate(MAP), expected.map(|(name, size)| (name.to_owned(), size)));
    }
}
