// swift-tools-version: 6.0
// The sample app. Xcode builds the app; where there is no Xcode, what it does without a screen is built and tested.

import PackageDescription

#if canImport(AppleProductTypes)
    import AppleProductTypes
#endif

let package = Package(
    name: "Notes",
    defaultLocalization: "en",
    platforms: [.iOS("17.0"), .macOS("14.0")],
    dependencies: [
        .package(name: "Sotto", path: "../../.."),
        .package(name: "DemoModel", path: "../../demo-model"),
    ],
    targets: [
        .target(
            name: "NotesModel",
            dependencies: [
                .product(name: "Sotto", package: "Sotto"),
                .product(name: "DemoModel", package: "DemoModel"),
            ],
            path: "Model"
        ),
        .testTarget(name: "NotesModelTests", dependencies: ["NotesModel"], path: "Tests"),
    ],
    swiftLanguageModes: [.v6]
)

#if canImport(AppleProductTypes)
    package.products.append(
        .iOSApplication(
            name: "Notes",
            targets: ["Notes"],
            bundleIdentifier: "dev.sotto.notes",
            displayVersion: "1.0",
            bundleVersion: "1",
            appIcon: .placeholder(icon: .mic),
            accentColor: .presetColor(.indigo),
            supportedDeviceFamilies: [.pad, .phone],
            supportedInterfaceOrientations: [.portrait, .landscapeLeft, .landscapeRight],
            capabilities: [
                .microphone(purposeString: "Your note is recorded while you speak it."),
                .speechRecognition(purposeString: "Your note is written down on this device."),
            ],
            additionalInfoPlistContentFilePath: "AppInfo.plist"
        )
    )
    package.targets.append(
        .executableTarget(
            name: "Notes",
            dependencies: ["NotesModel", .product(name: "Sotto", package: "Sotto")],
            path: "App",
            resources: [.process("Resources")],
            // The frameworks for sound and speech call back from threads of their own, and say so to nobody.
            swiftSettings: [.swiftLanguageMode(.v5)]
        )
    )
#endif
