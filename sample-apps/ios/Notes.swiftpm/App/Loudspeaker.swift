import AVFoundation
import NotesModel

/// Plays what was said.
@MainActor
final class Loudspeaker: Player {
    private var player: AVAudioPlayer?
    private var end: DispatchWorkItem?

    func play(_ file: URL, _ seconds: ClosedRange<Double>) {
        stop()
        let session = AVAudioSession.sharedInstance()
        // Where it is refused, a call for one, there is nothing to hear.
        guard (try? session.setCategory(.playback, mode: .spokenAudio)) != nil, (try? session.setActive(true)) != nil,
            let player = try? AVAudioPlayer(contentsOf: file)
        else { return }
        self.player = player
        player.currentTime = seconds.lowerBound
        player.play()
        let end = DispatchWorkItem { [weak self] in self?.stop() }
        self.end = end
        DispatchQueue.main.asyncAfter(deadline: .now() + seconds.upperBound - seconds.lowerBound, execute: end)
    }

    func stop() {
        end?.cancel()
        guard let player else { return }
        player.stop()
        self.player = nil
        try? AVAudioSession.sharedInstance().setActive(false, options: .notifyOthersOnDeactivation)
    }
}
