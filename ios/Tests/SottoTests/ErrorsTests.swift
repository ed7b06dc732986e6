import Foundation
import SottoFFI
import Testing

@testable import Sotto

extension AllTests {
    @Suite struct ErrorsTests {
        private func load(_ file: URL, _ options: LoadOptions? = nil) async throws -> LocalModel {
            try await LocalModel.load(.file(file), options: options ?? LoadOptions(cacheFolder: nil))
        }

        /// The error that `body` throws.
        private func error(_ body: () async throws -> Void) async throws -> SottoError {
            do { try await body() } catch let error as SottoError { return error }
            throw Unexpected()
        }

        private struct Unexpected: Error {}

        @Test func aFileThatIsNotThere() async throws {
            let missing = try await error { _ = try await load(URL(filePath: "/no/such/model.gguf")) }
            guard case .modelNotFound(path: "/no/such/model.gguf", _) = missing else { throw missing }
            let folder = try await error { _ = try await load(URL(filePath: "/tmp")) }
            guard case .modelNotFound = folder else { throw folder }
        }

        @Test func filesThatAreNoModels() async throws {
            let model = try Data(contentsOf: demoFile)
            let wrong =
                [Data(), Data("not a model".utf8), Data(count: 4096)]
                + [8, 16, 1000, model.count / 2, model.count - 1].map { model.prefix($0) }
            try await withFolder { folder in
                let file = folder.appending(path: "wrong.gguf")
                for bytes in wrong {
                    try bytes.write(to: file)
                    let refused = try await error { _ = try await load(file) }
                    guard case .modelInvalid = refused else { throw refused }
                }
                var newer = model
                newer[4] = 99
                try newer.write(to: file)
                let refused = try await error { _ = try await load(file) }
                guard case .unsupported = refused else { throw refused }
            }
        }

        @Test func aFolderThatCannotBeWritten() async throws {
            try await withFolder { folder in
                let file = folder.appending(path: "file")
                try Data().write(to: file)
                let options = LoadOptions(cacheFolder: file.appending(path: "models"))
                let refused = try await error { _ = try await load(demoFile, options) }
                guard case .storage = refused else { throw refused }
            }
        }

        @Test func tooMuchTextOrTooMuchContext() async throws {
            let long = LoadOptions(cacheFolder: nil, contextLength: 1_000_000)
            let refused = try await error { _ = try await load(demoFile, long) }
            guard case .contextFull = refused else { throw refused }
            let model = try await load(demoFile, LoadOptions(cacheFolder: nil, contextLength: 64))
            let words = String(repeating: "word ", count: 100)
            let full = try await error { _ = try await model.classify(words, into: labels) }
            guard case .contextFull(limit: 64, let needed) = full, needed > 64 else { throw full }
            let chat = try await error { _ = try await model.session().respond(to: words) }
            guard case .contextFull = chat else { throw chat }
        }

        @Test func argumentsThatCannotBeUsedToldWithoutTheirWords() async throws {
            let model = try await load(demoFile)
            let session = try await model.session()
            let refusals: [() async throws -> Void] = [
                { _ = try await model.summarize(.text("  ")).value },
                { for try await _ in model.summarize(.text("  ")) {} },
                { _ = try await model.classify("", into: labels) },
                { _ = try await model.classify("text", into: ["secret", "secret"]) },
                { _ = try await model.extract(from: noteText, schema: #"{"type": "wish"}"#) },
                { _ = try await model.extract(from: noteText, schema: #"{"secret": "#) },
                {
                    _ = try await session.respond(to: "Hi", options: ChatOptions(sampling: Sampling(temperature: .nan)))
                },
                { _ = try await session.respond(to: "Hi", options: ChatOptions(maxTokens: 0)) },
                { _ = try await session.respond(to: "Hi", options: ChatOptions(sampling: Sampling(topK: 0))) },
                { _ = try await load(demoFile, LoadOptions(cacheFolder: nil, threads: -1)) },
                { _ = try await load(demoFile, LoadOptions(cacheFolder: nil, contextLength: 0)) },
                { _ = try await model.inspect(contextLength: 0) },
            ]
            for refusal in refusals {
                let refused = try await error(refusal)
                guard case .invalidInput(let what) = refused else { throw refused }
                #expect(!what.contains("secret"))
            }
        }

        @Test func eachErrorArrivesWithItsFieldsAndSaysWhatToDo() {
            let errors: [(FfiError, SottoError)] = [
                (.ModelNotFound(path: "p", reason: "r"), .modelNotFound(path: "p", reason: "r")),
                (.ModelInvalid(why: "w", at: "a"), .modelInvalid(why: "w", at: "a")),
                (.Unsupported(what: "w"), .unsupported(what: "w")),
                (.OutOfMemory(needed: 5, available: 3), .outOfMemory(needed: 5, available: 3)),
                (.Storage(path: "p", reason: "r"), .storage(path: "p", reason: "r")),
                (.StoreInvalid(path: "p", why: "w"), .storeInvalid(path: "p", why: "w")),
                (.StoreInUse(path: "p"), .storeInUse(path: "p")),
                (.ContextFull(limit: 5, needed: .max), .contextFull(limit: 5, needed: .max)),
                (.InvalidInput(what: "w"), .invalidInput(what: "w")),
                (.Cancelled, .cancelled),
                (.Internal(why: "w"), .internal(why: "w")),
            ]
            for (native, expected) in errors {
                #expect(SottoError(native) == expected)
                #expect(expected.errorDescription?.hasSuffix(".") == true)
                #expect(expected.recoverySuggestion?.hasSuffix(".") == true)
            }
            #expect(
                SottoError.storage(path: "folder", reason: "full").localizedDescription
                    == "folder cannot be written: full.")
        }

        @Test func aPanicIsAnErrorThatKeepsItsWordsToItself() async throws {
            struct Panic: LocalizedError { var errorDescription: String? { "secret" } }
            let refused = try await error { try translated { throw Panic() } }
            guard case .internal(let why) = refused else { throw refused }
            #expect(!why.contains("secret"))
        }
    }
}
