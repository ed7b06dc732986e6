import AVFoundation
import NotesModel

/// What the device hears, for as long as the system lets the app listen, as 16 kHz mono. All of it belongs to one queue.
final class AudioInput: @unchecked Sendable {
    /// What comes, on the queue.
    enum Event {
        case sound(AVAudioPCMBuffer)
        /// A call, Siri or another app has taken the microphone, and nothing follows.
        case taken
        /// It cannot be listened to any more.
        case failed
    }

    /// What speech models hear; headsets come and go with formats of their own.
    static let format = AVAudioFormat(standardFormatWithSampleRate: 16_000, channels: 1)

    private let engine = AVAudioEngine()
    /// What keeps the sound.
    private var file: AVAudioFile?
    private let queue: DispatchQueue
    private let onEvent: (Event) -> Void
    private var observers: [any NSObjectProtocol] = []

    init(queue: DispatchQueue, onEvent: @escaping (Event) -> Void) {
        self.queue = queue
        self.onEvent = onEvent
    }

    static func askForPermission() async throws {
        guard await AVAudioApplication.requestRecordPermission() else { throw Trouble.notAllowed }
    }

    func start(keepingSoundIn file: URL) throws {
        observe(.AVAudioEngineConfigurationChange, of: engine) { $0.restart() }
        observe(AVAudioSession.interruptionNotification, where: \.beginsInterruption) { $0.onEvent(.taken) }
        observe(AVAudioSession.mediaServicesWereResetNotification) { $0.onEvent(.taken) }
        do {
            let session = AVAudioSession.sharedInstance()
            try session.setCategory(.record, mode: .measurement)
            try session.setActive(true)
            self.file = try Self.create(file)
            try listen()
        } catch {
            throw Trouble.noMicrophone
        }
    }

    func stop() {
        observers.forEach(NotificationCenter.default.removeObserver)
        observers = []
        engine.stop()
        engine.inputNode.removeTap(onBus: 0)
        // It is complete.
        file = nil
    }

    /// Lets other apps go on with their sound.
    func release() {
        try? AVAudioSession.sharedInstance().setActive(false, options: .notifyOthersOnDeactivation)
    }

    /// The engine has stopped by itself, and its tap has a format that is not the device's any more.
    private func restart() {
        engine.inputNode.removeTap(onBus: 0)
        do {
            try listen()
        } catch {
            onEvent(.failed)
        }
    }

    private func listen() throws {
        let format = engine.inputNode.outputFormat(forBus: 0)
        // Without an input the format is empty, and a tap of that ends the app.
        guard format.sampleRate > 0, format.channelCount > 0 else { throw Trouble.noMicrophone }
        guard let to = Self.format, let converter = AVAudioConverter(from: format, to: to) else {
            throw Trouble.noMicrophone
        }
        engine.inputNode.installTap(onBus: 0, bufferSize: 4096, format: format) { [weak self] buffer, _ in
            self?.queue.async { self?.take(buffer, converter) }
        }
        engine.prepare()
        try engine.start()
    }

    private func take(_ buffer: AVAudioPCMBuffer, _ converter: AVAudioConverter) {
        guard let heard = converter.convert(buffer) else { return }
        do {
            try file?.write(from: heard)
        } catch {
            // The note goes on without the rest of its sound: the device is full.
            file = nil
        }
        onEvent(.sound(heard))
    }

    /// A file of 16-bit numbers, 2 MB a minute. It can be read as far as it goes when the app is ended while it is written.
    private static func create(_ file: URL) throws -> AVAudioFile {
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let settings: [String: Any] = [
            AVFormatIDKey: kAudioFormatLinearPCM, AVSampleRateKey: 16_000, AVNumberOfChannelsKey: 1,
            AVLinearPCMBitDepthKey: 16,
        ]
        return try AVAudioFile(forWriting: file, settings: settings)
    }

    private func observe(
        _ name: Notification.Name,
        of object: Any? = nil,
        where matters: @escaping (Notification) -> Bool = { _ in true },
        _ react: @escaping (AudioInput) -> Void
    ) {
        let center = NotificationCenter.default
        let observer = center.addObserver(forName: name, object: object, queue: nil) { [weak self] notification in
            guard let self, matters(notification) else { return }
            queue.async {
                // Whoever has stopped it meanwhile must not be listened to again.
                if !self.observers.isEmpty { react(self) }
            }
        }
        observers.append(observer)
    }
}

extension Notification {
    fileprivate var beginsInterruption: Bool {
        userInfo?[AVAudioSessionInterruptionTypeKey] as? UInt == AVAudioSession.InterruptionType.began.rawValue
    }
}

extension AVAudioConverter {
    /// What the next sound becomes; some of it may come with what follows.
    func convert(_ buffer: AVAudioPCMBuffer) -> AVAudioPCMBuffer? {
        let ratio = outputFormat.sampleRate / inputFormat.sampleRate
        let capacity = AVAudioFrameCount((Double(buffer.frameLength) * ratio).rounded(.up)) + 1024
        guard let out = AVAudioPCMBuffer(pcmFormat: outputFormat, frameCapacity: capacity) else { return nil }
        var next: AVAudioPCMBuffer? = buffer
        let status = convert(to: out, error: nil) { _, status in
            defer { next = nil }
            status.pointee = next == nil ? .noDataNow : .haveData
            return next
        }
        return status == .error || out.frameLength == 0 ? nil : out
    }
}
