internal import SottoFFI

/// A summary of a note. While it is being written, it grows: title and overview get longer, and complete points and
/// actions are added. An action may get its owner or due date later. If ``SummaryOptions`` limit their number, a better
/// item may take the place and the id of another.
///
/// If a note is read in several windows, title and overview are written last.
public struct NoteSummary: Codable, Hashable, Sendable {
    /// A thing to remember, quoted from the note.
    public struct Point: Codable, Hashable, Identifiable, Sendable {
        /// Its number, from 1. It is the same in all snapshots.
        public var id: Int
        /// The quoted words.
        public var text: String
        /// Ids of the segments that contain them.
        public var evidence: [Int]

        /// A point.
        public init(id: Int, text: String, evidence: [Int]) {
            self.id = id
            self.text = text
            self.evidence = evidence
        }
    }

    /// A thing to do, quoted from the note.
    public struct Action: Codable, Hashable, Identifiable, Sendable {
        /// Its number, from 1. It is the same in all snapshots.
        public var id: Int
        /// What has to be done.
        public var text: String
        /// Who has to do it; `nil` for the speaker, or if the note does not say.
        public var owner: String?
        /// The due date, as it was said.
        public var due: String?
        /// Ids of the segments that contain text, owner and due date.
        public var evidence: [Int]

        /// An action.
        public init(id: Int, text: String, owner: String? = nil, due: String? = nil, evidence: [Int]) {
            self.id = id
            self.text = text
            self.owner = owner
            self.due = due
            self.evidence = evidence
        }
    }

    /// Which segments of the note were read.
    public struct Coverage: Codable, Hashable, Sendable {
        /// Ids of the segments read so far.
        public var segmentsRead: [Int]
        /// Number of segments in the note.
        public var segments: Int
        /// Number of windows in which the note is read: 1 for a note of a few minutes.
        public var windows: Int

        /// A coverage.
        public init(segmentsRead: [Int], segments: Int, windows: Int) {
            self.segmentsRead = segmentsRead
            self.segments = segments
            self.windows = windows
        }
    }

    /// A few words.
    public var title: String
    /// What the note is about.
    public var overview: String
    /// Things to remember.
    public var points: [Point]
    /// Things to do.
    public var actions: [Action]
    /// Which part of the note was read.
    public var coverage: Coverage
    /// Time, tokens and memory it took, once the summary is complete.
    public var metrics: Metrics?

    /// A summary.
    public init(
        title: String,
        overview: String,
        points: [Point],
        actions: [Action],
        coverage: Coverage,
        metrics: Metrics? = nil
    ) {
        self.title = title
        self.overview = overview
        self.points = points
        self.actions = actions
        self.coverage = coverage
        self.metrics = metrics
    }
}

extension Work where Snapshot == NoteSummary, Value == NoteSummary {
    /// Its last snapshot is the complete summary.
    convenience init(_ job: FfiSummarizeJob) {
        self.init(job, snapshot: NoteSummary.init, value: NoteSummary.init, last: { $0 })
    }
}

extension NoteSummary {
    init(_ ffi: FfiNoteSummary) {
        self.init(
            title: ffi.title,
            overview: ffi.overview,
            points: ffi.points.map { Point(id: Int($0.id), text: $0.text, evidence: $0.evidence.map(Int.init)) },
            actions: ffi.actions.map {
                Action(
                    id: Int($0.id),
                    text: $0.text,
                    owner: $0.owner,
                    due: $0.due,
                    evidence: $0.evidence.map(Int.init)
                )
            },
            coverage: Coverage(
                segmentsRead: ffi.coverage.segmentsRead.map(Int.init),
                segments: Int(ffi.coverage.segments),
                windows: Int(ffi.coverage.windows)
            ),
            metrics: ffi.metrics.map(Metrics.init)
        )
    }
}
