import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct PersonalTests {
        /// 2026-11-30 07:30 in UTC.
        private let morning = Date(timeIntervalSince1970: 1_796_023_800)
        private let utc = TimeZone.gmt

        private func recipes(_ personal: Personal) async throws -> Items {
            let recipes = try personal.items("recipes")
            let soup = Items.Item(id: "soup", text: "lentil soup with cumin", tags: ["soup"])
            let cake = Items.Item(id: "cake", text: "chocolate cake", tags: ["sweet"])
            try await recipes.put([soup, cake], at: morning)
            return recipes
        }

        @Test func itemsAreRecommendedWithTheirReasons() async throws {
            try await withFolder { folder in
                let personal = try await Personal.open(folder.appending(path: "personal"))
                let recipes = try await recipes(personal)
                let day = 86_400.0
                let events = (0..<20).map { Items.ItemEvent("cake", .opened, at: morning + Double($0) * day, in: utc) }
                try await recipes.recordAll(events)
                let now = morning + 20 * day
                #expect(try await recipes.recommend(now: now, zone: utc, exploration: 0).first?.id == "cake")
                let found = try await recipes.recommend(near: .text(text: "a soup of lentil"), limit: 1, now: now)
                guard case .near(let words)? = found.first?.reason else { throw Unexpected() }
                #expect(found.first?.id == "soup" && words.contains("lentil"))
                #expect(try await recipes.recommend(near: .item(id: "cake"), now: now).map(\.id) == ["soup"])
                try await recipes.record("cake", .dismissed, at: now)
                #expect(try await recipes.recommend(now: now).map(\.id) == ["soup"])
                await #expect(throws: SottoError.self) { try await recipes.record("pie", .opened) }
                await #expect(throws: SottoError.self) { try await recipes.recommend(limit: -1) }
                await #expect(throws: SottoError.self) { try await recipes.recommend(exploration: 2) }
                #expect(try await recipes.remove("cake").records.count == 22)
            }
        }

        @Test func allThatWasLearntIsListedTakenAlongPausedAndDeleted() async throws {
            try await withFolder { folder in
                let personal = try await Personal.open(folder.appending(path: "personal"))
                let recipes = try await recipes(personal)
                let event = try await recipes.record("cake", .liked, at: morning).ids[0]
                let record = try await personal.records(.init(kind: .event))[0]
                #expect(record.id == event && record.source == "recipes" && record.time == morning)
                #expect(record.payload == .event(item: "cake", event: .liked))
                let soup = Items.Item(id: "soup", text: "lentil soup with cumin", tags: ["soup"])
                #expect(try await personal.records(.init(limit: 1))[0].payload == .item(item: soup))

                try await personal.setPaused(true)
                #expect(try await personal.isPaused())
                #expect(try await recipes.record("cake", .liked).paused)
                try await personal.setPaused(false)

                let export = folder.appending(path: "export.json")
                try await personal.export(export)
                #expect(try String(contentsOf: export, encoding: .utf8).contains("chocolate"))
                #expect(try await personal.import(export).known == 3)
                try FileManager.default.removeItem(at: export)

                let limits = Personal.Limits(maxRecords: 5, maxAgeDays: 30)
                #expect(try await personal.setLimits(limits, now: morning).records.isEmpty)
                #expect(try await personal.limits() == limits)
                #expect(try await personal.tidy(now: morning).records.isEmpty)
                #expect(try await personal.allDerived().isEmpty)
                #expect(try await personal.delete([event]).records == [event])
                await #expect(throws: SottoError.self) { try await personal.delete([event]) }
                #expect(try await personal.forget("recipes").records.count == 2)
                try await recipes.put([.init(id: "secret", text: "meet at the lighthouse")])
                #expect(try await personal.deleteAll().records.count == 1)
                #expect(try await personal.count() == 0)
                for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
                    let bytes = try Data(contentsOf: file)
                    #expect(bytes.range(of: Data("lighthouse".utf8)) == nil)
                    #expect(bytes.range(of: Data("chocolate".utf8)) == nil)
                }
            }
        }

        @Test func aStoreIsOpenOnlyOnceAndOtherFilesAreRefused() async throws {
            try await withFolder { folder in
                let file = folder.appending(path: "personal")
                var personal: Personal? = try await Personal.open(file)
                let path = file.path(percentEncoded: false)
                await #expect(throws: SottoError.storeInUse(path: path)) { try await Personal.open(file) }
                _ = try await personal?.count()
                personal = nil
                try await reopen(file)
                let foreign = folder.appending(path: "foreign")
                try Data("something else".utf8).write(to: foreign)
                await #expect(throws: SottoError.self) { try await Personal.open(foreign) }
                #if canImport(Darwin)
                    let values = try file.resourceValues(forKeys: [.isExcludedFromBackupKey])
                    #expect(values.isExcludedFromBackup == true)
                #endif
            }
        }

        /// Opens a store again. Another thread may still hold the last call of the one before for a moment.
        private func reopen(_ file: URL) async throws {
            for _ in 0..<100 {
                do {
                    _ = try await Personal.open(file)
                    return
                } catch SottoError.storeInUse {
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            Issue.record("the store is still in use after five seconds")
        }

        private struct Unexpected: Error {}
    }
}
