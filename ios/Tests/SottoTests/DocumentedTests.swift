import Foundation
import Sotto
import Testing

/// What docs/ios.md begins with, word for word.
@MainActor final class Summarizer {
    private let load: @Sendable () async throws -> LocalModel
    private var loading: Task<LocalModel, any Error>?

    init(model: URL) {
        load = { try await LocalModel.load(.file(model)) }
    }

    func summarize(_ transcript: String, show: (NoteSummary) -> Void) async throws {
        for try await snapshot in try await model().summarize(.text(transcript)) { show(snapshot) }
    }

    private func model() async throws -> LocalModel {
        let loading = loading ?? Task(operation: load)
        self.loading = loading
        do {
            return try await loading.value
        } catch {
            // The next summary tries again.
            if self.loading == loading { self.loading = nil }
            throw error
        }
    }
}

/// What README.md shows.
private func readme(url: URL, transcript: String, mail: String, text: String) async throws {
    struct Errand: Decodable { let task: String }
    enum Priority: String, CaseIterable { case high, low }
    func render(_ summary: NoteSummary) {}

    let model = try await LocalModel.load(.file(url))
    for try await snapshot in model.summarize(.text(transcript)) { render(snapshot) }
    let label = try await model.classify(mail, into: ["urgent", "task", "ignorable"]).label
    let priority: Priority? = try await model.classify(mail)
    let errand: Errand = try await model.extract(from: text)
    let chat = try await model.session("You are a writing assistant.")
    let answer = chat.streamResponse(to: "Hello")
    for try await piece in answer { print(piece, terminator: "") }
    if try await answer.value.finishReason == .maxTokens { print("…") }

    print(label, priority ?? .low, errand.task)
}

extension AllTests {
    @Suite struct DocumentedTests {
        @Test func theQuickStartSummarizesANote() async throws {
            let shown = Collected<NoteSummary>()
            try await Summarizer(model: demoFile).summarize(noteText) { shown.add($0) }
            #expect(shown.all.last?.actions.isEmpty == false)
        }

        @Test func theQuickStartLoadsAgainAfterAFailure() async throws {
            try await withFolder { folder in
                let file = folder.appending(path: "model.gguf")
                let summarizer = await Summarizer(model: file)
                await #expect(throws: SottoError.self) { try await summarizer.summarize(noteText) { _ in } }
                try FileManager.default.copyItem(at: demoFile, to: file)
                let shown = Collected<NoteSummary>()
                for _ in 0..<2 { try await summarizer.summarize(noteText) { shown.add($0) } }
                #expect(shown.all.last?.actions.isEmpty == false)
            }
        }

        /// What is compiled here is what the documents show.
        @Test(arguments: ["docs/ios.md": "import Sotto", "README.md": "LocalModel"])
        func whatTheDocumentsShowCompiles(document: String, mark: String) throws {
            let compiled = code(try text("ios/Tests/SottoTests/DocumentedTests.swift"))
            let blocks = try text(document).components(separatedBy: "```swift\n").dropFirst()
            let shown = blocks.compactMap { $0.components(separatedBy: "```").first }.filter { $0.contains(mark) }
            #expect(shown.count == 1)
            for block in shown {
                let lines = code(block)
                let imports = lines.prefix { $0.hasPrefix("import ") }
                #expect(imports.allSatisfy(compiled.contains))
                let body = lines.dropFirst(imports.count).joined(separator: "\n")
                #expect(compiled.joined(separator: "\n").contains(body), "\(document) shows other code")
            }
        }

        private func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }

        /// The lines without what only people read.
        private func code(_ text: String) -> [String] {
            let lines = text.split(separator: "\n").compactMap { $0.components(separatedBy: "//").first }
            return lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
    }
}
