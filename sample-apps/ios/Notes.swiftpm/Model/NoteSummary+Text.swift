import Foundation
import Sotto

extension NoteSummary {
    /// The summary as text, to share or to read aloud.
    public var plainText: String {
        let lines =
            [title, overview] + points.map { "• \($0.text)" }
            + actions.map { action in
                let details = [action.owner, action.due].compactMap { $0 }.joined(separator: ", ")
                return "☐ \(action.text)" + (details.isEmpty ? "" : " (\(details))")
            }
        return lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
