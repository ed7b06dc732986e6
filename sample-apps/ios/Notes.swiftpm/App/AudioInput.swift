import AVFoundation
import NotesModel

/// What the device hears, for as long as the system lets the app listen. All of it belongs to one queue.
final class AudioInput: @unchecked Sendable {
    /// What comes, on the queue.
    enum Event {
        case sound(AVAudioPCMBuffer)
        /// A headset came or went: what follows sounds different.
        case changed
        /// A call, Siri or another app has taken the microphone, and nothing follows.
        case taken
        /// It cannot be listened to any more.
        case failed
    }

    private let engine = AVAudioEngine()
    private let queue: DispatchQueue
    private let onEvent: (Event) -> Void
    private var observers: [any NSObjectProtocol] = []

    init(queue: DispatchQueue, onEvent: @escaping (Event) -> Void) {
        self.queue = queue
        self.onEvent = onEvent
    }

    func start() throws {
        observe(.AVAudioEngineConfigurationChange, of: engine) { $0.restart() }
        observe(AVAudioSession.interruptionNotification, where: \.beginsInterruption) { $0.onEvent(.taken) }
        observe(AVAudioSession.mediaServicesWereResetNotification) { $0.onEvent(.taken) }
        do {
            let session = AVAudioSession.sharedInstance()
            try session.setCategory(.record, mode: .measurement)
            try session.setActive(true)
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
            onEvent(.changed)
        } catch {
            onEvent(.failed)
        }
    }

    private func listen() throws {
        let format = engine.inputNode.outputFormat(forBus: 0)
        // Without an input the format is empty, and a tap of that ends the app.
        guard format.sampleRate > 0, format.channelCount > 0 else { throw Trouble.noMicrophone }
        engine.inputNode.installTap(onBus: 0, bufferSize: 4096, format: format) { [weak self] buffer, _ in
            self?.queue.async { self?.onEvent(.sound(buffer)) }
        }
        engine.prepare()
        try engine.start()
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
