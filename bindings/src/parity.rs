//! Checks that `docs/api-parity.md` names exactly what the Kotlin and the Swift SDK have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Names = BTreeSet<String>;

#[test]
fn the_table_names_all_that_is_public() {
    let (kotlin, swift) = table(&read("docs/api-parity.md"));
    let dumps = [
        "android/api/sotto-android.api",
        "android/store/api/sotto-store.api",
        "android/fallback/api/sotto-fallback.api",
    ]
    .map(read);
    assert_same("Kotlin", &dumps.iter().flat_map(|dump| kotlin_names(dump)).collect(), &kotlin);
    let sources = ["ios/Sources/Sotto", "ios/Sources/SottoStore", "ios/Sources/SottoFallback"]
        .into_iter()
        .flat_map(sorted_sources);
    assert_same("Swift", &sources.flat_map(|path| swift_names(&read_file(&path))).collect(), &swift);
}

fn assert_same(language: &str, public: &Names, in_table: &Names) {
    let missing: Vec<_> = public.difference(in_table).collect();
    let gone: Vec<_> = in_table.difference(public).collect();
    assert!(missing.is_empty() && gone.is_empty(), "{language}: not in the table {missing:?}; only there {gone:?}");
}

/// The names in the tables with the columns `Kotlin` and `Swift`. A name that begins with a dot belongs to the type before it; the words `the
/// same` in the second column stand for the names in the first.
fn table(text: &str) -> (Names, Names) {
    let tables = text.split("\n\n").flat_map(|part| part.split_once("| Kotlin | Swift |").map(|(_, rows)| rows));
    let rows = tables.flat_map(str::lines).filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let (mut kotlin, mut swift) = (Names::new(), Names::new());
    for (first, rest) in rows {
        let second = rest.split(" |").next().unwrap_or_default();
        kotlin.extend(cell_names(first));
        swift.extend(cell_names(if second.contains("the same") { first } else { second }));
    }
    (kotlin, swift)
}

fn cell_names(cell: &str) -> Vec<String> {
    let mut owner = "";
    let code = cell.split('`').skip(1).step_by(2);
    code.map(|name| match name.strip_prefix('.') {
        Some(member) => format!("{owner}.{member}"),
        None => {
            owner = name;
            name.to_owned()
        }
    })
    .collect()
}

/// The names in a dump of the Kotlin API, without those that every class and enum has, and without the builders of `copy`,
/// which have the properties of their classes.
fn kotlin_names(dump: &str) -> Names {
    const GIVEN: [&str; 10] = [
        "<init>",
        "copy",
        "equals",
        "hashCode",
        "toString",
        "values",
        "valueOf",
        "getEntries",
        "Companion",
        "INSTANCE",
    ];
    let mut names = Names::new();
    let mut class = String::new();
    for line in dump.lines().filter(|line| line.contains("public ") && !line.contains(" synthetic ")) {
        if let Some(declaration) = line.strip_suffix(" {") {
            let path = declaration.split_whitespace().find_map(|word| word.strip_prefix("dev/sotto/"));
            let path = path.expect("a class of the SDK");
            class = path
                .trim_start_matches("store/")
                .trim_start_matches("fallback/")
                .replace('$', ".")
                .replace(".Companion", "");
            if !class.ends_with(".Builder") {
                names.insert(class.clone());
            }
            continue;
        }
        if class.ends_with(".Builder") {
            continue;
        }
        let name = match line.split_once(" fun ").or_else(|| line.split_once(" field ")) {
            Some((_, rest)) => rest.split([' ', '-']).next().unwrap_or_default(),
            None => continue,
        };
        if !GIVEN.contains(&name) && !name.starts_with("component") {
            names.insert(format!("{class}.{}", property(name)));
        }
    }
    names
}

/// `getTitle` is Kotlin's `title`.
fn property(getter: &str) -> String {
    match getter.strip_prefix("get") {
        Some(name) if !name.is_empty() => name[..1].to_lowercase() + &name[1..],
        _ => getter.to_owned(),
    }
}

/// The public declarations in a Swift source, without initializers. The source is formatted, so nesting follows from
/// indentation.
fn swift_names(source: &str) -> Names {
    const MODIFIERS: [&str; 5] = ["public", "final", "static", "nonisolated", "mutating"];
    const TYPES: [&str; 5] = ["struct", "enum", "class", "actor", "protocol"];
    let mut names = Names::new();
    // Each type that is open, its indent, and whether its cases are public.
    let mut within: Vec<(String, usize, bool)> = Vec::new();
    for line in source.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        within.retain(|(_, outer, _)| *outer < indent);
        let mut words = line.split([' ', '(', ':', '<', '{', ',']).filter(|word| !word.is_empty()).peekable();
        let mut public = false;
        while let Some(word) = words.next_if(|word| MODIFIERS.contains(word) || word.starts_with('@')) {
            public |= word == "public";
        }
        let (Some(keyword), Some(name)) = (words.next(), words.next()) else { continue };
        if name == "==" || name.starts_with('.') {
            continue;
        }
        let owner = within.last();
        let path = owner.map_or(name.to_owned(), |(owner, ..)| format!("{owner}.{name}")).replace('`', "");
        if TYPES.contains(&keyword) || keyword == "extension" {
            within.push((path.clone(), indent, public && keyword == "enum"));
            public &= keyword != "extension";
        } else if keyword == "case" && owner.is_some_and(|(.., cases)| *cases) {
            let labels = line.split(['(', ',']).skip(1).filter_map(|part| part.split_once(':'));
            names.extend(labels.map(|(label, _)| format!("{path}.{}", label.trim())));
            public = true;
        } else if !["let", "var", "func", "typealias"].contains(&keyword) {
            continue;
        }
        if public {
            names.insert(path);
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    read_file(&root().join(path))
}

fn read_file(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sorted_sources(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|of| of == "swift")).collect();
    paths.sort();
    paths
}

#[test]
fn declarations_are_found() {
    let kotlin = "public final class dev/sotto/A$B : java/lang/Enum {\n\tpublic static final field ONE Ldev/sotto/A$B;\n\
                  \tpublic final fun getTitle ()V\n\tpublic final fun load-abc (I)V\n\tpublic final fun copy ()V\n}\n\n\
                  public final class dev/sotto/A$Builder {\n\tpublic final fun setTitle (I)V\n}\n";
    let names = |text: [&str; 4]| text.map(str::to_owned).into_iter().collect::<Names>();
    assert_eq!(kotlin_names(kotlin), names(["A.B", "A.B.ONE", "A.B.title", "A.B.load"]));
    let swift = "public enum A: Error {\n    case `internal`(why: String, at: Int)\n    var hidden: Int {\n        \
                 let local = 1\n    }\n}\n\nextension A {\n    @MainActor public static func load(_ x: Int) {}\n}\n";
    let mut expected = names(["A", "A.internal", "A.internal.why", "A.internal.at"]);
    expected.insert("A.load".into());
    assert_eq!(swift_names(swift), expected);
}
