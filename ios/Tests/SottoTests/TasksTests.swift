import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct TasksTests {
        @Test func aNoteIsSummarizedWithEvidence() async throws {
            let summary = try await demo().summarize(note).value
            let action = try #require(summary.actions.first { $0.text.contains("write a test") })
            #expect(action.owner == "Marcus")
            #expect(action.due?.contains("Thursday") == true)
            #expect(action.evidence == [3])
            #expect(summary.coverage.segmentsRead == [1, 2, 3, 4])
            #expect(summary.coverage.segments == note.segments.count)
            #expect(try #require(summary.metrics).decodeTokensPerSecond > 0)
        }

        @Test func snapshotsGrowIntoTheSummary() async throws {
            let summary = try await demo().summarize(note)
            let snapshots = try await summary.collect()
            #expect(snapshots.count > 5)
            for (earlier, later) in zip(snapshots, snapshots.dropFirst()) {
                #expect(later.title.hasPrefix(earlier.title))
            }
            #expect(snapshots.dropLast().allSatisfy { $0.metrics == nil })
            #expect(snapshots.last?.metrics != nil)
            #expect(try await summary.value == snapshots.last)
        }

        @Test func aSlowReaderGetsEverySnapshot() async throws {
            let model = try await demo()
            let all = try await model.summarize(note).collect()
            var slowly: [NoteSummary] = []
            for try await snapshot in model.summarize(note) {
                try await Task.sleep(for: .milliseconds(3))
                slowly.append(snapshot)
            }
            #expect(slowly.map(\.withoutMetrics) == all.map(\.withoutMetrics))
        }

        @Test func anIteratorThatHasEndedStaysAtItsEnd() async throws {
            var iterator = try await demo().summarize(note).makeAsyncIterator()
            while try await iterator.next() != nil {}
            #expect(try await iterator.next() == nil)
        }

        @Test func anIteratorThatHasFailedStaysAtItsEnd() async throws {
            let model = try await demo()
            let session = try await model.session()
            var summary = model.summarize(.text(" ")).makeAsyncIterator()
            await #expect(throws: SottoError.self) { try await summary.next() }
            #expect(try await summary.next() == nil)
            // One that cannot even begin.
            var answer = session.streamResponse(to: "Hi", options: ChatOptions(maxTokens: 0)).makeAsyncIterator()
            await #expect(throws: SottoError.self) { try await answer.next() }
            #expect(try await answer.next() == nil)
            let cancelled = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                var answer = session.streamResponse(to: "Hi").makeAsyncIterator()
                await #expect(throws: CancellationError.self) { try await answer.next() }
                return try await answer.next()
            }
            #expect(try await cancelled.value == nil)
        }

        @Test func segmentsKeepTheirSpeakersAndTimes() async throws {
            var said = [
                VoiceNote.Segment(id: 7, text: "I'll send the figures tomorrow.", start: 0.5, end: 2, speaker: "Marta"),
                VoiceNote.Segment(id: 7, text: "  "),
                VoiceNote.Segment(id: 9, text: "Good, and the room is booked.", start: 2, end: 4, speaker: "Tom"),
            ]
            let note = VoiceNote.segments(said)
            said[0].id = 1
            said[2].id = 2
            #expect(note.segments == [said[0], said[2]])
            let summary = try await demo().summarize(note).value
            #expect(summary.actions.contains { $0.text.contains("send the figures") })
        }

        @Test func aTranscriptIsReadWithItsTimes() {
            let note = VoiceNote.transcript("[00:00] One.\n[00:04.5 --> 00:06] Two.")
            let expected: [VoiceNote.Segment] = [
                .init(id: 1, text: "One.", start: 0, end: 4.5), .init(id: 2, text: "Two.", start: 4.5, end: 6),
            ]
            #expect(note.segments == expected)
            let captions = VoiceNote.transcript("WEBVTT\n\n00:00.000 --> 00:04.500\n<v Ines>One.</v>\n\n[Music]\n")
            #expect(captions.segments == [.init(id: 1, text: "One.", start: 0, end: 4.5, speaker: "Ines")])
            #expect(VoiceNote.text(" \n").segments.isEmpty)
        }

        @Test func aTextGetsALabel() async throws {
            let model = try await demo()
            let result = try await model.classify("The basement is flooding, come right now!", into: labels)
            #expect(result.label == "urgent")
            #expect(result.scores.map(\.label) == labels)
            #expect(abs(result.scores.map(\.probability).reduce(0, +) - 1) < 1e-9)
            #expect(result.scores.map(\.probability).max() == result.confidence)
            #expect(try await model.classify("text", into: labels, minConfidence: 1).abstained)
        }

        @Test func manyTextsGetLabelsOneAfterTheOther() async throws {
            let model = try await demo()
            let texts = ["Buy milk.", "The server is down, fix it now!", "Big sale, fifty per cent off!"]
            let results = try await model.classifyAll(texts, into: labels).collect().map { try $0.get() }
            var alone: [String] = []
            for text in texts { alone.append(try await model.classify(text, into: labels).label) }
            #expect(results.map(\.label) == alone)
            #expect(results[1].metrics.reusedTokens > 5)
        }

        @Test func notesOfAnyPriorityHaveTheSummariesThatTheyHaveAlone() async throws {
            let model = try await demo()
            let texts = ["Call Tom on Friday. The lift is stuck.", " ", "Marcus will write a test by Thursday."]
            let notes = texts.map { VoiceNote.text($0) }
            let alone = [
                try await model.summarize(notes[0]).value.actions, try await model.summarize(notes[2]).value.actions,
            ]
            for priority in LocalModel.Priority.allCases {
                let results = try await model.withPriority(priority).summarizeAll(notes).collect()
                #expect(results.compactMap { try? $0.get().actions } == alone)
                #expect(throws: SottoError.self) { try results[1].get() }
            }
        }

        @Test func aTextWithoutAResultDoesNotCostTheOthersTheirs() async throws {
            let model = try await demo()
            let texts = ["Buy milk.", " ", "Sale!"]
            let results = try await model.classifyAll(texts, into: labels).collect()
            #expect(results.map { (try? $0.get()) != nil } == [true, false, true])
            let schema = #"{"enum": ["yes", "no"]}"#
            let values = try await model.extractAll(from: texts, schema: schema).collect()
            #expect(values.map { (try? $0.get()) != nil } == [true, false, true])
            #expect(try values[0].get().value == (try await model.extract(from: texts[0], schema: schema)).value)
            #expect(model.cachedBytes > 0)
            #expect(model.trim() > 0)
            #expect(model.cachedBytes == 0)
        }

        @Test func labelsMayHaveDescriptionsSpacesAndCommas() async throws {
            let model = try await demo()
            let text = "The basement is flooding, come right now!"
            let labels: [Classification.Label] = [
                .init("urgent", description: "somebody must act at once"), .init("not now, maybe later"),
            ]
            let result = try await model.classify(text, into: labels)
            #expect(result.label == "urgent")
            #expect(result.scores.map(\.label) == labels.map(\.name))
            let listed = try await model.classifyAll([text], into: labels).collect()
            #expect(try listed.map { try $0.get().scores } == [result.scores])
            #expect(try await model.classify(text, into: labels.map(\.name)).scores != result.scores)
        }

        enum Mail: String, CaseIterable { case ignorable, cannotWait = "urgent" }

        @Test func anEnumerationIsASetOfLabels() async throws {
            let model = try await demo()
            let mail: Mail? = try await model.classify("The basement is flooding, come right now!")
            #expect(mail == .cannotWait)
            #expect(try await model.classify("text", into: Mail.self, minConfidence: 1) == nil)
        }

        enum Priority: String, Decodable, CaseIterable { case low, high }

        struct Errand: Decodable {
            let task: String
            let owner: String?
            let priority: Priority
            let count: Int16
        }

        @Test func aTextBecomesAValueOfAType() async throws {
            let model = try await demo()
            let errand: Errand = try await model.extract(from: "Carla buys two lamps")
            #expect(!errand.task.isEmpty)
        }

        @Test func whateverTheModelKnows() async throws {
            for model in [try await demo(), try await wide(LoadOptions(cacheFolder: nil, contextLength: 2048))] {
                let value = try await model.extract(Priority.self, from: "now")
                #expect(Priority.allCases.contains(value.value))
                #expect(value.metrics.prefillTokens > 0)
            }
        }

        @Test func aTextBecomesJSONOfASchema() async throws {
            let schema = #"{"type":"object","properties":{"yes":{"type":"boolean"}},"required":["yes"]}"#
            let value = try await demo().extract(from: noteText, schema: schema).value
            #expect([#"{"yes":true}"#, #"{"yes":false}"#].contains(value.filter { !$0.isWhitespace }))
        }

        @Test func aModelReportsOnItself() async throws {
            let model = try await demo()
            let report = try await model.inspect(contextLength: 256)
            #expect(report.architecture == "llama")
            #expect(report.contextLength == 256)
            #expect(try Data(contentsOf: demoFile).count == report.fileBytes)
            #expect(report.tuned && report.fits && report.threads > 0 && !report.weights.isEmpty)
            #expect(try await model.inspect().privateBytes > report.privateBytes)
            #expect(try await model.inspect().contextLength == model.contextLength)
        }

        @Test func aFileReportsOnItselfWithoutBeingLoaded() async throws {
            let report = try await ModelFile.file(demoFile).inspect(LoadOptions(cacheFolder: nil, contextLength: 256))
            #expect(report.kind == .model && report.fit == .fits && report.whyNot == nil)
            #expect(report.architecture == "llama" && report.files == 1)
            let longest = try #require(report.contextLength)
            #expect(report.contexts.map(\.contextLength) == [256, longest])
            try await withFolder { folder in
                let cached = try await ModelFile.file(demoFile).inspect(LoadOptions(cacheFolder: folder))
                #expect(cached.copiedBytes == 0 && cached.mappedBytes == report.copiedBytes)
            }
        }

        @Test func aTokenizerNeedsNoModel() async throws {
            let tokenizer = try await Tokenizer.load(.file(demoFile))
            let ids = try tokenizer.encode(noteText)
            #expect(try tokenizer.decode(ids) == noteText)
            #expect(try tokenizer.tokenCount(noteText) == ids.count)
            #expect(try tokenizer.decode([-1]).isEmpty)
            #expect(try ids.map(tokenizer.tokenText).joined() == noteText)
            #expect(try await demo().tokenCount(noteText) == ids.count)
            await #expect(throws: SottoError.self) { try await Tokenizer.load(.path("nowhere.gguf")) }
        }

        @Test func whatAViewShowsCanBeMadeUp() {
            let weights = ModelReport.Weights(quantization: "Q4_0", tensors: 2, bytes: 18)
            let report = ModelReport(
                architecture: "llama", parameters: 32, layers: 1, hiddenSize: 4, feedForwardSize: 8, heads: 2,
                kvHeads: 1, headSize: 2, modelContextLength: 128, vocabSize: 16, fileBytes: 100, weights: [weights],
                tokenizer: "gpt2", hasChatTemplate: false, tuned: false, kernels: "neon", threads: 2,
                contextLength: 64, privateBytes: 10, copiedBytes: 0, mappedBytes: 100, fits: true
            )
            #expect(report.weights.first?.bytes == 18 && report.name == nil && report.availableBytes == nil)
            let progress = LocalModel.Progress(done: 1, total: 2)
            #expect(progress.done < progress.total)
        }

        @Test func optionsReachTheEngine() async throws {
            var memory: [LoadOptions.KVType: Int] = [:]
            for type in LoadOptions.KVType.allCases {
                memory[type] = try await demo(LoadOptions(cacheFolder: nil, kvType: type)).inspect().privateBytes
            }
            #expect(try #require(memory[.q8]) < #require(memory[.f16]))
            #expect(try #require(memory[.f16]) < #require(memory[.f32]))
            let options = LoadOptions(cacheFolder: nil, contextLength: 100, threads: 1, backend: .candle)
            let report = try await demo(options).inspect()
            #expect(report.threads == 1 && report.contextLength == 100)
            #expect(report.kernels.contains("candle"))
        }

        @Test func aPackedModelAnswersLikeItsSource() async throws {
            try await withFolder { folder in
                let packed = folder.appending(path: "demo.sotto")
                let progress = Collected<LocalModel.Progress>()
                try await LocalModel.pack(demoFile, to: packed) { progress.add($0) }
                let last = try #require(progress.all.last)
                #expect(last.done == last.total)
                let model = try await LocalModel.load(.file(packed))
                #expect(try await model.inspect().copiedBytes == 0)
                let expected = try await demo().summarize(note).value.withoutMetrics
                #expect(try await model.summarize(note).value.withoutMetrics == expected)
            }
        }

        @Test func aPackedCopyIsKeptUnlessAnAppSaysOtherwise() async throws {
            let model = try await LocalModel.load(.file(demoFile))
            #expect(try await model.inspect().copiedBytes == 0)
            let folder = try #require(LoadOptions.defaultCacheFolder)
            #expect(try files(in: folder).contains { $0.lastPathComponent.hasPrefix("sotto-demo") })
            #expect(try await demo().inspect().copiedBytes > 0)
        }

        @Test func aCacheFolderGetsAPackedCopyOnce() async throws {
            try await withFolder { folder in
                let options = LoadOptions(cacheFolder: folder)
                let first = Collected<LocalModel.Progress>()
                let model = try await LocalModel.load(.file(demoFile), options: options) { first.add($0) }
                #expect(try await model.inspect().copiedBytes == 0)
                #expect(!first.all.isEmpty)
                let second = Collected<LocalModel.Progress>()
                _ = try await LocalModel.load(.file(demoFile), options: options) { second.add($0) }
                #expect(second.all.isEmpty, "the copy was made again")
                #expect(try files(in: folder).count == 1)
            }
        }

        @Test @MainActor func loopsRunWhereTheyAreAndThatActorIsFreeMeanwhile() async throws {
            var ticks = 0
            let ticker = Task { @MainActor in
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(1))
                    ticks += 1
                }
            }
            for try await _ in try await demo().summarize(note) {
                MainActor.assertIsolated()
            }
            ticker.cancel()
            #expect(ticks > 5, "the main actor was blocked: \(ticks) ticks")
        }
    }
}

/// What a callback was given, from any thread.
final class Collected<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []

    var all: [Element] { lock.withLock { elements } }

    func add(_ element: Element) {
        lock.withLock { elements.append(element) }
    }
}
