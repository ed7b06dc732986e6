internal import SottoFFI

/// A note that is still being spoken: the model reads along, so that ``finish()`` has little more to do than to write.
///
/// It takes the memory of a whole context. Once nothing refers to it, reading stops within 100 ms and the memory is
/// free. Of a long note, each window is summarized as soon as it is complete.
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

    /// What was said so far, numbered as the summary's evidence is.
    public var note: VoiceNote {
        VoiceNote(segments: ffi.note().map(VoiceNote.Segment.init))
    }

    /// Appends what was said next, and returns at once: it is read in the background. Its id is given anew, from 1; an
    /// empty segment is left out.
    ///
    /// - Throws: ``SottoError/invalidInput(what:)`` once the note is finished.
    public func append(_ segment: VoiceNote.Segment) throws {
        try translated { try ffi.append(segment: segment.ffi) }
    }

    /// The summary of the note: exactly that of ``LocalModel/summarize(_:options:)``. Iterating over it or awaiting it ends the
    /// note; what went wrong while it was read is told there.
    public func finish() -> Summary {
        Request { [ffi] in Work(try ffi.finish()) }
    }
}
