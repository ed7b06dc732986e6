import Foundation
import Sotto

/// Sound as it comes: the microphone in the app, a recording in tests.
public protocol Sound: Sendable {
    /// 16 kHz mono, until ``stop()`` is called. It is kept in a file, too.
    func samples(keptIn file: URL) -> AsyncThrowingStream<Samples, any Error>

    /// Ends the stream.
    func stop()
}

/// Understands what is said with a speech model on this device.
public final class ModelListener: Listener {
    private let sound: any Sound
    private let speech: @Sendable () async throws -> Speech

    /// Hears `sound`, with the model that `speech` loads.
    public init(to sound: any Sound, speech: @escaping @Sendable () async throws -> Speech) {
        self.sound = sound
        self.speech = speech
    }

    public func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error> {
        // Now, and not once the model is there: nothing that is said is lost.
        let samples = sound.samples(keptIn: file)
        return AsyncThrowingStream { [sound, speech] continuation in
            let listening = Task {
                do {
                    let model = try await speech()
                    for try await part in model.listen(to: samples) {
                        part.utterances.forEach { continuation.yield($0) }
                    }
                    // The summary's model has the memory now.
                    try model.trim()
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in
                listening.cancel()
                sound.stop()
            }
        }
    }

    public func stop() {
        sound.stop()
    }
}
