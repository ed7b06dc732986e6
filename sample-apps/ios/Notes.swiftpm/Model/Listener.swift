import Foundation
import Sotto

/// Something that hears a person speak: the microphone in the app, a script in tests.
public protocol Listener: Sendable {
    /// What is heard, as it is heard, until ``stop()`` is called. The sound itself is kept in a file.
    func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error>

    /// Ends the stream, once what was said last is understood.
    func stop()
}

/// What was understood of a stretch of speech.
public struct Utterance: Hashable, Sendable {
    /// The words so far.
    public var text: String
    /// Seconds from the beginning of the recording.
    public var start: Double?
    /// Seconds from the beginning of the recording.
    public var end: Double?
    /// Whether the words will not change any more. Otherwise, the next utterance takes the place of this one.
    public var isFinal: Bool

    /// An utterance.
    public init(text: String, start: Double? = nil, end: Double? = nil, isFinal: Bool) {
        self.text = text
        self.start = start
        self.end = end
        self.isFinal = isFinal
    }
}

extension TranscriptPart {
    /// What has become certain, then what may still change.
    public var utterances: [Utterance] {
        let certain = confirmed.map { Utterance(text: $0.text, start: $0.start, end: $0.end, isFinal: true) }
        let rest = tentative.map(\.text).joined(separator: " ")
        return rest.isEmpty ? certain : certain + [Utterance(text: rest, isFinal: false)]
    }
}
