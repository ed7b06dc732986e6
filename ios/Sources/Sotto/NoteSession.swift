internal import SottoFFI

/// A note that is still being spoken. The model reads it in the background, so that ``finish()`` only has to write the
/// summary.
///
/// It holds the memory of a full context. Once nothing refers to it, reading stops within 100 ms and the memory is
/// freed. Each window of a long note is summarized as soon as it is complete.
///
/// ```swift
/// let session = try model.noteSession()
/// for try await text in recognized { try session.append(.init(text: text)) }
/// for try await snapshot in session.finish() { render(snapshot) }
/// ```
public final class NoteSession: Sendable {
    let ffi: FfiNoteSession

    init(_ ffi: FfiNoteSession) {
        self.ffi = ffi
    }

    /// The note so far, with the ids that the summary's evidence refers to.
    public var note: VoiceNote {
        VoiceNote(segments: ffi.note().map(VoiceNote.Segment.init))
    }

    /// Appends the next segment and returns at once; it is read in the background. It gets the next id, counted from 1,
    /// and an empty segment is left out.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` once the note is finished.
    public func append(_ segment: VoiceNote.Segment) throws {
        try translated { try ffi.append(segment: segment.ffi) }
    }

    /// The summary of the note, exactly like that of ``LocalModel/summarize(_:options:)``. The task ends the note when it
    /// begins, and reports errors from reading it.
    public func finish() -> SottoTask<NoteSummary, NoteSummary> {
        SottoTask { [ffi] in Work(try ffi.finish()) }
    }
}
