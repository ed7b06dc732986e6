internal import SottoFFI

/// A transcript to summarize.
public struct VoiceNote: Hashable, Sendable {
    /// A segment of speech.
    public struct Segment: Identifiable, Codable, Hashable, Sendable {
        /// Its number within the note, from 1.
        public var id: Int
        /// What was said.
        public var text: String
        /// When it starts, in seconds from the beginning of the recording, if known.
        public var start: Double?
        /// When it ends, in seconds.
        public var end: Double?
        /// The speaker, if known.
        public var speaker: String?

        /// A segment. The note assigns its number.
        public init(id: Int = 0, text: String, start: Double? = nil, end: Double? = nil, speaker: String? = nil) {
            self.id = id
            self.text = text
            self.start = start
            self.end = end
            self.speaker = speaker
        }
    }

    /// The segments, in the order in which they were said.
    ///
    /// Summaries refer to their ids, which count from 1: id `id` in a summary's evidence is `segments[id - 1]`, which
    /// has the time and the speaker.
    public let segments: [Segment]

    /// A note from plain text, with a segment for each sentence.
    public static func text(_ text: String) -> VoiceNote {
        VoiceNote(segments: textSegments(text: text).map(Segment.init))
    }

    /// A note from a transcript in one of the formats of recorders and speech recognizers, or from plain text.
    ///
    /// Reads WebVTT, SRT, LRC, SBV, tables with times (comma- or tab-separated), the logs and JSON of Whisper programs,
    /// the JSON of AssemblyAI, Deepgram, Google Speech-to-Text and AWS Transcribe, the transcripts and chats of meeting
    /// apps, and lines that begin with a time (`[00:04]`) or a speaker (`Priya:`). Each timed utterance becomes a
    /// segment; everything else becomes one segment per sentence. Sounds such as `[Music]` are left out, and a
    /// recognizer's repetition loop counts once. Every text is accepted: what is not recognized as markup is treated as
    /// words.
    public static func transcript(_ text: String) -> VoiceNote {
        VoiceNote(segments: transcriptSegments(text: text).map(Segment.init))
    }

    /// A note from the segments of a speech recognizer. They are numbered again from 1, and empty ones are left out.
    public static func segments(_ segments: [Segment]) -> VoiceNote {
        VoiceNote(segments: numberSegments(segments: segments.map(\.ffi)).map(Segment.init))
    }

    /// A note from one of Sotto's own transcripts. Its segments keep their ids and times.
    public static func transcript(_ transcript: SpeechTranscript) -> VoiceNote {
        segments(transcript.segments.map { Segment(id: $0.id, text: $0.text, start: $0.start, end: $0.end) })
    }

    init(segments: [Segment]) {
        self.segments = segments
    }
}

extension VoiceNote.Segment {
    init(_ ffi: FfiSegment) {
        self.init(id: Int(ffi.id), text: ffi.text, start: ffi.start, end: ffi.end, speaker: ffi.speaker)
    }

    var ffi: FfiSegment {
        FfiSegment(id: UInt32(clamping: id), start: start, end: end, text: text, speaker: speaker)
    }
}
