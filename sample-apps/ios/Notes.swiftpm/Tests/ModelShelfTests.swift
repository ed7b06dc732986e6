import DemoModel
import Foundation
@testable import NotesModel
import Testing

@MainActor struct ModelShelfTests {
    let folder: URL
    let cacheFolder: URL

    init() throws {
        folder = try temporaryFolder()
        cacheFolder = try temporaryFolder()
    }

    @Test func theDemoModelIsThereAndOthersAreFound() async throws {
        for name in ["b.gguf", "a.sotto", "notes.txt"] { try write("no model", to: name) }
        try await withShelf { shelf in
            #expect(shelf.entries.map(\.name) == ["Demo model", "a", "b"])
            #expect(shelf.chosen.name == "Demo model")

            await shelf.choose(shelf.entries[2]).value
            guard case .failed(let why) = shelf.state else { throw Unexpected() }
            #expect(!why.isEmpty)
            await #expect(throws: (any Error).self) { try await shelf.model() }

            await shelf.choose(shelf.entries[0]).value
            guard case .ready(let model) = shelf.state else { throw Unexpected() }
            #expect(try await shelf.model() === model)
        }
    }

    @Test func theChosenModelIsRemembered() async throws {
        for name in ["a.gguf", "b.gguf"] { try write("no model", to: name) }
        try await withDefaults { defaults in
            let shelf = shelf(defaults)
            await shelf.choose(shelf.entries[2]).value
            #expect(self.shelf(defaults).chosen == shelf.entries[2])

            try FileManager.default.removeItem(at: shelf.entries[2].url)
            #expect(self.shelf(defaults).chosen.name == "Demo model")

            await shelf.choose(shelf.entries[1]).value
            await shelf.choose(shelf.entries[0]).value
            #expect(self.shelf(defaults).chosen.name == "Demo model")
        }
    }

    @Test func aModelIsLoadedOnceForAllWhoAskForIt() async throws {
        try await withShelf { shelf in
            async let first = shelf.model()
            async let second = shelf.model()
            let models = try await (first, second)
            #expect(models.0 === models.1)
        }
    }

    @Test func aFailureIsNotKept() async throws {
        try write("no model", to: "a.gguf")
        try await withShelf { shelf in
            await shelf.choose(shelf.entries[1]).value
            try Data(contentsOf: DemoModel.url).write(to: shelf.entries[1].url)
            _ = try await shelf.model()
            guard case .ready = shelf.state else { throw Unexpected() }
        }
    }

    @Test func aLoadThatIsCancelledIsNoFailure() async throws {
        try await withShelf { shelf in
            let loading = Task { try await shelf.model() }
            loading.cancel()
            await #expect(throws: CancellationError.self) { try await loading.value }
            guard case .unloaded = shelf.state else { throw Unexpected() }
        }
    }

    @Test func whoeverWaitsNoLongerLeavesTheModelToTheOthers() async throws {
        var goOn = false
        let load = SharedLoad {
            try await soon { goOn }
            return try await Shared.model()
        }
        let (left, other) = (Task { try await load.model() }, Task { try await load.model() })
        try await soon { load.waiting == 2 }
        left.cancel()
        await #expect(throws: CancellationError.self) { try await left.value }
        goOn = true
        _ = try await other.value
    }

    @Test func choosingAnotherModelEndsTheLoadOfTheOneBefore() async throws {
        try addWideModel()
        try await withShelf { shelf in
            let first = shelf.choose(shelf.entries[1])
            try await soon { shelf.isPacking }
            await shelf.choose(shelf.entries[0]).value
            guard case .ready = shelf.state else { throw Unexpected() }
            await first.value
            #expect(copies(of: "wide.gguf").isEmpty)
        }
    }

    @Test func choosingAModelAgainLetsItsLoadGoOn() async throws {
        try addWideModel()
        try await withShelf { shelf in
            shelf.choose(shelf.entries[1])
            try await soon { shelf.isPacking }
            let unfinished = copies(of: "wide.gguf")
            let again = shelf.choose(shelf.entries[1])
            try await soon { shelf.isPacking }
            #expect(copies(of: "wide.gguf") == unfinished)
            shelf.choose(shelf.entries[0])
            await again.value
            #expect(copies(of: "wide.gguf").isEmpty)
        }
    }

