import Foundation
import Sotto
import Testing

/// The tests run one after the other, since some watch the threads and the memory of the whole process.
@Suite(.serialized) enum AllTests {}

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

let demoFile = root.appending(path: "sample-apps/demo-model/sotto-demo.gguf")

/// Two layers as wide as those of a real model, with random weights: `cargo xtask test-swift` makes it.
let wideFile = root.appending(path: "target/test-models/wide.gguf")

let labels = ["urgent", "task", "ignorable", "attention"]

let note = """
    Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by Thursday. \
    I need to send the release notes to Dana before lunch.
    """

func demo(_ options: LoadOptions = LoadOptions()) async throws -> LocalModel {
    try await LocalModel.load(.file(demoFile), options: options)
}
