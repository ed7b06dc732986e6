import Foundation
import Testing

@testable import SottoStore

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// With a session of this process in place of the system's: everything else is as on a device.
@Suite(.serialized) struct BackgroundTests {
    let model = bytes(200_000, seed: 3)

    private func source(_ server: TestServer) throws -> ModelSource {
        try ModelSource(url: server.url, sha256: digest(model), bytes: model.count, license: "MIT")
    }

    private func with(
        _ answer: @escaping @Sendable (Request, Int32) -> Void, free: Int = .max,
        _ body: (BackgroundDownloads, ModelStore, TestServer) async throws -> Void
    ) async throws {
        try await withStore(answer, free: free) { store, server in
            try await body(BackgroundDownloads(store: store, configuration: .ephemeral), store, server)
        }
    }

    private func until(_ holds: () async throws -> Bool) async throws {
        for _ in 0..<1_000 {
            if try await holds() { return }
            try await Task.sleep(nanoseconds: 5_000_000)
        }
        Issue.record("it did not happen within five seconds")
    }

    @Test func aModelIsFetchedOnce() async throws {
        let model = model
        try await with({ honest($0, $1, model) }) { downloads, store, server in
            let source = try source(server)
            let file = try await downloads.install(source).file()
            #expect(try Data(contentsOf: file) == model)
            #expect(store.find(source) == file && store.installed().first?.license == "MIT")
            var last: InstallState?
            for try await state in downloads.install(source) { last = state }
            #expect(last == .installed(file, fetched: false))
            #expect(server.requests.count == 1)
        }
    }

    @Test func itGoesOnFromWhereTheForegroundStopped() async throws {
        let (model, count) = (model, Counter())
        try await with({ request, to in
            if count.next() == 0 {
                reply(to, "200 OK", ["Content-Length": "200000"], model.prefix(100_000))
                Thread.sleep(forTimeInterval: 1)
            } else {
                honest(request, to, model)
            }
        }) { downloads, store, server in
            let source = try source(server)
            let part = ModelFiles(folder: store.folder, source: source).part
            let work = Task { try await store.install(source).file() }
            try await until { ModelFiles.size(part) > 0 }
            work.cancel()
            _ = await work.result
            #expect(try Data(contentsOf: await downloads.install(source).file()) == model)
            #expect(server.requests.count == 2 && server.requests[1].from > 0)
        }
    }

    /// A server that sends one half, and the other when it is told to.
    private func inTwoHalves(_ gate: DispatchSemaphore) -> @Sendable (Request, Int32) -> Void {
        let model = model
        return { _, to in
            reply(to, "200 OK", ["Content-Length": "200000"], model.prefix(100_000))
            gate.wait()
            model.dropFirst(100_000).withUnsafeBytes { _ = write(to, $0.baseAddress, $0.count) }
        }
    }

    /// Asks for a model, and stops waiting as soon as the server was asked.
    private func beginAndLeave(
        _ downloads: BackgroundDownloads, _ source: ModelSource, _ server: TestServer
    ) async throws {
        let work = Task { try await downloads.install(source).file() }
        try await until { server.requests.count == 1 }
        work.cancel()
        _ = await work.result
    }

    @Test func itGoesOnWhenNobodyWaitsAndIsPutInItsPlace() async throws {
        let gate = DispatchSemaphore(value: 0)
        try await with(inTwoHalves(gate)) { downloads, store, server in
            let source = try source(server)
            try await beginAndLeave(downloads, source, server)
            #expect(store.find(source) == nil)
            gate.signal()
            try await until { store.find(source) != nil }
            #expect(try Data(contentsOf: store.file(of: source)) == model)
            #expect(server.requests.count == 1)
        }
    }

    @Test func whoComesLaterWaitsForTheSameDownload() async throws {
        let gate = DispatchSemaphore(value: 0)
        try await with(inTwoHalves(gate)) { downloads, store, server in
            let source = try source(server)
            try await beginAndLeave(downloads, source, server)
            let second = Task { try await downloads.install(source).file() }
            try await Task.sleep(nanoseconds: 100_000_000)
            gate.signal()
            #expect(try Data(contentsOf: await second.value) == model)
            #expect(server.requests.count == 1)
        }
    }

