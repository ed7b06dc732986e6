import Foundation
import Sotto
import Testing

extension AllTests {
    /// What a document of another app, or a file of an asset pack, gives: a model in an open file.
    @Suite struct DescriptorTests {
        /// Runs `body` with the descriptor of a file, which must still be open afterwards.
        private func opened<T>(_ file: URL, _ body: (Int32) async throws -> T) async throws -> T {
            let handle = try FileHandle(forReadingFrom: file)
            let result = try await body(handle.fileDescriptor)
            #expect(try handle.seekToEnd() > 0, "somebody else has closed it")
            try handle.close()
            return result
        }

        /// A file with a model between other bytes.
        private func package(_ model: URL, at offset: Int, in folder: URL) throws -> (URL, length: UInt64) {
            let (file, model) = (folder.appending(path: "package"), try Data(contentsOf: model))
            try (Data(count: offset) + model + Data(count: 99)).write(to: file)
            return (file, UInt64(model.count))
        }

        @Test func aPackedModelIsMappedWhereItLies() async throws {
            try await withFolder { folder in
                let packed = folder.appending(path: "model.sotto")
                try await LocalModel.pack(demoFile, to: packed)
                let (file, length) = try package(packed, at: 5004, in: folder)
                let model = try await opened(file) { descriptor in
                    try await LocalModel.load(.descriptor(descriptor, offset: 5004, length: length))
                }
                try FileManager.default.removeItem(at: file)
                let report = try await model.inspect()
                #expect(report.mappedBytes == Int(length) && report.copiedBytes == 0)
                let expected = try await demo().summarize(note).value.withoutMetrics
                #expect(try await model.summarize(note).value.withoutMetrics == expected)
            }
        }

        @Test func aModelThatIsNotPackedIsRead() async throws {
            try await withFolder { folder in
                let (file, length) = try package(demoFile, at: 8, in: folder)
                let model = try await opened(file) { descriptor in
                    try await LocalModel.load(.descriptor(descriptor, offset: 8, length: length))
                }
                let expected = try await demo().summarize(note).value.withoutMetrics
                #expect(try await model.summarize(note).value.withoutMetrics == expected)
            }
        }

        @Test func aModelThatIsNotPackedGetsItsCopyOnce() async throws {
            try await withFolder { folder in
                for _ in 0..<2 {
                    let model = try await opened(demoFile) { descriptor in
                        try await LocalModel.load(.descriptor(descriptor), options: LoadOptions(cacheFolder: folder))
                    }
                    #expect(try await model.inspect().copiedBytes == 0)
                }
                #expect(try files(in: folder).count == 1)
            }
        }

        @Test func partsThatAreNotThere() async throws {
            func refusal(_ file: ModelFile) async throws -> SottoError? {
                do { _ = try await LocalModel.load(file) } catch let error as SottoError { return error }
                return nil
            }
            try await withFolder { folder in
                let (file, length) = try package(demoFile, at: 16, in: folder)
                try await opened(file) { descriptor in
                    let wrong: [ModelFile] = [
                        .descriptor(descriptor),
                        .descriptor(descriptor, offset: 16, length: length + 100),
                        .descriptor(descriptor, offset: 16 + length + 99),
                        .descriptor(descriptor, offset: .max, length: .max),
                    ]
                    for part in wrong {
                        guard case .modelInvalid = try await refusal(part) else { throw Unexpected() }
                    }
                }
            }
            for descriptor: Int32 in [-1, 1_000_000, .min] {
                guard case .modelNotFound = try await refusal(.descriptor(descriptor)) else { throw Unexpected() }
            }
        }

        private struct Unexpected: Error {}
    }
}
