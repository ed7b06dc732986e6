import Foundation
import NotesModel
import Sotto
import Testing

struct TroubleTests {
    @Test func noErrorIsShownInItsOwnWords() {
        let errors: [(any Error, Trouble)] = [
            (SottoError.modelNotFound(path: "/secret", reason: "secret"), .modelNotFound),
            (SottoError.modelInvalid(why: "secret", at: "secret"), .modelDamaged),
            (SottoError.unsupported(what: "secret"), .modelUnsupported),
            (SottoError.outOfMemory(needed: 2, available: 1), .outOfMemory),
            (SottoError.storage(path: "/secret", reason: "secret"), .noSpace),
            (SottoError.contextFull(limit: 1, needed: 2), .noteTooLong),
            (SottoError.invalidInput(what: "secret"), .textUnusable),
            (SottoError.internal(why: "secret"), .other),
            (CocoaError(.fileWriteOutOfSpace), .noSpace),
            (CocoaError(.fileNoSuchFile), .other),
            (Trouble.notAllowed, .notAllowed),
        ]
        for (error, trouble) in errors {
            #expect(Trouble(error) == trouble)
            #expect(!trouble.rawValue.contains("secret"))
        }
    }
}
