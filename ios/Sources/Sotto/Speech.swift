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
        /// Bytes of the weights and the vocabulary while they are loaded, shared by all recordings.
        public var weights: Int
        /// Bytes of each recording while it is transcribed.
        public var recognizer: Int
        /// Bytes that the system can give now, where it says so.
        public var available: Int?

        init(_ ffi: FfiSpeechMemory) {
            weights = Int(clamping: ffi.weights)
            recognizer = Int(clamping: ffi.recognizer)
            available = ffi.available.map { Int(clamping: $0) }
        }
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
        Memory(try translated { try ffi.memory() })
    }

    /// The memory that a model would take. Nothing but its description is read.
    ///
    /// - Throws: ``SottoError``, or `CancellationError` when the task is cancelled.
    public static func memory(of file: ModelFile) async throws -> Memory {
        let job = try translated { try SottoFFI.speechMemoryOf(file: file.ffi) }
        return try await Work(job, value: Memory.init).value()
    }

    /// Gives the memory of the weights back, once nothing is transcribed any more: for a language model, or when memory is short. They
    /// are read from the file again, which must still be there, by what is transcribed next.
    ///
    /// - Throws: ``SottoError/internal(why:)``.
    public func trim() throws {
        try translated { try ffi.trim() }
    }

    /// Transcribes a recording of any length. The elements are its parts, as they become certain; silence is not given to the model.
    public func transcribe(
        _ audio: Audio,
        options: TranscribeOptions = TranscribeOptions()
    ) -> SottoTask<TranscriptPart, SpeechTranscript> {
        SottoTask { [self] in
            if let decoded = try audio.decoded() { return try work(on: decoded, options: options) }
            return Work(
                try ffi.transcribe(audio: try audio.ffi(), options: options.ffi),
                snapshot: TranscriptPart.init,
                value: SpeechTranscript.init
            )
        }
    }

    /// Listens to what is decoded.
    func work(
        on decoded: any DecodedAudio,
        options: TranscribeOptions
    ) throws -> Work<TranscriptPart, SpeechTranscript> {
        let heard = ListenOptions(format: decoded.format, transcribe: options, tentative: false)
        let job = ListenJob(try ffi.listen(options: try heard.ffi())) { push in
            while let samples = try decoded.next() { try await push(samples) }
        }
        return Work(
            job,
            snapshot: {
                var part = TranscriptPart($0)
                part.audioSeconds = decoded.seconds
                return part
            },
            value: SpeechTranscript.init
        )
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
