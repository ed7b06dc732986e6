import Foundation
import NotesModel
import Testing

/// The words of the app, against its sources: `App/` is read, since it is not compiled everywhere.
struct CatalogTests {
    private struct Catalog: Decodable {
        struct Entry: Decodable { let localizations: [String: Localization] }
        struct Localization: Decodable { let stringUnit: Unit }
        struct Unit: Decodable { let value: String }
        let strings: [String: Entry]
    }

    private static let app = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../App").standardized

    /// What follows these is no text: names of symbols, files, queues and tasks.
    private static func isTechnical(after source: String) -> Bool {
        source.contains(/(system(Image|ImageName|Name)|label|path|separator): [^,()]*$|identifier = $/)
    }

    private func catalog(_ name: String) throws -> Catalog {
        let file = Self.app.appending(path: "Resources/\(name).xcstrings")
        return try JSONDecoder().decode(Catalog.self, from: Data(contentsOf: file))
    }

    /// The texts in the sources of the screens, as keys of a catalog.
    private func literals() throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(at: Self.app, includingPropertiesForKeys: nil)
        let screens = files.filter { $0.pathExtension == "swift" }
        let sources = try screens.map { try String(contentsOf: $0, encoding: .utf8) }
        #expect(sources.count > 10)
        let texts = sources.flatMap { Literals(in: $0).texts }
        return Set(
            texts.filter { text in
                let letters = text.key.replacing("%@", with: "").contains(where: \.isLetter)
                return letters && !Self.isTechnical(after: text.before)
            }.map(\.key))
    }

    /// A key with whatever is put into it.
    private func plain(_ key: String) -> String { key.replacing("%lld", with: "%@") }

    @Test func eachTextIsInTheCatalogAndNoneIsUnused() throws {
        let phrases = Set(try catalog("AppShortcuts").strings.keys)
        let known = Set(try catalog("Localizable").strings.keys.map(plain))
        let used = try literals().subtracting(phrases)
            .union(Trouble.allCases.map(\.rawValue)).union(Learning.labels)
        #expect(used.subtracting(known).sorted() == [])
        #expect(known.subtracting(used).sorted() == [])
        #expect(phrases.subtracting(try literals()) == [])
    }

    @Test(arguments: ["Localizable", "AppShortcuts", "InfoPlist"])
    func eachTextIsThereInAllLanguages(name: String) throws {
        for (key, entry) in try catalog(name).strings {
            #expect(entry.localizations.keys.sorted() == ["de", "en", "es"], "\(key)")
            for (language, localization) in entry.localizations {
                let value = localization.stringUnit.value
                #expect(!value.isEmpty, "\(key), \(language)")
                if name != "InfoPlist" { #expect(arguments(of: value) == arguments(of: key), "\(key), \(language)") }
            }
        }
    }

    /// What is put into a text, in order.
    private func arguments(of text: String) -> [String] {
        text.matches(of: /%@|%lld|\$\{\w+\}/).map { String($0.output) }
    }

    @Test func literalsAreFoundAsASourceHasThem() {
        let source = #"""
            // "no"
            Text("It’s \(name(of: "it")), \"\(a)\"", systemImage: "star") // "no"
            Summary("Sum \(\.$note)")
            """#
        let found = Literals(in: source).texts
        #expect(found.map(\.key) == ["it", "It’s %@, \"%@\"", "star", "Sum ${note}"])
        #expect(found[2].before.hasSuffix("systemImage: "))
    }
}

/// The string literals of a Swift source, with `%@` in place of what is put into them.
private struct Literals {
    private(set) var texts: [(key: String, before: String)] = []
    private var rest: Substring
    private var passed = ""

    init(in source: String) {
        rest = source[...]
        while let next = rest.first {
            if rest.hasPrefix("//") {
                rest = rest.drop { $0 != "\n" }
            } else if next == "\"" {
                readText()
            } else {
                pass()
            }
        }
    }

    private mutating func pass() {
        passed.append(rest.removeFirst())
    }

    private mutating func readText() {
        let before = passed
        var key = ""
        rest.removeFirst()
        while let next = rest.first, next != "\"" {
            if rest.hasPrefix("\\(") {
                key += readValue()
            } else if next == "\\" {
                rest.removeFirst()
                key.append(rest.removeFirst())
            } else {
                key.append(rest.removeFirst())
            }
        }
        rest = rest.dropFirst()
        texts.append((key, String(before.suffix(80))))
    }

    /// What is put into a text; a key path is named in its catalog.
    private mutating func readValue() -> String {
        if let name = rest.prefixMatch(of: /\\\((?:\\\.\$|\.)(\w+)\)/) {
            rest = rest[name.range.upperBound...]
            return "${\(name.output.1)}"
        }
        rest = rest.dropFirst(2)
        var depth = 1
        while depth > 0, let next = rest.first {
            if next == "\"" {
                readText()
                continue
            }
            if next == "(" { depth += 1 }
            if next == ")" { depth -= 1 }
            pass()
        }
        return "%@"
    }
}
