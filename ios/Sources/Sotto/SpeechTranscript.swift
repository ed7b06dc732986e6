internal import SottoFFI

/// How a recording is to be transcribed.
public struct TranscribeOptions: Hashable, Sendable {
    /// The language that is spoken, by its code, such as `en`; detected, window by window, where it is `nil`.
    public var language: String?
    /// Whether the text is in English, whatever is spoken.
    public var translate: Bool
    /// Names and rare words that may be said: the model spells what it hears as it reads it here.
    public var vocabulary: String
    /// Whether segments come with their words' times.
    public var words: Bool

    /// The usual options, except those given.
    public init(language: String? = nil, translate: Bool = false, vocabulary: String = "", words: Bool = false) {
        self.language = language
        self.translate = translate
        self.vocabulary = vocabulary
        self.words = words
    }

    var ffi: FfiTranscribeOptions {
        FfiTranscribeOptions(language: language, translate: translate, vocabulary: vocabulary, words: words)
    }
}

/// A word and when it was said.
public struct TranscriptWord: Codable, Hashable, Sendable {
    /// In seconds from the beginning of the recording.
    public var start: Double
    /// In seconds from the beginning of the recording.
    public var end: Double
    /// With its punctuation.
    public var text: String
    /// How likely it is, from 0 to 1.
    public var probability: Float
}

/// Some words that were said, mostly a sentence.
public struct TranscriptSegment: Identifiable, Codable, Hashable, Sendable {
    /// Its number within the transcript, from 1; of a tentative one, the number that it would have.
    public var id: Int
    /// When it starts, in seconds from the beginning of the recording.
    public var start: Double
    /// When it ends, in seconds.
    public var end: Double
    /// What was said.
    public var text: String
    /// The words with their times, where they were asked for.
    public var words: [TranscriptWord]?
    /// How likely it is that nobody spoke, from 0 to 1.
    public var noSpeech: Float
    /// The mean of its tokens' log probabilities, in nats: near 0 where the model is sure.
    public var meanLogProbability: Float
}

/// What has been understood since the part before.
public struct TranscriptPart: Hashable, Sendable {
    /// What has become certain: it follows the confirmed segments of the parts before, and never changes.
    public var confirmed: [TranscriptSegment]
    /// What was said after that, as far as it is understood by now. The next part has it anew.
    public var tentative: [TranscriptSegment]
    /// How much of the recording is certain, in seconds from its beginning.
    public var heardSeconds: Double
    /// How long the recording is, in seconds, where that is known.
    public var audioSeconds: Double?
}

/// What a transcript cost.
public struct SpeechMetrics: Codable, Hashable, Sendable {
    /// How long the recording is, in seconds.
    public var audioSeconds: Double
    /// How much sound the model was given, in seconds: all but silence, and what was tentative first more than once.
    public var windowSeconds: Double
    /// In how many windows.
    public var windows: Int
    /// How long the model worked, in seconds.
    public var seconds: Double
    /// Seconds of work for each second of the recording: below 1, it is faster than one speaks.
    public var realTimeFactor: Double
    /// Private memory of the model and of what transcribes with it, in bytes.
    public var privateBytes: Int
}

/// What was said in a recording.
public struct SpeechTranscript: Codable, Hashable, Sendable {
    /// The code of the language that was given, or that most of the recording is in; `nil` where nothing was said.
    public var language: String?
    /// What was said, in order.
    public var segments: [TranscriptSegment]
    /// What it cost.
    public var metrics: SpeechMetrics
}

extension SpeechTranscript {
    init(_ ffi: FfiTranscript) {
        self.init(
            language: ffi.language,
            segments: ffi.segments.map(TranscriptSegment.init),
            metrics: SpeechMetrics(ffi.metrics)
        )
    }
}

extension TranscriptPart {
    init(_ ffi: FfiTranscriptPart) {
        self.init(
            confirmed: ffi.confirmed.map(TranscriptSegment.init),
            tentative: ffi.tentative.map(TranscriptSegment.init),
            heardSeconds: ffi.heardSeconds,
            audioSeconds: ffi.audioSeconds
        )
    }
}

extension TranscriptSegment {
    fileprivate init(_ ffi: FfiTranscriptSegment) {
        self.init(
            id: Int(ffi.id),
            start: ffi.start,
            end: ffi.end,
            text: ffi.text,
            words: ffi.words?.map(TranscriptWord.init),
            noSpeech: ffi.noSpeech,
            meanLogProbability: ffi.meanLogProbability
        )
    }
}

extension TranscriptWord {
    fileprivate init(_ ffi: FfiTranscriptWord) {
        self.init(start: ffi.start, end: ffi.end, text: ffi.text, probability: ffi.probability)
    }
}

extension SpeechMetrics {
    fileprivate init(_ ffi: FfiSpeechMetrics) {
        self.init(
            audioSeconds: ffi.audioSeconds,
            windowSeconds: ffi.windowSeconds,
            windows: Int(ffi.windows),
            seconds: ffi.seconds,
            realTimeFactor: ffi.realTimeFactor,
            privateBytes: Int(clamping: ffi.privateBytes)
        )
    }
}
