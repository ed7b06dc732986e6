// swift-tools-version: 6.0

// The Swift SDK. `cargo xtask bindgen` writes the generated sources that it needs into ios/Generated; docs/ios.md says
// more.

import PackageDescription

/// The framework of a release: where its zip can be had, and the checksum that `cargo xtask apple` prints of it. The
/// commit that a release tag names has both, and the generated sources; in between, the framework is built here.
let released: (url: String, checksum: String)? = nil

/// The native library. On Linux it is `libsotto.so`, whose folder the linker is told by `-L`.
func native() -> Target {
    #if os(Linux)
        return .systemLibrary(name: "SottoNative", path: "ios/Generated/SottoNative")
    #else
        if let released, Context.environment["SOTTO_XCFRAMEWORK"] == nil {
            return .binaryTarget(name: "SottoNative", url: released.url, checksum: released.checksum)
        }
        let local = Context.environment["SOTTO_XCFRAMEWORK"] ?? "target/apple/SottoNative.xcframework"
        return .binaryTarget(name: "SottoNative", path: local)
    #endif
}

let package = Package(
    name: "Sotto",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Sotto", targets: ["Sotto"]),
        .library(name: "SottoStore", targets: ["SottoStore"]),
        .library(name: "SottoFallback", targets: ["SottoFallback"]),
    ],
    targets: [
        .target(
            name: "Sotto",
            dependencies: ["SottoFFI"],
            path: "ios/Sources/Sotto",
            resources: [.copy("PrivacyInfo.xcprivacy")]
        ),
        .target(
            name: "SottoFFI",
            dependencies: ["SottoNative"],
            path: "ios/Generated/SottoFFI",
            linkerSettings: [.linkedLibrary("sotto", .when(platforms: [.linux]))]
        ),
        native(),
        .target(
            name: "SottoStore",
            path: "ios/Sources/SottoStore",
            resources: [.copy("PrivacyInfo.xcprivacy")]
        ),
        .target(
            name: "SottoFallback",
            path: "ios/Sources/SottoFallback",
            resources: [.copy("PrivacyInfo.xcprivacy")]
        ),
        .testTarget(name: "SottoTests", dependencies: ["Sotto", "SottoFallback"], path: "ios/Tests/SottoTests"),
        .testTarget(name: "SottoStoreTests", dependencies: ["SottoStore"], path: "ios/Tests/SottoStoreTests"),
    ],
    swiftLanguageModes: [.v6]
)
