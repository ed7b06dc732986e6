import Foundation
import Observation

/// What writes down a spoken note.
public enum Recognition: Equatable, Sendable {
    /// A speech model that a person has put into the app's folder.
    case model
    /// The system's `SpeechAnalyzer`.
    case analyzer
    /// The system's older recognizer, which works on the device, too.
    case recognizer

    /// The best that works without anything being fetched.
    public static func best(hasModel: Bool, assets: SpeechAssets.State) -> Self {
        if hasModel { return .model }
        return assets == .installed ? .analyzer : .recognizer
    }
}

/// Where the system's assets for understanding a language come from: the system in the app, a script in tests.
public protocol SpeechAssetSource: Sendable {
    /// Looks, and fetches nothing.
    func state(for language: Locale) async -> SpeechAssets.State

    /// Has the system fetch what is missing.
    func fetch(for language: Locale) async throws
}

/// The system's assets for understanding a language. They are fetched only when a person says so.
@MainActor @Observable
public final class SpeechAssets {
    /// What there is of them.
    public enum State: Equatable, Sendable {
        /// The system has none for this language, or is older than iOS 26.
        case unavailable
        /// The system can fetch them.
        case missing
        /// The system is fetching them.
        case coming
        /// They are on this device.
        case installed
    }

    /// The language that the person speaks.
    public let language: Locale
    /// What there is.
    public private(set) var state = State.unavailable
    /// What went wrong with fetching them.
    public private(set) var trouble: Trouble?

    private let source: any SpeechAssetSource

    /// What `source` has for a language.
    public init(language: Locale, source: any SpeechAssetSource) {
        self.language = language
        self.source = source
    }

    /// Looks what is there, and fetches nothing.
    public func refresh() async {
        guard state != .coming else { return }
        state = await source.state(for: language)
    }

    /// Fetches what is missing: for the button that says so.
    public func fetch() async {
        guard state == .missing else { return }
        (state, trouble) = (.coming, nil)
        do {
            try await source.fetch(for: language)
        } catch is CancellationError {
        } catch {
            trouble = .speechNotFetched
        }
        state = await source.state(for: language)
    }
}
