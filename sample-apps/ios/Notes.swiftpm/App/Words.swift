import NotesModel
import SwiftUI

// The words for what `Model` has no words for. All words of the app are in Localizable.xcstrings.

extension Trouble {
    /// What a person is told.
    var words: LocalizedStringKey { LocalizedStringKey(rawValue) }
}

/// A label's name, in the person's language.
func words(forLabel label: String?) -> String {
    guard let label else { return String(localized: "No label") }
    return String(localized: String.LocalizationValue(label))
}

extension Locale {
    /// The language's name, in the person's language.
    var languageName: String {
        Locale.current.localizedString(forIdentifier: identifier) ?? identifier
    }
}
