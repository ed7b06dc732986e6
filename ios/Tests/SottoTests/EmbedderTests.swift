import Foundation
import Sotto
import Testing

extension AllTests {
    /// With a small random model; what it computes is tested with the library.
    @Suite struct EmbedderTests {
        #if os(Linux)
            init() { passOverStrays() }
        #endif

        private let folder = ModelFile.file(root.appending(path: "core/embedding/tests/golden/small"))

        @Test func textsBecomeVectors() async throws {
            let embedder = try await Embedder.load(folder)
            let texts = ["ab c", "the bad cab"]
            let all = try await embedder.embedAll(texts)
            #expect(all.count == texts.count)
            let (dimensions, maxTokens) = (try embedder.dimensions(), try embedder.maxTokens())
            for (text, embedding) in zip(texts, all) {
                #expect(try await embedder.embed(text) == embedding)
                #expect(embedding.values.count == dimensions)
                let similarity = try embedding.similarity(to: embedding)
                #expect(abs(similarity - 1) < 1e-5)
            }
            #expect(try await embedder.embedAll([]).isEmpty)
            let long = try await embedder.embed(String(repeating: "c ", count: 100_000))
            #expect(long.tokens == maxTokens && long.truncated)

            let other = try await demo().embed("ab c")
            #expect(abs(try other.similarity(to: other) - 1) < 1e-5)
            #expect(throws: SottoError.self) { try other.similarity(to: long) }
        }

        @Test func memoryIsKnownBefore() async throws {
            let before = try await Embedder.memory(of: folder)
            let loaded = try await Embedder.load(folder).memory()
            #expect(before.weights > 0 && before.weights == loaded.weights && before.pass == loaded.pass)
        }

        @Test func whatIsNoModelOrNoTextSaysSo() async throws {
            await #expect(throws: SottoError.self) { try await Embedder.load(.path("/nowhere")) }
            await #expect(throws: SottoError.self) { try await Embedder.load(folder, threads: 0) }
            let embedder = try await Embedder.load(folder)
            await #expect(throws: SottoError.self) { try await embedder.embed(" ") }
            await #expect(throws: SottoError.self) { try await embedder.embedAll(["c", ""]) }
        }
    }
}
