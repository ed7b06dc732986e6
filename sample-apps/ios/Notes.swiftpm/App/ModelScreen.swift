import NotesModel
import SwiftUI

/// Chooses a model. Files come into the app's folder by the Files app.
struct ModelScreen: View {
    let models: ModelShelf
    let speech: SpeechShelf
    let assets: SpeechAssets

    var body: some View {
        NavigationStack {
            List {
                Section {
                    ForEach(models.entries) { entry in
                        Button {
                            models.choose(entry)
                        } label: {
                            HStack {
                                entry == ModelShelf.demo ? Text("Demo model") : Text(verbatim: entry.name)
                                Spacer()
                                if entry == models.chosen { state }
                            }
                        }
                        .tint(.primary)
                    }
                } footer: {
                    Text("Put GGUF files into this app's folder with the Files app. Nothing leaves this device.")
                }
                SpeechSection(speech: speech, assets: assets)
            }
            .navigationTitle("Model")
            .refreshable { models.refresh() }
            .onAppear { models.refresh() }
        }
    }

    @ViewBuilder private var state: some View {
        switch models.state {
        case .unloaded: Image(systemName: "circle")
        case .loading(let share): ProgressView(value: share).frame(width: 80)
        case .ready: Image(systemName: "checkmark.circle.fill")
        case .failed(let message): Text(LocalizedStringKey(message)).font(.caption).foregroundStyle(.red)
        }
    }
}

/// What writes down spoken notes, and what the system could fetch for that.
private struct SpeechSection: View {
    let speech: SpeechShelf
    let assets: SpeechAssets

    var body: some View {
        Section {
            switch Recognition.best(hasModel: speech.installed != nil, assets: assets.state) {
            case .model: Text("Your Whisper model writes down what you say.")
            case .analyzer: Text("The system's speech model writes down what you say.")
            case .recognizer: Text("The system's dictation writes down what you say, on this device.")
            }
            if let trouble = assets.trouble { Label(trouble.words, systemImage: "exclamationmark.triangle") }
            switch assets.state {
            case .missing:
                Button("Download the system's speech model for: \(assets.language.languageName)") {
                    Task { await assets.fetch() }
                }
            case .coming: ProgressView("The system's speech model is being downloaded.")
            case .unavailable, .installed: EmptyView()
            }
        } header: {
            Text("Speech")
        } footer: {
            Text("To use a Whisper model (ggml-….bin) instead, put it into this app's folder.")
        }
        .task { await assets.refresh() }
    }
}
