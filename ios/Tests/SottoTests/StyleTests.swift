import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct StyleTests {
        private let messages = (1...24).map { "hiya, could you send box \($0) by friday? ta. m." }
        private let options = TuneOptions(epochs: 3, rank: 4, learningRate: 3e-3, generalMargin: 10)

        @Test func aProfileIsFoundEditedAndTold() throws {
            var profile = StyleProfile.of(messages)
            #expect(profile.greeting == "hiya," && profile.signOff == "ta. m." && profile.capitals == .never)
            #expect(profile.phrases.isEmpty && profile.emoji == [])
            let kept = try JSONDecoder().decode(StyleProfile.self, from: try JSONEncoder().encode(profile))
            #expect(kept == profile)
            profile.signOff = "x"
            #expect(try profile.instruction()?.contains("end with \"x\"") == true)
            #expect(try StyleProfile().instruction() == nil)
            profile.sentenceWords = -1
            #expect(throws: SottoError.self) { try profile.instruction() }
        }

        @Test func anAdapterIsTrainedLoadedAndRewrites() async throws {
            try await withFolder { folder in
                let model = try await demo()
                let target = folder.appending(path: "me.gguf")
                let report = try await model.tune(messages, to: target, options: options).value
                #expect(report.kept && report.heldOutAfter < report.heldOutBefore)
                let adapter = try await model.loadAdapter(.file(target))
                let mine = try model.withAdapters([ScaledAdapter(adapter)])
                let brief = ChatOptions(maxTokens: 16, sampling: .greedy)
                let reply = try await mine.rewrite("Could you send it?", style: .of(messages), options: brief).value
                #expect(!reply.text.isEmpty)
            }
        }

        @Test func whatIsOfNoUseIsNotWritten() async throws {
            try await withFolder { folder in
                let model = try await demo()
                let target = folder.appending(path: "me.gguf")
                let demanding = TuneOptions(epochs: 1, rank: 1, margin: 100)
                #expect(try await model.tune(messages, to: target, options: demanding).value.kept == false)
                let few = Array(messages.prefix(3))
                await #expect(throws: SottoError.self) { try await model.tune(few, to: target).value }
                var steps = 0
                for try await progress in model.tune(messages, to: target, options: options) {
                    steps = progress.step
                    break
                }
                #expect(steps == 1)
                #expect(!FileManager.default.fileExists(atPath: target.path))
            }
        }
    }
}
