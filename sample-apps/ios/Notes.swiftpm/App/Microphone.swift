import AVFoundation
import NotesModel
import Speech

/// Hears the microphone, and understands on this device alone, with the system's recognizer.
///
/// Each stretch of speech up to a pause is a request of its own to the recognizer: a request ends with words that do not change any more.
final class Microphone: Listener, @unchecked Sendable {
    private let queue = DispatchQueue(label: "dev.sotto.notes.microphone")
    // All that follows belongs to the queue.
    private lazy var input = AudioInput(queue: queue) { [weak self] in self?.take($0) }
    private var recognizer: SFSpeechRecognizer?
    private var request: SFSpeechAudioBufferRecognitionRequest?
    private var pauseTimer: DispatchWorkItem?
    private var started = Date.now
    private var unfinished: [ObjectIdentifier: Stretch] = [:]
    private var stopped = false
    private var output: AsyncThrowingStream<Utterance, any Error>.Continuation?

    func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error> {
        AsyncThrowingStream { continuation in
            continuation.onTermination = { [weak self] _ in self?.stop() }
            queue.sync { output = continuation }
            Task {
                do {
                    try await self.askForPermission()
                    try self.queue.sync { try self.start(keepingSoundIn: file) }
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    func stop() {
        queue.async { [self] in
            guard !stopped else { return }
            stopped = true
            input.stop()
            request?.endAudio()
            finishIfDone()
        }
    }

    private func askForPermission() async throws {
        let speech = await withCheckedContinuation { continuation in
            SFSpeechRecognizer.requestAuthorization { continuation.resume(returning: $0) }
        }
        guard speech == .authorized else { throw Trouble.notAllowed }
        try await AudioInput.askForPermission()
    }

    private func start(keepingSoundIn file: URL) throws {
        // Whoever has stopped it meanwhile, while the system asked for permission, must not be listened to.
        guard !stopped else { return }
        guard let recognizer = SFSpeechRecognizer(), recognizer.supportsOnDeviceRecognition else {
            throw Trouble.noRecognizer
        }
        self.recognizer = recognizer
        try input.start(keepingSoundIn: file)
        started = .now
        beginStretch()
    }

    private func take(_ event: AudioInput.Event) {
        guard !stopped else { return }
        switch event {
        case .sound(let buffer): request?.append(buffer)
        // What was said is the note; to record more, a person begins another.
        case .taken: stop()
        case .failed: fail(.noMicrophone)
        }
    }

    private func beginStretch() {
        let request = SFSpeechAudioBufferRecognitionRequest()
        request.requiresOnDeviceRecognition = true
        request.addsPunctuation = true
        request.taskHint = .dictation
        self.request = request
        unfinished[ObjectIdentifier(request)] = Stretch(begin: Date.now.timeIntervalSince(started))
        recognizer?.recognitionTask(with: request) { [weak self] result, error in
            self?.queue.async { self?.heard(result, error, by: request) }
        }
    }

    private func heard(
        _ result: SFSpeechRecognitionResult?,
        _ error: (any Error)?,
        by request: SFSpeechAudioBufferRecognitionRequest
    ) {
        let id = ObjectIdentifier(request)
        let now = Date.now.timeIntervalSince(started)
        guard var stretch = unfinished[id] else { return }
        if let result {
            let text = result.bestTranscription.formattedString
            output?.yield(stretch.hear(text, isFinal: result.isFinal, at: now))
            unfinished[id] = stretch
            if !result.isFinal, request === self.request { waitForPause() }
        }
        guard error != nil || result?.isFinal == true else { return }
        let soundEnded = stopped || request !== self.request
        if error != nil, stretch.isFailure(at: now, soundEnded: soundEnded) {
            fail(.recognizerFailed)
        } else {
            keepUnconfirmed(of: stretch)
            if !soundEnded { beginStretch() }
        }
        unfinished[id] = nil
        finishIfDone()
    }

    /// Nothing more will be understood, nor confirmed.
    private func fail(_ trouble: Trouble) {
        unfinished.values.sorted { $0.begin < $1.begin }.forEach(keepUnconfirmed)
        output?.finish(throwing: trouble)
    }

    /// Words that were shown as heard are not taken back.
    private func keepUnconfirmed(of stretch: Stretch) {
        if let words = stretch.unconfirmed { output?.yield(words) }
    }

    /// Ends this stretch once nothing is heard for a while.
    private func waitForPause() {
        pauseTimer?.cancel()
        let timer = DispatchWorkItem { [weak self] in
            guard let self, !stopped else { return }
            beginNextStretch()
        }
        pauseTimer = timer
        queue.asyncAfter(deadline: .now() + Stretch.pause, execute: timer)
    }

    /// Ends this stretch, and begins the next before anything can be missed.
    private func beginNextStretch() {
        pauseTimer?.cancel()
        let ended = request
        beginStretch()
        ended?.endAudio()
    }

    private func finishIfDone() {
        guard stopped, unfinished.isEmpty else { return }
        output?.finish()
        output = nil
        input.release()
    }
}