    @Test func aModelThatIsDeletedTakesItsPackedCopyAlong() async throws {
        for name in ["a.gguf", "b.gguf"] { try addDemoModel(as: name) }
        try await withShelf { shelf in
            for entry in shelf.entries { await shelf.choose(entry).value }
            let copiesOfOthers = copies(of: "b.gguf") + copies(of: DemoModel.url.lastPathComponent)
            #expect(copiesOfOthers.count == 2)
            #expect(!copies(of: "a.gguf").isEmpty)

            try FileManager.default.removeItem(at: shelf.entries[1].url)
            shelf.refresh()
            #expect(copies(of: "a.gguf").isEmpty)
            #expect(copies(of: "b.gguf") + copies(of: DemoModel.url.lastPathComponent) == copiesOfOthers)
        }
    }

    @Test func aModelThatIsDeletedWhileItIsLoadedCanBeUsed() async throws {
        try addWideModel()
        try await withShelf { shelf in
            let loading = shelf.choose(shelf.entries[1])
            try await soon { shelf.isPacking }
            try FileManager.default.removeItem(at: shelf.entries[1].url)
            shelf.refresh()
            await loading.value
            guard case .ready = shelf.state else { throw Unexpected() }
            shelf.refresh()
            #expect(copies(of: "wide.gguf").isEmpty)
        }
    }

    /// Whenever it is asked for: before the load is given up, while it ends, and afterwards.
    @Test(arguments: 0..<20) func aLoadThatOthersHaveGivenUpIsBegunAnew(steps: Int) async throws {
        try await withShelf { shelf in
            let left = Task { try await shelf.model() }
            left.cancel()
            for _ in 0..<steps { await Task.yield() }
            _ = try await shelf.model()
            guard case .ready = shelf.state else { throw Unexpected() }
        }
    }

    #if canImport(Darwin)
        @Test func modelsAreLeftOutOfBackups() async throws {
            try write("no model", to: "a.gguf")
            try await withShelf { _ in }
            for url in [folder.appendingPathComponent("a.gguf"), cacheFolder] {
                #expect(try url.resourceValues(forKeys: [.isExcludedFromBackupKey]).isExcludedFromBackup == true)
            }
        }
    #endif

    private struct Unexpected: Error {}

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    private func addDemoModel(as name: String) throws {
        try FileManager.default.copyItem(at: DemoModel.url, to: folder.appendingPathComponent(name))
    }

    /// A model that takes long to pack: `cargo xtask test-swift` makes it.
    private func addWideModel() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { root.deleteLastPathComponent() }
        let wide = root.appendingPathComponent("target/test-models/wide.gguf")
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("wide.gguf"), withDestinationURL: wide)
    }

    /// The packed copies of a model, even if they are not complete.
    private func copies(of model: String) -> [String] {
        let folder = cacheFolder.appendingPathComponent(model).path
        return (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private func shelf(_ defaults: UserDefaults) -> ModelShelf {
        ModelShelf(folder: folder, cacheFolder: cacheFolder, defaults: defaults)
    }

    private func withShelf(_ body: @MainActor (ModelShelf) async throws -> Void) async throws {
        try await withDefaults { try await body(shelf($0)) }
    }

    /// Runs `body` with what no other test remembers, and forgets it afterwards.
    private func withDefaults(_ body: @MainActor (UserDefaults) async throws -> Void) async throws {
        let name = "notes-\(UUID())"
        let defaults = try #require(UserDefaults(suiteName: name))
        defer { defaults.removePersistentDomain(forName: name) }
        try await body(defaults)
    }
}

extension ModelShelf {
    /// Whether a copy of the model is begun, but not complete.
    fileprivate var isPacking: Bool {
        if case .loading(let share) = state { share > 0 && share < 1 } else { false }
    }
}
