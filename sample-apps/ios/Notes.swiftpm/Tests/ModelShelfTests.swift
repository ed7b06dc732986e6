import Foundation
import NotesModel
import Testing

@MainActor struct ModelShelfTests {
    @Test func theDemoModelIsThereAndOthersAreFound() async throws {
        let folder = try temporaryFolder()
        for name in ["b.gguf", "a.sotto", "notes.txt"] {
            try Data("no model".utf8).write(to: folder.appendingPathComponent(name))
        }
        let shelf = ModelShelf(folder: folder, cacheFolder: try temporaryFolder())
        #expect(shelf.entries.map(\.name) == ["Demo model", "a", "b"])
        #expect(shelf.chosen.name == "Demo model")

        await shelf.choose(shelf.entries[2])
        guard case .failed(let why) = shelf.state else { throw Unexpected() }
        #expect(!why.isEmpty)
        await #expect(throws: (any Error).self) { try await shelf.model() }

        await shelf.choose(shelf.entries[0])
        guard case .ready(let model) = shelf.state else { throw Unexpected() }
        #expect(try await shelf.model() === model)
    }

    @Test func aLoadThatIsCancelledIsNoFailure() async throws {
        let shelf = ModelShelf(folder: try temporaryFolder(), cacheFolder: try temporaryFolder())
        let loading = Task { try await shelf.model() }
        loading.cancel()
        _ = await loading.result
        guard case .unloaded = shelf.state else { throw Unexpected() }
    }

    #if canImport(Darwin)
        @Test func modelsAreLeftOutOfBackups() throws {
            let (folder, cache) = (try temporaryFolder(), try temporaryFolder())
            let model = folder.appendingPathComponent("a.gguf")
            try Data("no model".utf8).write(to: model)
            _ = ModelShelf(folder: folder, cacheFolder: cache)
            for url in [model, cache] {
                #expect(try url.resourceValues(forKeys: [.isExcludedFromBackupKey]).isExcludedFromBackup == true)
            }
        }
    #endif

    private struct Unexpected: Error {}
}
