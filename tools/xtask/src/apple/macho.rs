//! What a library for Apple's systems says of itself.

use std::collections::BTreeSet;

use object::macho::{CPU_TYPE_ARM64, CPU_TYPE_X86_64};
use object::read::archive::ArchiveFile;
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFile64};
use object::{Endianness, FileKind, Object as _, ObjectSymbol, SymbolScope};

/// One object file of a library. Names of symbols lack the underscore that every C name has here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFile {
    /// Apple's name for a kind of processor.
    pub architecture: String,
    /// The system that it is built for, if it names one.
    pub system: Option<System>,
    /// What it defines for everybody.
    pub exports: BTreeSet<String>,
    /// What it defines for the other objects that it is linked with.
    pub hidden: BTreeSet<String>,
    /// What somebody else has to define.
    pub undefined: BTreeSet<String>,
}

impl ObjectFile {
    /// What others can link with.
    pub fn defined(&self) -> impl Iterator<Item = &String> {
        self.exports.iter().chain(&self.hidden)
    }
}

/// A kind of system and its oldest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct System {
    /// Apple's number: `PLATFORM_IOS` and so on.
    pub platform: u32,
    /// Major and minor.
    pub minimum: (u32, u32),
}

/// Reads a static library, a fat file of them, or a linked file.
pub fn read(data: &[u8]) -> object::Result<Vec<ObjectFile>> {
    match FileKind::parse(data)? {
        FileKind::MachOFat32 => {
            let parts = MachOFatFile32::parse(data)?;
            let objects = parts.arches().iter().map(|part| read(part.data(data)?));
            Ok(objects.collect::<object::Result<Vec<_>>>()?.concat())
        }
        FileKind::Archive => {
            let archive = ArchiveFile::parse(data)?;
            archive.members().map(|member| read_object(member?.data(data)?)).collect()
        }
        _ => Ok(vec![read_object(data)?]),
    }
}

fn read_object(data: &[u8]) -> object::Result<ObjectFile> {
    let file = MachOFile64::<Endianness>::parse(data)?;
    let endian = file.endian();
    let architecture = match file.macho_header().cputype(endian) {
        CPU_TYPE_ARM64 => "arm64".to_owned(),
        CPU_TYPE_X86_64 => "x86_64".to_owned(),
        other => format!("processor {other:#x}"),
    };
    let system = file.build_version()?.map(|build| {
        let minimum = build.minos.get(endian);
        System { platform: build.platform.get(endian), minimum: (minimum >> 16, minimum >> 8 & 0xff) }
    });
    let mut object = ObjectFile { architecture, system, ..ObjectFile::default() };
    for symbol in file.symbols() {
        let names = match symbol.scope() {
            _ if symbol.is_undefined() => &mut object.undefined,
            SymbolScope::Dynamic => &mut object.exports,
            SymbolScope::Linkage => &mut object.hidden,
            SymbolScope::Compilation | SymbolScope::Unknown => continue,
        };
        let name = symbol.name()?;
        names.insert(name.strip_prefix('_').unwrap_or(name).to_owned());
    }
    Ok(object)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An object for iOS 16.2 on arm64 with four symbols: `_out`, `_in`, `_other` (undefined) and a local one.
    pub fn object_file() -> Vec<u8> {
        let strings = b"\0_out\0_in\0_other\0local\0";
        let symbols: [(u32, u8, u8); 4] = [(1, 0x0f, 1), (6, 0x1f, 1), (10, 0x01, 0), (17, 0x0e, 1)];
        let mut bytes = Vec::new();
        let mut put = |words: &[u32]| words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        let header_len = 32 + 24 + 24 + 152;
        // mach_header_64: arm64, MH_OBJECT, three load commands.
        put(&[0xfeed_facf, 0x0100_000c, 0, 1, 3, 24 + 24 + 152, 0, 0]);
        // LC_BUILD_VERSION: platform 2 (iOS), 16.2, SDK 17.0, no tools.
        put(&[0x32, 24, 2, 16 << 16 | 2 << 8, 17 << 16, 0]);
        // LC_SYMTAB: the symbols, then their names.
        put(&[2, 24, header_len, 4, header_len + 4 * 16, strings.len() as u32]);
        // LC_SEGMENT_64 without a name, with one empty section: `__text` in `__TEXT`.
        put(&[0x19, 152, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 1, 0]);
        put(&[0x65745f5f, 0x7478, 0, 0, 0x45545f5f, 0x5458, 0, 0]);
        put(&[0; 12]);
        for (name, kind, section) in symbols {
            bytes.extend(name.to_le_bytes());
            bytes.extend([kind, section, 0, 0]);
            bytes.extend([0; 8]);
        }
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn reads_an_object_file() {
        let name = |name: &str| BTreeSet::from([name.to_owned()]);
        let expected = ObjectFile {
            architecture: "arm64".into(),
            system: Some(System { platform: 2, minimum: (16, 2) }),
            exports: name("out"),
            hidden: name("in"),
            undefined: name("other"),
        };
        assert_eq!(read(&object_file()).expect("well formed"), [expected]);
    }

    #[test]
    fn reads_the_members_of_a_library_and_of_a_fat_one() {
        let object = object_file();
        let mut library = b"!<arch>\n".to_vec();
        for name in ["one.o/", "two.o/"] {
            library.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, object.len()).bytes());
            library.extend(&object);
            library.resize(library.len().next_multiple_of(2), b'\n');
        }
        assert_eq!(read(&library).expect("well formed").len(), 2);

        let offset = 48_u32;
        let header = [0xcafe_babe, 1, 0x0100_000c, 0, offset, library.len() as u32, 3];
        let mut fat: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).collect();
        fat.resize(offset as usize, 0);
        fat.extend(&library);
        assert_eq!(read(&fat).expect("well formed").len(), 2);
        assert!(read(b"no library at all").is_err());
    }
}
