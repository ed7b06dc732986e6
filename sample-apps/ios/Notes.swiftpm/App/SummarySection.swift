import NotesModel
import Sotto
import SwiftUI

/// A summary that may still be growing. A tap on a point or an action shows what it rests on.
struct SummarySection: View {
    let summary: NoteSummary
    let label: String?
    let isWanted: Bool?
    let correct: (String) -> Void
    let want: (Bool) -> Void
    let showEvidence: ([Int]) -> Void

    var body: some View {
        Section {
            Text(summary.overview)
            ForEach(summary.points) { point in
                row(point.text, systemImage: "circle.fill", evidence: point.evidence)
            }
        } header: {
            HStack {
                Text(summary.title)
                Spacer()
                // A tap on the label corrects it.
                Menu(label ?? "No label") {
                    ForEach(Learning.labels, id: \.self) { name in
                        Button(name) { correct(name) }
                    }
                }
                .accessibilityHint("Corrects the label")
            }
        } footer: {
            if summary.metrics != nil {
                HStack {
                    wanting(true, "More like this", systemImage: "hand.thumbsup")
                    Spacer()
                    wanting(false, "Not this", systemImage: "hand.thumbsdown")
                }
            }
        }
        Section("To do") {
            ForEach(summary.actions) { action in
                row(action.text, systemImage: "square", evidence: action.evidence)
                    .badge([action.owner, action.due].compactMap { $0 }.joined(separator: ", "))
            }
        }
        if summary.metrics != nil {
            Section {
                ShareLink(item: summary.plainText)
                if summary.coverage.segmentsRead.count < summary.coverage.segments {
                    Text("\(summary.coverage.segmentsRead.count) of \(summary.coverage.segments) sentences were read.")
                }
            }
        }
    }

    private func wanting(_ more: Bool, _ title: LocalizedStringKey, systemImage: String) -> some View {
        Button {
            want(more)
        } label: {
            Label(title, systemImage: isWanted == more ? systemImage + ".fill" : systemImage)
        }
        .accessibilityAddTraits(isWanted == more ? .isSelected : [])
    }

    private func row(_ text: String, systemImage: String, evidence: [Int]) -> some View {
        Button {
            showEvidence(evidence)
        } label: {
            Label(text, systemImage: systemImage)
        }
        .tint(.primary)
        .accessibilityHint("Shows the sentences that this rests on, and plays them")
    }
}
