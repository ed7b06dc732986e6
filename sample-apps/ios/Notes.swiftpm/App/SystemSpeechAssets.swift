import Foundation
import NotesModel
import Speech

/// The assets of the system's `SpeechAnalyzer`.
struct SystemSpeechAssets: SpeechAssetSource {
    func state(for language: Locale) async -> SpeechAssets.State {
        #if compiler(>=6.2)
            guard #available(iOS 26.0, *), let transcriber = await transcriber(for: language) else {
                return .unavailable
            }
            return switch await AssetInventory.status(forModules: [transcriber]) {
            case .installed: .installed
            case .downloading: .coming
            case .supported: .missing
            case .unsupported: .unavailable
            @unknown default: .unavailable
            }
        #else
            return .unavailable
        #endif
    }

    func fetch(for language: Locale) async throws {
        #if compiler(>=6.2)
            guard #available(iOS 26.0, *), let transcriber = await transcriber(for: language) else { return }
            try await AssetInventory.assetInstallationRequest(supporting: [transcriber])?.downloadAndInstall()
        #endif
    }
}

#if compiler(>=6.2)
    /// What writes down a language with its times, if the system can do that.
    @available(iOS 26.0, *)
    func transcriber(for language: Locale) async -> SpeechTranscriber? {
        guard SpeechTranscriber.isAvailable,
            let locale = await SpeechTranscriber.supportedLocale(equivalentTo: language)
        else { return nil }
        return SpeechTranscriber(
            locale: locale,
            transcriptionOptions: [],
            reportingOptions: [.volatileResults],
            attributeOptions: []
        )
    }
#endif
