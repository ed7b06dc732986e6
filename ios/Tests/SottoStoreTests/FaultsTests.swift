import Foundation
import Testing

@testable import SottoStore

/// Random faults of a server, and cancelled downloads. `SOTTO_FAULTS=1000` makes more, `SOTTO_SEED` others.
@Suite(.serialized) struct FaultsTests {
    /// What a server can do wrong, `at` a byte of the model.
    static let faults: [@Sendable (Request, Int32, Data, Int) -> Void] = [
        { _, to, model, at in reply(to, "200 OK", ["Content-Length": "\(model.count)"], model.prefix(at)) },
        { _, _, _, _ in },
        { _, to, model, at in reply(to, "503 Service Unavailable", ["Retry-After": "0", "Content-Length": "0"]) },
        { _, to, _, _ in reply(to, "500 Internal Server Error", ["Content-Length": "0"]) },
        { _, to, _, _ in reply(to, "404 Not Found", ["Content-Length": "0"]) },
        { _, to, _, _ in
            reply(to, "200 OK", ["Content-Type": "text/html", "Content-Length": "4"], Data("page".utf8))
        },
        { _, to, model, _ in reply(to, "200 OK", ["Content-Length": "\(model.count)"], model) },
        { _, to, model, _ in reply(to, "206 Partial Content", ["Content-Length": "\(model.count)"], model) },
        { _, to, model, at in rest(to, at, model.count, model.dropFirst(at)) },
        { request, to, model, _ in
            let from = min(request.from, model.count - 1)
            rest(to, from, model.count, model.dropLast(from))
        },
        { _, to, _, at in reply(to, "416 Range Not Satisfiable", ["Content-Range": "bytes */\(at)"]) },
        { _, to, model, at in reply(to, "200 OK", ["Content-Length": "\(at)"], model.prefix(at)) },
        { request, to, _, _ in reply(to, "302 Found", ["Location": "ftp://127.0.0.1/", "Content-Length": "0"]) },
        { request, to, model, at in
            var other = model
            other[at] ^= 1
            honest(request, to, other)
        },
    ]

    @Test func neverAWrongModelAndNeverAGoodOneLost() async throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["SOTTO_FAULTS"].flatMap { Int($0) } ?? 40
        var random = Random(state: environment["SOTTO_SEED"].flatMap { UInt64($0) } ?? 0x5077_0026)
        print("seed \(random.state)")
        for number in 0..<rounds { try await round(number, &random) }
    }

    private func round(_ number: Int, _ random: inout Random) async throws {
        let new = bytes(.random(in: 1_000..<200_000, using: &random), seed: random.next())
        let old = Bool.random(using: &random) ? bytes(.random(in: 1_000..<200_000, using: &random), seed: 7) : nil
        let chosen = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
            (Int.random(in: 0..<Self.faults.count, using: &random), Int.random(in: 1..<new.count, using: &random))
        }
        let said = "round \(number): \(chosen)"
        let (requests, first) = (Counter(), Counter())
        try await withStore({ request, to in
            if let old, first.next() == 0 { return honest(request, to, old) }
            let index = requests.next()
            guard index < chosen.count else { return honest(request, to, new) }
            Self.faults[chosen[index].0](request, to, new, chosen[index].1)
        }) { store, server in
            let source = try ModelSource(url: server.url, sha256: digest(new), bytes: new.count)
            if let old {
                let source = try ModelSource(url: server.url, sha256: digest(old), bytes: old.count)
                _ = try await store.install(source).file()
            }
            func check() -> Bool {
                let there = try? Data(contentsOf: store.file(of: source))
                #expect(there == new || there == old, "\(said): wrong or lost")
                #expect(store.find(source) == nil || there == new, "\(said): a wrong one is found")
                return there == new
            }
            if Bool.random(using: &random) {
                let work = Task { try await store.install(source).file() }
                try await Task.sleep(nanoseconds: .random(in: 0..<20_000_000, using: &random))
                work.cancel()
                _ = await work.result
            }
            _ = check()
            for _ in 0..<6 where (try? await store.install(source).file()) == nil { _ = check() }
            #expect(check(), "\(said)")
        }
    }
}

/// Numbers that a seed determines.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
