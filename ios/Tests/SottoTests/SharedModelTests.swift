import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct SharedModelTests {
        @Test func aModelIsLoadedOnceTrimmedAndLoadedAgain() async throws {
            let loads = Collected<Int>()
            let shared = SharedModel { _ in
                loads.add(1)
                return try await demo()
            }
            #expect(shared.state.name == "not loaded")
            async let one = shared.model()
            async let other = shared.model()
            let first = try await one
            #expect(try await other === first)
            #expect(shared.state.name == "ready" && shared.state.model === first)
            #expect(loads.all.count == 1)
            shared.trim()
            #expect(shared.state.name == "trimmed")
            #expect(try await shared.model() !== first)
            #expect(loads.all.count == 2)
        }

        @Test func aScreenSeesHowFarItIsAndWhatWentWrong() async throws {
            try await withFolder { folder in
                let file = folder.appending(path: "model.gguf")
                let options = LoadOptions(cacheFolder: folder.appending(path: "packed"))
                let shared = SharedModel { try await LocalModel.load(.file(file), options: options, onProgress: $0) }
                await #expect(throws: SottoError.self) { try await shared.model() }
                #expect(shared.state.name == "failed")
                try FileManager.default.copyItem(at: demoFile, to: file)
                let seen = Task {
                    var states: [ModelState] = []
                    for await state in shared.states {
                        states.append(state)
                        if state.model != nil { break }
                    }
                    return states
                }
                let model = try await shared.model()
                #expect(await seen.value.last?.model === model)
            }
        }

        @Test func whoWaitsCanBeCancelledAndALoadCanBeStopped() async throws {
            let shared = SharedModel { _ in
                try await Task.sleep(for: .seconds(60))
                return try await demo()
            }
            let leaving = Task { try await shared.model() }
            let staying = Task { try await shared.model() }
            leaving.cancel()
            await #expect(throws: CancellationError.self) { try await leaving.value }
            try await Task.sleep(for: .milliseconds(20))
            #expect(shared.state.name == "loading")
            shared.trim()
            await #expect(throws: SottoError.cancelled) { try await staying.value }
        }
    }
}

extension ModelState {
    fileprivate var model: LocalModel? {
        guard case .ready(let model) = self else { return nil }
        return model
    }

    fileprivate var name: String {
        switch self {
        case .notLoaded: "not loaded"
        case .loading: "loading"
        case .ready: "ready"
        case .failed: "failed"
        case .trimmed: "trimmed"
        }
    }
}
