import AVFoundation
import NotesModel
import Sotto

/// The microphone's sound, for a speech model.
final class MicrophoneSound: Sound, @unchecked Sendable {
    private let queue = DispatchQueue(label: "dev.sotto.notes.sound")
    // All that follows belongs to the queue.
    private lazy var input = AudioInput(queue: queue) { [weak self] in self?.take($0) }
    private var stopped = false
    private var output: AsyncThrowingStream<Samples, any Error>.Continuation?

    func samples(keptIn file: URL) -> AsyncThrowingStream<Samples, any Error> {
        AsyncThrowingStream { continuation in
            queue.sync { output = continuation }
            Task {
                do {
                    try await AudioInput.askForPermission()
                    try self.queue.sync {
                        // Whoever has stopped it meanwhile, while the system asked for permission, must not be listened to.
                        if !self.stopped { try self.input.start(keepingSoundIn: file) }
                    }
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    func stop() {
        queue.async { [self] in end() }
    }

    private func take(_ event: AudioInput.Event) {
        guard !stopped else { return }
        switch event {
        case .sound(let buffer):
            guard let channel = buffer.floatChannelData?[0] else { return }
            output?.yield(Samples(UnsafeBufferPointer(start: channel, count: Int(buffer.frameLength))))
        // What was said is the note; to record more, a person begins another.
        case .taken: end()
        case .failed: end(Trouble.noMicrophone)
        }
    }

    private func end(_ trouble: Trouble? = nil) {
        guard !stopped else { return }
        stopped = true
        input.stop()
        input.release()
        output?.finish(throwing: trouble)
        output = nil
    }
}
