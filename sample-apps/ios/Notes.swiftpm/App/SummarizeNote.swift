import AppIntents
import NotesModel

/// "Summarize note", for Shortcuts and Siri.
struct SummarizeNote: AppIntent {
    static let title: LocalizedStringResource = "Summarize note"
    static let description: IntentDescription? = IntentDescription("Summarizes a note or a transcript on this device.")

    @Parameter(title: "Note", inputOptions: String.IntentInputOptions(multiline: true))
    var note: String

    static var parameterSummary: some ParameterSummary {
        Summary("Summarize \(\.$note)")
    }

    @MainActor
    func perform() async throws -> some IntentResult & ReturnsValue<String> {
        do {
            let model = try await Services.shared.models.model()
            let summary = try await model.summarize(.transcript(note)).value
            return .result(value: summary.plainText)
        } catch {
            throw Trouble(error)
        }
    }
}

extension Trouble: CustomLocalizedStringResourceConvertible {
    /// What Shortcuts and Siri say.
    public var localizedStringResource: LocalizedStringResource { LocalizedStringResource(stringLiteral: rawValue) }
}

struct NotesShortcuts: AppShortcutsProvider {
    static var appShortcuts: [AppShortcut] {
        AppShortcut(
            intent: SummarizeNote(),
            phrases: ["Summarize a note with \(.applicationName)"],
            shortTitle: "Summarize note",
            systemImageName: "text.badge.checkmark"
        )
    }
}
