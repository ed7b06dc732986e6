import Foundation
import Sotto

/// A note as it is kept. It has no summary while that is still to be written.
public struct SavedNote: Codable, Hashable, Identifiable, Sendable {
    /// Its identity.
    public let id: UUID
    /// When it was spoken.
    public let date: Date
    /// What was said.
    public var segments: [VoiceNote.Segment]
    /// What came of it.
    public var summary: NoteSummary?
    /// Its label.
    public var label: String?
    /// The actions that were ticked off.
    public var done: Set<NoteSummary.Action.ID>?
    /// Whether the person wants more notes like this one, as far as they said so.
    public var isWanted: Bool?

    /// A note that was just spoken.
    public init(segments: [VoiceNote.Segment], id: UUID = UUID(), date: Date = Date()) {
        self.id = id
        self.date = date
        self.segments = segments
    }

    /// What a list shows of it.
    public var title: String {
        if let title = summary?.title, !title.isEmpty { return title }
        return segments.first?.text ?? ""
    }

    /// All that was said.
    public var transcript: String {
        segments.map(\.text).joined(separator: " ")
    }
}
