import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct AdapterTests {
        /// A LoRA of rank 1 for the demo model, 256 wide: the output of one layer's attention.
        private static func adapter() throws -> URL {
            var out = Data("GGUF".utf8)
            func number<Number>(_ number: Number) { withUnsafeBytes(of: number) { out.append(contentsOf: $0) } }
            func text(_ text: String) {
                number(UInt64(text.utf8.count).littleEndian)
                out.append(contentsOf: text.utf8)
            }
            number(UInt32(3).littleEndian)
            number(UInt64(2).littleEndian)
            number(UInt64(3).littleEndian)
            for (key, value) in [
                ("general.type", "adapter"), ("general.architecture", "llama"), ("adapter.type", "lora"),
            ] {
                text(key)
                number(UInt32(8).littleEndian)
                text(value)
            }
            let halves: [(String, [UInt64])] = [("lora_a", [256, 1]), ("lora_b", [1, 256])]
            for (index, (half, shape)) in halves.enumerated() {
                text("blk.0.attn_output.weight.\(half)")
                number(UInt32(2).littleEndian)
                shape.forEach { number($0.littleEndian) }
                number(UInt32(0).littleEndian)
                number(UInt64(index * 1024).littleEndian)
            }
            out.append(Data(count: (32 - out.count % 32) % 32))
            for place in 0..<512 { number((Float(place * 37 % 101) / 50 - 1).bitPattern.littleEndian) }
            let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gguf")
            try out.write(to: url)
            return url
        }

        @Test func onlyWhatIsAskedOfTheAdaptedModelIsChanged() async throws {
            let url = try Self.adapter()
            defer { try? FileManager.default.removeItem(at: url) }
            let model = try await demo()
            let adapter = try await model.loadAdapter(.file(url))
            #expect(adapter.rank == 1 && adapter.privateBytes > 1000)
            func answer(_ model: LocalModel) async throws -> String {
                try await model.session().respond(to: "Hello", options: greedy).text
            }
            let plain = try await answer(model)
            #expect(try await answer(model.withAdapters([ScaledAdapter(adapter)])) != plain)
            #expect(try await answer(model.withAdapters([ScaledAdapter(adapter, scale: 0)])) == plain)
            #expect(try await answer(model) == plain)

            let session = try await model.session()
            _ = try await session.respond(to: "Hello", options: greedy)
            let adapted = try session.withAdapters([ScaledAdapter(adapter, scale: 0.5)])
            #expect(try await adapted.respond(to: "And now?", options: greedy).metrics.reusedTokens == 0)

            let other = try await demo()
            #expect(throws: SottoError.self) { try other.withAdapters([ScaledAdapter(adapter)]) }
            let report = try await ModelFile.file(url).inspect()
            #expect(report.kind == .adapter && report.adapterRank == 1)
        }
    }
}
