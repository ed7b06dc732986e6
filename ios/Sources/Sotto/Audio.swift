import Foundation
internal import SottoFFI

/// How samples lie in memory.
public struct PCMFormat: Hashable, Sendable {
    /// Samples of each channel in a second, 8,000 to 192,000.
    public var sampleRate: Int
    /// How many channels lie interleaved: 1 for mono, 2 for stereo.
    public var channels: Int

    /// A format; what speech models hear, unless another is given.
    public init(sampleRate: Int = 16_000, channels: Int = 1) {
        self.sampleRate = sampleRate
        self.channels = channels
    }

    func ffi() throws -> FfiPcmFormat {
        FfiPcmFormat(
            sampleRate: try UInt32(sampleRate, atLeast: 0, "the sample rate"),
            channels: UInt16(clamping: try UInt32(channels, atLeast: 0, "the number of channels"))
        )
    }
}

/// Interleaved samples.
public struct Samples: Hashable, Sendable {
    private enum Numbers: Hashable {
        case floats(Data)
        case integers(Data)
    }

    private let numbers: Numbers

    /// Samples from -1 to 1.
    public init(_ samples: [Float]) {
        numbers = .floats(samples.withUnsafeBytes { Data($0) })
    }

    /// Samples from -1 to 1, as an `AVAudioPCMBuffer` has them. They are copied.
    public init(_ samples: UnsafeBufferPointer<Float>) {
        numbers = .floats(Data(buffer: samples))
    }

    /// 16-bit samples.
    public init(_ samples: [Int16]) {
        numbers = .integers(samples.withUnsafeBytes { Data($0) })
    }

    /// Every processor that Swift runs on is little-endian.
    var ffi: FfiSamples {
        switch numbers {
        case .floats(let bytes): .f32(bytes: bytes)
        case .integers(let bytes): .i16(bytes: bytes)
        }
    }
}

/// A recording.
public struct Audio: Hashable, Sendable {
    private enum Source: Hashable {
        case samples(Samples, PCMFormat)
        case file(URL)
    }

    private let source: Source

    /// A recording from samples in memory. Channels are mixed into one; samples beyond ±1 are clipped.
    public static func samples(_ samples: Samples, format: PCMFormat = PCMFormat()) -> Audio {
        Audio(source: .samples(samples, format))
    }

    /// A file. Apple's frameworks decode what they can play, of which no more is kept in memory than is needed; elsewhere, the library
    /// reads WAV, FLAC, MP3, M4A with AAC or ALAC, and OGG with Vorbis.
    public static func file(_ url: URL) -> Audio {
        Audio(source: .file(url))
    }

    func ffi() throws -> FfiAudio {
        switch source {
        case .samples(let samples, let format): .samples(samples: samples.ffi, format: try format.ffi())
        case .file(let url): .file(path: url.path)
        }
    }

    /// What the platform makes of it; `nil` where the library itself reads it.
    func decoded() throws -> (any DecodedAudio)? {
        #if canImport(AVFoundation)
            if case .file(let url) = source { return try AudioFile(url) }
        #endif
        return nil
    }
}
