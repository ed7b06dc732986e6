import Foundation
import Sotto
import Testing

extension AllTests {
    @Suite struct ClassifierTests {
        private let labels = ["front", "hide"].map { Classification.Label($0) }

        @Test func aCorrectionIsLearntAndIsTheReason() async throws {
            let model = try await demo()
            try await withFolder { folder in
                let personal = try await Personal.open(folder.appending(path: "personal"))
                let feed = try personal.classifier("feed", labels: labels)
                let before = try await feed.classify("bad cab", by: model)
                #expect(before.scores.map(\.label) == ["front", "hide"] && before.nearest.isEmpty)
                #expect(before.metrics != nil)
                for label in ["front", "hide"] {
                    #expect(try await feed.learn("bad cab", label: label, source: "reader").ids.count == 1)
                    let after = try await feed.classify("bad cab", by: model)
                    #expect(after.label == label && after.confidence == 1)
                    #expect(after.nearest.map(\.text) == ["bad cab"] && after.nearest.map(\.label) == [label])
                }
                await #expect(throws: SottoError.self) {
                    try await feed.learn("cab", label: "other", source: "reader")
                }
                await #expect(throws: SottoError.self) { try await feed.classify("", by: model) }
                #expect(throws: SottoError.self) { try personal.classifier("feed", labels: [labels[0]]) }
                try await personal.setPaused(true)
                #expect(try await feed.learn("cab", label: "hide", source: "reader").paused)
            }
        }

        @Test func aStyleIsLearntEditedAndUsedInAConversation() async throws {
            let model = try await demo()
            try await withFolder { folder in
                let personal = try await Personal.open(folder.appending(path: "personal"))
                let style = try personal.style("me")
                for thing in ["keys", "draft", "invoice"] {
                    try await style.learn("could you send the \(thing)? ta. m.", source: "mail")
                }
                var profile = try await style.profile()
                #expect(profile.capitals == .never)
                profile.signOff = "x"
                try await style.setProfile(profile)
                #expect(try await style.profile().signOff == "x")
                #expect(try await style.adapter() == nil)
                #expect(try await style.dropAdapter() == false)
                let brief = ChatOptions(maxTokens: 4, sampling: .greedy)
                let plain = try await model.session("Be brief.").respond(to: "Hello", options: brief)
                let styled = try await model.session("Be brief.", style: style).respond(to: "Hello", options: brief)
                #expect(styled.metrics.prefillTokens > plain.metrics.prefillTokens)
                _ = try await model.withStyle(style)
                await #expect(throws: SottoError.self) { try await model.tune(style).value }
                try await personal.set("tone", of: "mail", to: "\"dry\"", source: "user")
                #expect(try await personal.setting("tone", of: "mail") == "\"dry\"")
                #expect(try await personal.dropDerived("adapter", of: "mail") == false)
            }
        }
    }
}
