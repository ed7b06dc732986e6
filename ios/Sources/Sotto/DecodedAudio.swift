import Foundation

/// A recording that something else than the library decodes, while it is heard.
protocol DecodedAudio: Sendable {
    /// How the samples lie.
    var format: PCMFormat { get }
    /// How long it is, where that is known.
    var seconds: Double? { get }

    /// The next samples; `nil` at the end. Called by one task at a time.
    func next() throws -> Samples?
}

/// The mean of channels, sample by sample. They are as long as the first one.
func mono(_ channels: [UnsafeBufferPointer<Float>]) -> [Float] {
    guard let first = channels.first, channels.count > 1 else { return channels.first.map(Array.init) ?? [] }
    let share = 1 / Float(channels.count)
    return first.indices.map { place in channels.reduce(0) { $0 + $1[place] } * share }
}

#if canImport(AVFoundation)
    import AVFoundation

    /// A file that Apple's frameworks decode.
    final class AudioFile: DecodedAudio, @unchecked Sendable {
        /// Samples of each channel that are decoded at once, some tenths of a second.
        private static let piece: AVAudioFrameCount = 16_384

        private let file: AVAudioFile
        private let buffer: AVAudioPCMBuffer

        let format: PCMFormat
        let seconds: Double?

        /// Opens a file.
        ///
        /// - Throws: ``SottoError/invalidInput(what:)``.
        init(_ url: URL) throws {
            let unknown = unusable("it cannot be read, or this device does not know its format")
            guard let file = try? AVAudioFile(forReading: url) else { throw unknown }
            let layout = file.processingFormat
            guard let buffer = AVAudioPCMBuffer(pcmFormat: layout, frameCapacity: Self.piece) else { throw unknown }
            guard file.length > 0 else { throw unusable("there is no sound in it") }
            (self.file, self.buffer) = (file, buffer)
            format = PCMFormat(sampleRate: Int(layout.sampleRate))
            seconds = Double(file.length) / layout.sampleRate
        }

        /// The channels' mean: a file is decoded into numbers from -1 to 1, each channel by itself.
        func next() throws -> Samples? {
            guard file.framePosition < file.length else { return nil }
            do {
                try file.read(into: buffer)
            } catch {
                throw unusable("it is damaged")
            }
            guard buffer.frameLength > 0, let channels = buffer.floatChannelData else { return nil }
            let all = (0..<Int(buffer.format.channelCount)).map {
                UnsafeBufferPointer(start: channels[$0], count: Int(buffer.frameLength))
            }
            return Samples(mono(all))
        }
    }

    private func unusable(_ why: String) -> SottoError {
        .invalidInput(what: "the recording cannot be used: \(why)")
    }
#endif
