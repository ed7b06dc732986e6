import Foundation
import Sotto

extension NoteSummary {
    /// The summary as text, to share or to read aloud.
    public var plainText: String { plainText(done: []) }

    /// The summary as text, with the actions ticked that are done.
    public func plainText(done: Set<Action.ID>) -> String {
        let lines =
            [title, overview] + points.map { "• \($0.text)" }
            + actions.map { action in
                let details = [action.owner, action.due].compactMap { $0 }.joined(separator: ", ")
                return (done.contains(action.id) ? "☑ " : "☐ ") + action.text + (details.isEmpty ? "" : " (\(details))")
            }
        return lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
