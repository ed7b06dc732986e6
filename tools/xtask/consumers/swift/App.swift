import Foundation
import Sotto

enum Priority: String, CaseIterable { case urgent, later }

struct Errand: Decodable { let task: String }

public func app(url: URL, transcript: String, mail: String, text: String, render: (NoteSummary) -> Void) async throws {
    // README
    _ = (label, priority, errand)
}
