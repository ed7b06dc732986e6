import Foundation

/// A stretch of speech up to a pause, as a recognizer understands it.
public struct Stretch: Sendable {
    /// Silence that ends a stretch, in seconds.
    public static let pause: TimeInterval = 1

    /// Seconds from the beginning of the recording.
    public let begin: TimeInterval
    /// Words that were shown, and that the recognizer may still change. If it fails, they are the best that can be had.
    public private(set) var unconfirmed: Utterance?

    /// A stretch in which nothing was understood yet.
    public init(begin: TimeInterval) {
        self.begin = begin
    }

    /// Takes down what is understood by now.
    public mutating func hear(_ text: String, isFinal: Bool, at time: TimeInterval) -> Utterance {
        unconfirmed = isFinal ? nil : Utterance(text: text, start: begin, end: time, isFinal: true)
        return Utterance(text: text, start: begin, end: time, isFinal: isFinal)
    }

    /// Whether an error is more than silence, which ends a stretch with one, too: but not at once, unless the stretch has no
    /// more sound to come.
    public func isFailure(at time: TimeInterval, soundEnded: Bool) -> Bool {
        !soundEnded && time - begin < Self.pause
    }
}
