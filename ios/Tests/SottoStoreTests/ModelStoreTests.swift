import Foundation
import Testing

@testable import SottoStore

let impatient = Patience(attempts: 4, firstWait: 0.001, longestWait: 2, silence: 3)

/// Counts calls.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    /// The number of calls before this one.
    func next() -> Int {
        lock.withLock {
            count += 1
            return count - 1
        }
    }
}

func bytes(_ count: Int, seed: UInt64) -> Data {
    var state = seed
    return Data(
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        })
}

func digest(_ data: Data) -> String {
    var hasher = SHA256()
    hasher.update(data: data)
    return hexadecimal(hasher.finalize())
}

/// Runs `body` with a server, and a store in a new folder, which are gone afterwards.
func withStore(
    _ answer: @escaping @Sendable (Request, Int32) -> Void, free: Int = .max,
    _ body: (ModelStore, TestServer) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sotto-store-\(UUID())")
    let server = TestServer(answer)
    defer {
        server.stop()
        try? FileManager.default.removeItem(at: folder)
    }
    try await body(ModelStore(folder: folder, patience: impatient, freeBytes: { _ in free }), server)
}

@Suite(.serialized) struct ModelStoreTests {
    let model = bytes(200_000, seed: 1)

    func source(_ server: TestServer, of model: Data) throws -> ModelSource {
        try ModelSource(url: server.url, sha256: digest(model), bytes: model.count, license: "Apache-2.0")
    }

    @Test func aModelIsFetchedOnceListedAndRemoved() async throws {
        let model = model
        try await withStore({ honest($0, $1, model) }) { store, server in
            let source = try source(server, of: model)
            #expect(store.find(source) == nil)
            var last: InstallState?
            for try await state in store.install(source) { last = state }
            let file = store.file(of: source)
            #expect(last == .installed(file, fetched: true))
            #expect(try Data(contentsOf: file) == model)
            #expect(store.find(source) == file)
            for try await state in store.install(source) { last = state }
            #expect(last == .installed(file, fetched: false))
            #expect(server.requests.count == 1)
            #expect(store.installed().map(\.sha256) == [source.sha256])
            #expect(store.installed().first?.license == "Apache-2.0")
            try store.remove(source)
            #expect(store.installed().isEmpty && store.find(source) == nil)
        }
    }

    @Test func anInterruptedDownloadGoesOnFromWhereItWas() async throws {
        let (model, count) = (model, Counter())
        try await withStore({ request, to in
            if count.next() == 0 {
                reply(to, "200 OK", ["Content-Length": "200000"], model.prefix(150_000))
            } else {
                honest(request, to, model)
            }
        }) { store, server in
            let file = try await store.install(source(server, of: model)).file()
            #expect(try Data(contentsOf: file) == model)
            #expect(server.requests.count == 2 && server.requests[1].from > 0)
        }
    }

    @Test func aCancelledDownloadStopsAndGoesOnLater() async throws {
        let (model, count) = (model, Counter())
        try await withStore({ request, to in
            if count.next() == 0 {
                reply(to, "200 OK", ["Content-Length": "200000"], model.prefix(100_000))
                Thread.sleep(forTimeInterval: 4)
            } else {
                honest(request, to, model)
            }
        }) { store, server in
            let source = try source(server, of: model)
            let part = ModelFiles(folder: store.folder, source: source).part
            let work = Task { try await store.install(source).file() }
            while ModelFiles.size(part) == 0 { try await Task.sleep(nanoseconds: 5_000_000) }
            await #expect(throws: StoreError.inUse(name: source.name)) { try await store.install(source).file() }
            work.cancel()
            _ = await work.result
            #expect(try Data(contentsOf: await store.install(source).file()) == model)
        }
    }

    @Test func whatIsWrongIsNotInstalledAndTheOldVersionStays() async throws {
        let (model, other) = (model, bytes(200_000, seed: 2))
        try await withStore({ honest($0, $1, model) }) { store, server in
            let (source, wrong) = (try source(server, of: model), try source(server, of: other))
            let file = try await store.install(source).file()
            await #expect(throws: StoreError.self) { try await store.install(wrong).file() }
            #expect(try Data(contentsOf: file) == model)
            #expect(store.find(source) == file && store.find(wrong) == nil)
            try other.write(to: file)
            #expect(try Data(contentsOf: await store.install(source).file()) == model)
        }
    }

    @Test func refusalsAreNotRepeated() async throws {
        let statuses = ["404 Not Found", "403 Forbidden", "429 Too Many Requests"]
        let (model, count) = (model, Counter())
        try await withStore({ reply($1, statuses[count.next()], ["Retry-After": "3600", "Content-Length": "0"]) }) {
            store, server in
            let source = try source(server, of: model)
            await #expect(throws: StoreError.notFound(name: source.name)) { try await store.install(source).file() }
            await #expect(throws: StoreError.denied(name: source.name, status: 403)) {
                try await store.install(source).file()
            }
            await #expect(throws: StoreError.self) { try await store.install(source).file() }
            #expect(server.requests.count == 3)
        }
        try await withStore({ honest($0, $1, model) }, free: 199_999) { store, server in
            await #expect(throws: StoreError.noSpace(needed: 200_000, free: 199_999)) {
                try await store.install(source(server, of: model)).file()
            }
        }
    }

    @Test func addressesHavePlacesWithinTheFolder() throws {
        func place(_ url: String) throws -> String {
            let address = try #require(URL(string: url))
            return try ModelSource(url: address, sha256: String(repeating: "0", count: 64), bytes: 1).name
        }
        let hub = "huggingface.co/owner/repo/resolve/main/a.gguf"
        #expect(try place("https://\(hub)?download=true") == hub)
        #expect(try place("https://models.example:8443/x%20y.gguf") == "models.example,8443/x%20y.gguf")
        let refused = [
            "a.gguf", "ftp://a.example/b", "http://a.example/b", "https://a.example/", "https://a.example/.b",
            "https://a.example/../../etc/passwd", "https://user:password@a.example/b", "https://a.example/b//c",
        ]
        for url in refused {
            #expect(throws: StoreError.self, "\(url)") { try place(url) }
        }
    }

    @Test func digestsAreSHA256() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(digest(Data("abc".utf8)) == abc)
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(digest(Data(repeating: 97, count: 1_000_000)) == million)
    }
}
