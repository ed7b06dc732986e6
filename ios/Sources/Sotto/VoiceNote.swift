internal import SottoFFI

/// A transcript to summarize.
public struct VoiceNote: Hashable, Sendable {
    /// One stretch of speech.
    public struct Segment: Identifiable, Codable, Hashable, Sendable {
        /// Its number within the note, from 1.
        public var id: Int
        /// What was said.
        public var text: String
        /// When it starts, in seconds from the beginning of the recording, where that is known.
        public var start: Double?
        /// When it ends, in seconds.
        public var end: Double?
        /// Who said it, where that is known.
        public var speaker: String?

        /// A segment. A note gives it its number.
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
    /// Summaries point to their ids, which count from 1: an id of a summary's evidence belongs to `segments[id - 1]`,
    /// which says when its words were said and by whom.
    public let segments: [Segment]

    /// A note from plain text: a segment for each sentence.
    public static func text(_ text: String) -> VoiceNote {
        VoiceNote(segments: textSegments(text: text).map(Segment.init))
    }

    /// A note from a transcript: what recorders and recognizers write, or plain text.
    ///
    /// Reads WebVTT, SRT, LRC, SBV, tables with times (comma- or tab-separated), the logs and JSON of Whisper programs,
    /// the JSON of AssemblyAI, Deepgram, Google Speech-to-Text and AWS Transcribe, the turns and chats that meeting apps
    /// write, and lines that begin with a time (`[00:04]`) or a speaker (`Priya:`). Timed utterances become a segment
    /// each, all else one for each sentence. What is no speech (`[Music]`) is left out, and what a recognizer says again
    /// and again counts once. Nothing is refused: what is not understood is words.
    public static func transcript(_ text: String) -> VoiceNote {
        VoiceNote(segments: transcriptSegments(text: text).map(Segment.init))
    }

    /// A note from a speech recognizer's segments. Their ids are given anew, from 1; empty ones are left out.
    public static func segments(_ segments: [Segment]) -> VoiceNote {
        VoiceNote(segments: numberSegments(segments: segments.map(\.ffi)).map(Segment.init))
    }

    /// A note from a transcript of Sotto's own: its segments keep their ids and times.
    public static func transcript(_ transcript: Transcript) -> VoiceNote {
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
