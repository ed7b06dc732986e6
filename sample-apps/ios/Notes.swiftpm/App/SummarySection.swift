import NotesModel
import Sotto
import SwiftUI

/// A summary that may still be growing. A tap on a point or an action shows what it rests on.
struct SummarySection: View {
    let summary: NoteSummary
    let label: String?
    let isWanted: Bool?
    let done: Set<NoteSummary.Action.ID>
    let correct: (String) -> Void
    let want: (Bool) -> Void
    let tick: (NoteSummary.Action.ID) -> Void
    let showEvidence: ([Int]) -> Void

    var body: some View {
        Section {
            Text(summary.overview)
            ForEach(summary.points) { point in row(point.text, systemImage: "circle.fill", evidence: point.evidence) }
        } header: {
            HStack {
                Text(summary.title)
                Spacer()
                // A tap on the label corrects it.
                Menu(words(forLabel: label)) {
                    ForEach(Learning.labels, id: \.self) { name in
                        Button(words(forLabel: name)) { correct(name) }
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
            ForEach(summary.actions, content: toDo)
        }
        if summary.metrics != nil {
            Section {
                ShareLink(item: summary.plainText(done: done))
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

    /// The box ticks an action off; a tap on its text shows what it rests on.
    private func toDo(_ action: NoteSummary.Action) -> some View {
        let isDone = done.contains(action.id)
        return HStack {
            Button(isDone ? "Not done" : "Done", systemImage: isDone ? "checkmark.square.fill" : "square") {
                tick(action.id)
            }
            .labelStyle(.iconOnly)
            .disabled(summary.metrics == nil)
            Button {
                showEvidence(action.evidence)
            } label: {
                VStack(alignment: .leading) {
                    Text(action.text).strikethrough(isDone).foregroundStyle(isDone ? .secondary : .primary)
                    let details = [action.owner, action.due].compactMap { $0 }.joined(separator: ", ")
                    if !details.isEmpty { Text(details).font(.caption).foregroundStyle(.secondary) }
                }
            }
            .accessibilityHint("Shows the sentences that this rests on, and plays them")
        }
        // Each of the two buttons for itself, and not both with the row.
        .buttonStyle(.borderless)
        .tint(.primary)
        .accessibilityElement(children: .contain)
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
