import Foundation

/// A tiny model that shows the whole path; MODEL_CARD.md says what it can and cannot do.
public enum DemoModel {
    /// Its file. The target is built with it, so that it is always there.
    public static let url = Bundle.module.bundleURL.appendingPathComponent("sotto-demo.gguf")
}
