//! What a shared library says of itself, read by readelf.

use std::path::Path;
use std::process::Command;

/// What is asked about a library.
#[derive(Debug, Clone)]
pub struct Findings {
    pub bytes: u64,
    pub soname: Option<String>,
    pub needed: Vec<String>,
    pub exports: Vec<String>,
    /// What others have to define. (Of a weak symbol, the loader says where it is, if it is anywhere: newer functions, which the
    /// standard library can do without.)
    pub undefined: Vec<String>,
    /// Of each part that is mapped into memory.
    pub load_alignments: Vec<u64>,
    pub text_relocations: bool,
    /// Without it, a panic ends the process.
    pub unwind_table: bool,
}

/// Reads the shared library at `path` with this readelf.
pub fn read(readelf: &Path, path: &Path) -> Result<Findings, String> {
    let bytes = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    let output = Command::new(readelf).args(["--wide", "--segments", "--dynamic", "--dyn-syms"]).arg(path).output();
    let output = output.map_err(|error| format!("{} could not be started: {error}", readelf.display()))?;
    if !output.status.success() {
        return Err(format!("readelf cannot read {}", path.display()));
    }
    Ok(Findings { bytes, ..parse(&String::from_utf8_lossy(&output.stdout)) })
}

fn parse(text: &str) -> Findings {
    let entries = |tag: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains(tag));
        lines.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned())).collect()
    };
    Findings {
        bytes: 0,
        soname: entries("(SONAME)").pop(),
        needed: entries("(NEEDED)"),
        exports: names(text, |_, place| place != "UND"),
        undefined: names(text, |binding, place| place == "UND" && binding != "WEAK"),
        load_alignments: text.lines().filter_map(load_alignment).collect(),
        text_relocations: text.contains("(TEXTREL)"),
        unwind_table: text.lines().any(|line| line.trim_start().starts_with("GNU_EH_FRAME")),
    }
}

/// `  LOAD  0x000000 0x… 0x… 0x… 0x… R E 0x4000`
fn load_alignment(line: &str) -> Option<u64> {
    let alignment = line.trim_start().strip_prefix("LOAD ")?.split_whitespace().next_back()?;
    u64::from_str_radix(alignment.strip_prefix("0x")?, 16).ok()
}

/// The names of exported and imported symbols with such a binding and place.
fn names(text: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let symbols = text.lines().filter_map(symbol).filter(|(binding, place, _)| is_wanted(binding, place));
    symbols.map(|(_, _, name)| name.to_owned()).collect()
}

/// `     7: 00000000000a1b2c    64 FUNC    GLOBAL DEFAULT    12 name@VERSION`
fn symbol(line: &str) -> Option<(&str, &str, &str)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let [number, _, _, _, binding @ ("GLOBAL" | "WEAK"), "DEFAULT" | "PROTECTED", place, name, ..] = columns[..] else {
        return None;
    };
    number.ends_with(':').then(|| (binding, place, name.split('@').next().unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x0a1b2c 0x0a1b2c R   0x4000
  LOAD           0x0a1b40 0x00000000000a5b40 0x00000000000a5b40 0x2a1b2c 0x2a1b2c R E 0x1000
  GNU_EH_FRAME   0x0b66d8 0x00000000000b66d8 0x00000000000b66d8 0x00a1b4 0x00a1b4 R   0x4
  Tag                Type           Name/Value
  0x0000000000000001 (NEEDED)       Shared library: [libdl.so]
  0x0000000000000001 (NEEDED)       Shared library: [libc.so]
  0x000000000000000e (SONAME)       Library soname: [libsotto.so]
   Num:    Value          Size Type    Bind   Vis       Ndx Name
     0: 0000000000000000     0 NOTYPE  LOCAL  DEFAULT   UND
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT   UND malloc@GLIBC_2.2.5 (2)
     2: 0000000000000000     0 NOTYPE  WEAK   DEFAULT   UND getrandom
    97: 00000000000f1a90   412 FUNC    GLOBAL DEFAULT    13 ffi_sotto_rustbuffer_free
";

    #[test]
    fn reads_what_readelf_prints() {
        let findings = parse(OUTPUT);
        assert_eq!(findings.soname.as_deref(), Some("libsotto.so"));
        assert_eq!(findings.needed, ["libdl.so", "libc.so"]);
        assert_eq!(findings.exports, ["ffi_sotto_rustbuffer_free"]);
        assert_eq!(findings.undefined, ["malloc"]);
        assert_eq!(findings.load_alignments, [0x4000, 0x1000]);
        assert!(!findings.text_relocations && findings.unwind_table);
        let other = parse("  0x0000000000000016 (TEXTREL)      0x0");
        assert!(other.text_relocations && !other.unwind_table);
    }
}
