internal import SottoFFI

/// A Whisper model that is ready to be used, from any task. The memory is free once nothing refers to it, nor to what it was asked for.
///
/// ```swift
/// let speech = try await Speech.load(.file(whisper))
/// for try await part in speech.transcribe(.file(url)) { render(part.confirmed, tentative: part.tentative) }
///
/// let spoken = try model.noteSession()
/// try await speech.listen(to: microphone).into(spoken)     // until the microphone's sequence ends
/// let summary = try await spoken.finish().value            // its evidence has ids and times
/// ```
public final class Speech: Sendable {
    /// Private memory that a speech model takes.
    public struct Memory: Hashable, Sendable {
        /// Bytes of the weights and the vocabulary, shared by all recordings.
        public var weights: Int
        /// Bytes of each recording while it is transcribed.
        public var recognizer: Int
    }

    private let ffi: FfiSpeech

    private init(_ ffi: FfiSpeech) {
        self.ffi = ffi
    }

    /// Loads a file of whisper.cpp (`ggml-*.bin`), or a folder with `model.safetensors`, `config.json` and `tokenizer.json`. So many
    /// `threads` compute; one for each fast core where it is `nil`.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func load(_ file: ModelFile, threads: Int? = nil) async throws -> Speech {
        let threads = try threads.map { try UInt32($0, atLeast: 1, "the number of threads") }
        let job = try translated { try SottoFFI.loadSpeech(file: file.ffi, threads: threads) }
        return try await Work(job, value: Speech.init).value()
    }

    /// What it takes.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func memory() throws -> Memory {
        let memory = try translated { try ffi.memory() }
        return Memory(weights: Int(clamping: memory.weights), recognizer: Int(clamping: memory.recognizer))
    }

    /// Transcribes a recording of any length when the result is iterated over or awaited. Its parts come as they become certain; silence
    /// is not given to the model.
    public func transcribe(_ audio: Audio, options: TranscribeOptions = TranscribeOptions()) -> Transcription {
        Request { [ffi] in
            Work(
                try ffi.transcribe(audio: try audio.ffi(), options: options.ffi),
                snapshot: TranscriptPart.init,
                value: Transcript.init
            )
        }
    }

    /// Listens to a microphone: the end of `samples` is the end of the recording. When a minute of sound waits to be heard, no more is
    /// asked for until there is room: no sample is lost where the sequence keeps them.
    public func listen<Microphone: AsyncSequence & Sendable>(
        to samples: Microphone,
        options: ListenOptions = ListenOptions()
    ) -> Listening where Microphone.Element == Samples {
        Listening { [ffi] note in
            let options = try options.ffi()
            let started =
                try note.map { try ffi.listenInto(note: $0.ffi, options: options) } ?? ffi.listen(options: options)
            return ListenJob(started) { push in
                for try await piece in samples { try await push(piece) }
            }
        }
    }
}
