import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct DeleteSourceTests {
        @Test func aModelThatWasDeletedAfterPackingIsLoadedByItsPath() async throws {
            try await withFolder { folder in
                let file = folder.appending(path: "model.gguf")
                try FileManager.default.copyItem(at: demoFile, to: file)
                let options = LoadOptions(
                    cacheFolder: folder.appending(path: "cache"), deleteSourceAfterPacking: true)
                let tokens = try await demo().tokenCount(noteText)
                for _ in 0..<2 {
                    let model = try await LocalModel.load(.file(file), options: options)
                    #expect(try model.tokenCount(noteText) == tokens)
                    #expect(!FileManager.default.fileExists(atPath: file.path))
                }
            }
        }

        @Test func withoutACacheFolderNothingIsDeleted() async throws {
            await #expect {
                try await demo(LoadOptions(cacheFolder: nil, deleteSourceAfterPacking: true))
            } throws: {
                if case .invalidInput = $0 as? SottoError { true } else { false }
            }
        }
    }
}
