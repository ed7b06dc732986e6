import Foundation
import NotesModel
import Testing

/// What writes down spoken notes, and that nothing is fetched unless a person says so.
@MainActor struct DictationTests {
    /// Has assets, or can fetch them.
    actor Assets: SpeechAssetSource {
        var known: SpeechAssets.State
        let failure: (any Error)?
        private(set) var fetched: [Locale] = []

        init(_ known: SpeechAssets.State, failure: (any Error)? = nil) {
            (self.known, self.failure) = (known, failure)
        }

        func state(for language: Locale) -> SpeechAssets.State { known }

        func fetch(for language: Locale) throws {
            fetched.append(language)
            if let failure { throw failure }
            known = .installed
        }
    }

    private let german = Locale(identifier: "de_DE")

    @Test func aModelComesFirstThenAssetsThatAreThere() {
        #expect(Recognition.best(hasModel: true, assets: .installed) == .model)
        #expect(Recognition.best(hasModel: true, assets: .missing) == .model)
        #expect(Recognition.best(hasModel: false, assets: .installed) == .analyzer)
        for state in [SpeechAssets.State.unavailable, .missing, .coming] {
            #expect(Recognition.best(hasModel: false, assets: state) == .recognizer)
        }
    }

    @Test(arguments: [SpeechAssets.State.unavailable, .missing, .coming, .installed])
    func aLookFetchesNothing(state: SpeechAssets.State) async {
        let source = Assets(state)
        let assets = SpeechAssets(language: german, source: source)
        #expect(assets.state == .unavailable)
        await assets.refresh()
        #expect(assets.state == state)
        #expect(await source.fetched == [])
    }

    @Test func whatIsMissingIsFetchedWhenAPersonSaysSo() async {
        let source = Assets(.missing)
        let assets = SpeechAssets(language: german, source: source)
        // Nobody knows yet what there is.
        await assets.fetch()
        #expect(await source.fetched == [])
        await assets.refresh()
        await assets.fetch()
        #expect(assets.state == .installed && assets.trouble == nil)
        #expect(await source.fetched == [german])
        await assets.fetch()
        #expect(await source.fetched.count == 1)
    }

    @Test func whatCannotBeFetchedIsSaidAndCanBeTriedAgain() async {
        let assets = SpeechAssets(language: german, source: Assets(.missing, failure: CocoaError(.fileReadUnknown)))
        await assets.refresh()
        await assets.fetch()
        #expect(assets.state == .missing && assets.trouble == .speechNotFetched)
        let cancelled = SpeechAssets(language: german, source: Assets(.missing, failure: CancellationError()))
        await cancelled.refresh()
        await cancelled.fetch()
        #expect(cancelled.state == .missing && cancelled.trouble == nil)
    }
}
