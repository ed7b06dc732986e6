import Foundation
import Observation
import Sotto

/// A note that is being typed.
@MainActor @Observable
public final class Draft {
    /// What was typed so far. It stays until it is taken, wherever the person goes meanwhile.
    public var text = ""

    /// Nothing typed yet.
    public init() {}

    /// Whether there are words in it that a note can be made of.
    public var hasWords: Bool { !VoiceNote.transcript(text).segments.isEmpty }

    /// What was typed, which makes room for the next note.
    public func take() -> String {
        defer { text = "" }
        return text
    }
}