    @Test func whatIsNotWantedAnyMoreIsDropped() async throws {
        let gate = DispatchSemaphore(value: 0)
        try await with(inTwoHalves(gate)) { downloads, store, server in
            let source = try source(server)
            try await beginAndLeave(downloads, source, server)
            try await until { (try? store.remove(source)) != nil }
            gate.signal()
            try await Task.sleep(nanoseconds: 200_000_000)
            #expect(store.find(source) == nil && store.installed().isEmpty)
        }
    }

    @Test func aCancelledDownloadIsDownloadedNoMore() async throws {
        let gate = DispatchSemaphore(value: 0)
        try await with(inTwoHalves(gate)) { downloads, store, server in
            let source = try source(server)
            let work = Task { try await downloads.install(source).file() }
            try await until { server.requests.count == 1 }
            await downloads.cancel(source)
            await #expect(throws: CancellationError.self) { try await work.value }
            gate.signal()
            #expect(store.find(source) == nil)
        }
    }

    @Test func refusalsAndTooLittleSpaceAreSaid() async throws {
        let model = model
        try await with({ reply($1, "404 Not Found", ["Content-Length": "0"]) }) { downloads, _, server in
            let source = try source(server)
            await #expect(throws: StoreError.notFound(name: source.name)) {
                try await downloads.install(source).file()
            }
        }
        try await with({ honest($0, $1, model) }, free: 199_999) { downloads, _, server in
            await #expect(throws: StoreError.noSpace(needed: 200_000, free: 199_999)) {
                try await downloads.install(source(server)).file()
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func neverAWrongModelInTheBackground() async throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["SOTTO_FAULTS"].flatMap { Int($0) } ?? 12
        var random = Random(state: environment["SOTTO_SEED"].flatMap { UInt64($0) } ?? 0x5077_0027)
        print("seed \(random.state)")
        for number in 0..<rounds {
            let plan = (0..<3).map { _ in
                (
                    fault: FaultsTests.faults.randomElement(using: &random),
                    at: Int.random(in: 1..<199_999, using: &random)
                )
            }
            let (model, count) = (model, Counter())
            try await with({ request, to in
                let turn = count.next()
                guard turn < plan.count, let fault = plan[turn].fault else { return honest(request, to, model) }
                fault(request, to, model, plan[turn].at)
            }) { downloads, store, server in
                let source = try source(server)
                for _ in 0..<6 where (try? await downloads.install(source).file()) == nil {
                    #expect(store.find(source) == nil, "round \(number)")
                }
                #expect(try Data(contentsOf: store.file(of: source)) == model, "round \(number)")
                #expect(store.find(source) != nil, "round \(number)")
            }
        }
    }

    @Test func whatAStoppedTaskLeftIsUsedOnceAndOnlyFromItsByte() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sotto-store-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = try #require(URL(string: "https://models.example/a.gguf"))
        let source = try ModelSource(url: url, sha256: digest(model), bytes: model.count)
        let files = ModelFiles(folder: folder, source: source)
        try files.lock(source).close()
        let left = ResumeData(from: 7, data: Data("left".utf8))
        try files.write(left)
        #expect(files.takeResumeData(from: 7) == left.data && files.takeResumeData(from: 7) == nil)
        try files.write(left)
        #expect(files.takeResumeData(from: 0) == nil)
        try files.write(left)
        try files.clear()
        #expect(files.takeResumeData(from: 7) == nil)
    }

    @Test(.timeLimit(.minutes(1))) func theEndOfEventsIsToldOnceAndKept() async {
        let events = Events()
        events.finish()
        await events.wait()
        let wait = Task { await events.wait() }
        for _ in 0..<100 { await Task.yield() }
        events.finish()
        await wait.value
    }
}
