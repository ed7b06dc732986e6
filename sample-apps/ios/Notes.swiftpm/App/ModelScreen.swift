import NotesModel
import SwiftUI

/// Chooses a model. Files come into the app's folder by the Files app.
struct ModelScreen: View {
    let models: ModelShelf

    var body: some View {
        NavigationStack {
            List {
                Section {
                    ForEach(models.entries) { entry in
                        Button {
                            models.choose(entry)
                        } label: {
                            HStack {
                                Text(entry.name)
                                Spacer()
                                if entry == models.chosen { state }
                            }
                        }
                        .tint(.primary)
                    }
                } footer: {
                    Text(
                        """
                        Put GGUF files into this app's folder with the Files app. A Whisper model (ggml-….bin) there writes down what \
                        you say. Nothing leaves this device.
                        """
                    )
                }
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
        case .failed(let message): Text(message).font(.caption).foregroundStyle(.red)
        }
    }
}
