// swift-tools-version: 6.0
// The demo model as a resource, for Swift apps.

import PackageDescription

let package = Package(
    name: "DemoModel",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "DemoModel", targets: ["DemoModel"])
    ],
    targets: [
        .target(
            name: "DemoModel",
            path: ".",
            exclude: ["MODEL_CARD.md", "test-split.jsonl"],
            sources: ["DemoModel.swift"],
            resources: [.copy("sotto-demo.gguf")]
        )
    ],
    swiftLanguageModes: [.v6]
)
