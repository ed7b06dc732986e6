import Foundation
internal import SottoFFI

/// How to listen.
public struct ListenOptions: Hashable, Sendable {
    /// How the microphone's samples lie.
    public var format: PCMFormat
    /// How they are transcribed.
    public var transcribe: TranscribeOptions
    /// Whether parts have tentative segments. They let one read along, and take as much time as the device has.
    public var tentative: Bool

    /// The usual options, except those given.
    public init(
        format: PCMFormat = PCMFormat(),
        transcribe: TranscribeOptions = TranscribeOptions(),
        tentative: Bool = true
    ) {
        self.format = format
        self.transcribe = transcribe
        self.tentative = tentative
    }

    func ffi() throws -> FfiListenOptions {
        FfiListenOptions(format: try format.ffi(), transcribe: transcribe.ffi, tentative: tentative)
    }
}

/// What a microphone hears: iterate over this for what is said, await the ``value``, or lead it into a note. Like a ``SottoTask``, it
/// runs once.
///
/// Once a second, what was said since the last confirmed segment is transcribed again, and is tentative. It becomes confirmed at a
/// pause of two seconds, or in windows of at most 30 seconds that end at shorter pauses. Cancelling the task, breaking out of the loop
/// or letting go of the iterator stops the work within 100 ms.
public final class Listening: AsyncSequence, Sendable {
    /// What is said.
    public typealias Element = TranscriptPart

    private let listener: Listener
    private let task: SottoTask<TranscriptPart, SpeechTranscript>

    init(_ start: @escaping @Sendable (NoteSession?) throws -> ListenJob) {
        let listener = Listener()
        self.listener = listener
        task = SottoTask {
            let job = try start(listener.note)
            listener.input = job.input
            return Work(job, snapshot: TranscriptPart.init, value: SpeechTranscript.init)
        }
    }

    /// The whole transcript, once the microphone's sequence ends.
    ///
    /// - Throws: ``SottoError``, what the microphone's sequence throws, or `CancellationError` when the task is cancelled.
    public var value: SpeechTranscript {
        get async throws { try await task.value }
    }

    /// Starts to listen when its first element is asked for.
    public func makeAsyncIterator() -> SottoTask<TranscriptPart, SpeechTranscript>.Iterator {
        task.makeAsyncIterator()
    }

    /// Appends each confirmed segment to a note as soon as it is there, until the microphone's sequence ends: then only the last window
    /// is left to be understood. `onPart` is told what is said.
    ///
    /// - Throws: ``SottoError``, what the microphone's sequence throws, or `CancellationError` when the task is cancelled.
    @discardableResult
    public func into(
        _ session: NoteSession,
        onPart: @Sendable (TranscriptPart) -> Void = { _ in }
    ) async throws -> SpeechTranscript {
        listener.note = session
        for try await part in task { onPart(part) }
        return try await value
    }

    /// Makes all that was said confirmed, and lets the listener rest: what comes meanwhile waits to be heard. Does nothing where nobody
    /// listens.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func pause() throws {
        try translated { try listener.input?.pause() }
    }

    /// Goes on after a pause.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func resume() throws {
        try translated { try listener.input?.resume() }
    }
}

/// A job that hears what a task pushes.
final class ListenJob: NativeStream {
    let input: FfiAudioInput
    private let job: FfiTranscribeJob
    private let pushing: Task<Void, Never>
    private let failure: Failure

    /// `feed` pushes all samples, one piece after the other.
    init(
        _ listening: FfiListening,
        feed: @escaping @Sendable (_ push: (Samples) async throws -> Void) async throws -> Void
    ) {
        let (input, job, failure) = (listening.input, listening.job, Failure())
        (self.input, self.job, self.failure) = (input, job, failure)
        pushing = Task {
            do {
                try await feed { try await input.push(samples: $0.ffi) }
                try input.finish()
            } catch let error as FfiError {
                failure.note(error)
                job.cancel()
            } catch {
                failure.note(ForeignError(error: error))
                job.cancel()
            }
        }
    }

    func next() async throws -> FfiTranscriptPart? {
        try await job.next()
    }

    func value() async throws -> FfiTranscript {
        do {
            return try await job.value()
        } catch FfiError.Cancelled {
            // What stopped it, where it was not the app.
            throw failure.noted ?? FfiError.Cancelled
        }
    }

    func cancel() {
        job.cancel()
        pushing.cancel()
    }
}

/// The note that segments go into and the input that is listened to, where there is one.
private final class Listener: @unchecked Sendable {
    private let lock = NSLock()
    private var goesInto: NoteSession?
    private weak var listenedTo: FfiAudioInput?

    var note: NoteSession? {
        get { lock.withLock { goesInto } }
        set { lock.withLock { goesInto = newValue } }
    }

    var input: FfiAudioInput? {
        get { lock.withLock { listenedTo } }
        set { lock.withLock { listenedTo = newValue } }
    }
}

/// Why samples stopped to come, where it was no end.
private final class Failure: @unchecked Sendable {
    private let lock = NSLock()
    private var error: (any Error)?

    func note(_ error: any Error) {
        lock.withLock { self.error = error }
    }

    var noted: (any Error)? {
        lock.withLock { error }
    }
}
