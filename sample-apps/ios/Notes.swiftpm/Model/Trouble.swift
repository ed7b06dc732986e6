import Foundation
import Sotto

/// What can go wrong, as far as a person can do something about it: each is what they are told. An error's own words are for
/// those who write apps: they name bytes, paths and tensors.
public enum Trouble: String, Error, CaseIterable {
    case modelNotFound = "The model file is gone. Choose another one."
    case modelDamaged = "This is not a model file, or it is damaged. Download it again."
    case modelUnsupported = "This model does not run here yet. Choose another one."
    case outOfMemory = "There is not enough memory. Close other apps, or choose a smaller model."
    case noSpace = "There is not enough space on this device. Free some and try again."
    case noteTooLong = "The note is too long. Speak a shorter one."
    case textUnusable = "No words were found in this text. Try another one."
    case notAllowed = "To record, allow this app to use the microphone and speech recognition in Settings."
    case noMicrophone = "The microphone cannot be used right now. Try again."
    case noRecognizer = "This device cannot recognize your language offline. Add a dictation language in Settings."
    case recognizerFailed = "Speech recognition stopped. Try again."
    case speechNotFetched = "The system could not download it. Check the connection, and try again."
    case learningPaused = "Learning is paused: this was not learnt. Turn it on under What Sotto Knows."
    case learningDamaged = "What was learnt cannot be read. Your notes are there. To learn anew, install the app again."
    case learningInUse = "What was learnt is in use elsewhere. Try again."
    case other = "Something went wrong in the app. Try again."

    /// What to tell a person about an error.
    public init(_ error: any Error) {
        self =
            switch error {
            case let trouble as Trouble: trouble
            case let error as SottoError: Trouble(error)
            case CocoaError.fileWriteOutOfSpace: .noSpace
            default: .other
            }
    }

    private init(_ error: SottoError) {
        self =
            switch error {
            case .modelNotFound: .modelNotFound
            case .modelInvalid: .modelDamaged
            case .unsupported: .modelUnsupported
            case .outOfMemory: .outOfMemory
            case .storage: .noSpace
            case .contextFull: .noteTooLong
            case .invalidInput: .textUnusable
            case .storeInvalid: .learningDamaged
            case .storeInUse: .learningInUse
            case .serverAnswer, .cancelled, .internal: .other
            }
    }
}
