import NotesModel
import SwiftUI

/// Types a note.
struct TypeScreen: View {
    @Bindable var draft: Draft
    let summarize: () -> Void
    @Environment(\.dismiss) private var dismiss
    @FocusState private var isTyping: Bool

    var body: some View {
        NavigationStack {
            TextEditor(text: $draft.text)
                .focused($isTyping)
                .padding(.horizontal)
                .accessibilityLabel("Your note")
                .navigationTitle("Type a note")
                .navigationBarTitleDisplayMode(.inline)
                .toolbar {
                    ToolbarItem(placement: .cancellationAction) { Button("Close") { dismiss() } }
                    ToolbarItem(placement: .confirmationAction) {
                        Button("Summarize") {
                            summarize()
                            dismiss()
                        }
                        .disabled(!draft.hasWords)
                    }
                }
                .onAppear { isTyping = true }
        }
    }
}
