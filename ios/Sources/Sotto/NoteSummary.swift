internal import SottoFFI

/// A summary that has not been asked for yet: iterate over it for growing ``NoteSummary`` snapshots, of which the last
/// is the complete one, or await its ``Request/value``, the complete one alone.
public typealias Summary = Request<NoteSummary, NoteSummary>

/// A summarized note. While it is being written, it grows: title and overview get longer, and points and actions are added
/// once they are whole. An action may get its owner or due date later. Where ``SummaryOptions`` limit how many there are, a
/// better one may take the place and the id of another.
///
/// Title and overview of a note that is read in several windows are written last.
public struct NoteSummary: Codable, Hashable, Sendable {
    /// One thing to remember, in the note's own words.
    public struct Point: Codable, Hashable, Identifiable, Sendable {
        /// Its number, from 1: it stays the same in all snapshots.
        public var id: Int
        /// The words.
        public var text: String
        /// Ids of the segments that they stand in.
        public var evidence: [Int]

        /// A point.
        public init(id: Int, text: String, evidence: [Int]) {
            self.id = id
            self.text = text
            self.evidence = evidence
        }
    }

    /// One thing to do, in the note's own words.
    public struct Action: Codable, Hashable, Identifiable, Sendable {
        /// Its number, from 1: it stays the same in all snapshots.
        public var id: Int
        /// What is to be done.
        public var text: String
        /// Who has to do it; `nil` for the speaker, or when the note does not say.
        public var owner: String?
        /// By when, as it was said.
        public var due: String?
        /// Ids of the segments that all this stands in.
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
        /// How many segments the note has.
        public var segments: Int
        /// How many windows the note is read in: 1 for a note of some minutes.
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
    /// Which part of the note this rests on.
    public var coverage: Coverage
    /// What it cost; there once the summary is complete.
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
