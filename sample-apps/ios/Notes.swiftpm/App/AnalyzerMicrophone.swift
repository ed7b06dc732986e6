#if compiler(>=6.2)
    import AVFoundation
    import NotesModel
    import Speech

    /// Hears the microphone, and understands with the system's `SpeechAnalyzer`, whose assets are on this device already.
    @available(iOS 26.0, *)
    final class AnalyzerMicrophone: Listener, @unchecked Sendable {
        private let language: Locale
        private let queue = DispatchQueue(label: "dev.sotto.notes.analyzer")
        // All that follows belongs to the queue.
        private lazy var input = AudioInput(queue: queue) { [weak self] in self?.take($0) }
        private var converter: AVAudioConverter?
        private var sound: AsyncStream<AnalyzerInput>.Continuation?
        private var stopped = false
        private var failure: Trouble?

        init(language: Locale) {
            self.language = language
        }

        func utterances(keepingSoundIn file: URL) -> AsyncThrowingStream<Utterance, any Error> {
            AsyncThrowingStream { continuation in
                let listening = Task {
                    do {
                        try await self.listen(keepingSoundIn: file) { continuation.yield($0) }
                        continuation.finish(throwing: self.queue.sync { self.failure })
                    } catch let trouble as Trouble {
                        continuation.finish(throwing: trouble)
                    } catch {
                        continuation.finish(throwing: Trouble.recognizerFailed)
                    }
                    self.stop()
                }
                continuation.onTermination = { [weak self] _ in
                    listening.cancel()
                    self?.stop()
                }
            }
        }

        func stop() {
            queue.async { self.end() }
        }

        private func listen(keepingSoundIn file: URL, hear: @escaping @Sendable (Utterance) -> Void) async throws {
            try await AudioInput.askForPermission()
            guard let transcriber = await transcriber(for: language),
                let format = await SpeechAnalyzer.bestAvailableAudioFormat(compatibleWith: [transcriber])
            else { throw Trouble.noRecognizer }
            let (sounds, continuation) = AsyncStream<AnalyzerInput>.makeStream()
            let analyzer = SpeechAnalyzer(modules: [transcriber])
            try queue.sync { try start(continuation, as: format, keepingSoundIn: file) }
            async let results: Void = {
                for try await result in transcriber.results { hear(Utterance(result)) }
            }()
            if let last = try await analyzer.analyzeSequence(sounds) {
                // What was said last becomes certain.
                try await analyzer.finalizeAndFinish(through: last)
            } else {
                await analyzer.cancelAndFinishNow()
            }
            try await results
        }

        private func start(
            _ sound: AsyncStream<AnalyzerInput>.Continuation,
            as format: AVAudioFormat,
            keepingSoundIn file: URL
        ) throws {
            // Whoever has stopped it meanwhile, while the system asked for permission, must not be listened to.
            guard !stopped else { return sound.finish() }
            self.sound = sound
            try input.start(keepingSoundIn: file)
            converter = AudioInput.format.flatMap { AVAudioConverter(from: $0, to: format) }
        }

        private func take(_ event: AudioInput.Event) {
            guard !stopped else { return }
            switch event {
            case .sound(let buffer):
                guard let heard = converter?.convert(buffer) else { return }
                sound?.yield(AnalyzerInput(buffer: heard))
            // What was said is the note; to record more, a person begins another.
            case .taken: end()
            case .failed:
                failure = .noMicrophone
                end()
            }
        }

        private func end() {
            guard !stopped else { return }
            stopped = true
            input.stop()
            input.release()
            sound?.finish()
        }
    }

    @available(iOS 26.0, *)
    extension Utterance {
        fileprivate init(_ result: SpeechTranscriber.Result) {
            self.init(
                text: String(result.text.characters),
                start: result.range.start.seconds,
                end: result.range.end.seconds,
                isFinal: result.isFinal
            )
        }
    }
#endif
