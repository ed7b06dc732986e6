import Charts
import NotesModel
import SwiftUI

/// How fast the latest summaries were written.
struct SpeedScreen: View {
    let speeds: Speeds

    var body: some View {
        NavigationStack {
            List {
                Section("Tokens per second") {
                    Chart(speeds.runs) { run in
                        point(run, String(localized: "Read"), run.metrics.prefillTokensPerSecond)
                        point(run, String(localized: "Written"), run.metrics.decodeTokensPerSecond)
                    }
                    .chartXAxisLabel(String(localized: "Summary"))
                    .frame(height: 240)
                }
                if let metrics = speeds.runs.last?.metrics {
                    Section("Latest") {
                        row(
                            "First word after",
                            Duration.seconds(metrics.timeToFirstToken).formatted(
                                .units(fractionalPart: .show(length: 2))))
                        row(
                            "Read",
                            String(localized: "\(metrics.prefillTokens) tokens, \(metrics.reusedTokens) cached"))
                        row("Written", String(localized: "\(metrics.decodeTokens) tokens"))
                        row("Private memory", metrics.privateBytes.formatted(.byteCount(style: .memory)))
                        row("Mapped", metrics.mappedBytes.formatted(.byteCount(style: .file)))
                        row("Kernels", String(localized: "\(metrics.kernels), \(metrics.threads) threads"))
                    }
                }
            }
            .overlay { if speeds.runs.isEmpty { ContentUnavailableView("No summary yet", systemImage: "gauge") } }
            .navigationTitle("Speed")
        }
    }

    private func point(_ run: Speeds.Run, _ name: String, _ value: Double) -> some ChartContent {
        LineMark(x: .value("Summary", run.id), y: .value("Tokens per second", value))
            .foregroundStyle(by: .value("Work", name))
            .symbol(by: .value("Work", name))
    }

    private func row(_ name: LocalizedStringKey, _ value: String) -> some View {
        LabeledContent(name, value: value)
    }
}
