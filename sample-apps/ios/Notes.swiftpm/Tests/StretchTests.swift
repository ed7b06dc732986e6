import NotesModel
import Testing

struct StretchTests {
    @Test func wordsWithoutAConfirmationAreNotLost() {
        var stretch = Stretch(begin: 3)
        #expect(stretch.unconfirmed == nil)
        let first = Utterance(text: "Call", start: 3, end: 4, isFinal: false)
        #expect(stretch.hear("Call", isFinal: false, at: 4) == first)
        _ = stretch.hear("Call Marcus", isFinal: false, at: 5)
        #expect(stretch.unconfirmed == Utterance(text: "Call Marcus", start: 3, end: 5, isFinal: true))

        let confirmed = Utterance(text: "Call Marcus.", start: 3, end: 6, isFinal: true)
        #expect(stretch.hear("Call Marcus.", isFinal: true, at: 6) == confirmed)
        #expect(stretch.unconfirmed == nil)
    }

    @Test func silenceIsNoFailure() {
        let stretch = Stretch(begin: 3)
        #expect(stretch.isFailure(at: 3.5, soundEnded: false))
        #expect(!stretch.isFailure(at: 3.5, soundEnded: true))
        #expect(!stretch.isFailure(at: 4.5, soundEnded: false))
    }
}
