import Foundation
import Sotto

/// Plays sound that was kept: the loudspeaker in the app, a list in tests.
@MainActor
public protocol Player {
    /// Plays some seconds of a file, in place of what is being played.
    func play(_ file: URL, _ seconds: ClosedRange<Double>)

    /// Ends what is being played.
    func stop()
}

extension Collection<VoiceNote.Segment> {
    /// The seconds in which the first of these segments was said, and those right after it that are among them; `nil` where no times
    /// are known.
    func seconds(of ids: Set<Int>) -> ClosedRange<Double>? {
        let stretch = drop { !ids.contains($0.id) }.prefix { ids.contains($0.id) }
        guard let start = stretch.first?.start, let end = Array(stretch).last?.end, start <= end else { return nil }
        return start...end
    }
}
