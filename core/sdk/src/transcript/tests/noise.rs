//! What is no speech.

use super::*;

#[test]
fn what_is_no_speech_is_left_out() {
    for text in [
        "[Music]\n[Music]\n[BLANK_AUDIO]\n",
        "[00:00:00.000 --> 00:00:30.000]   [Music]\n[00:00:30.000 --> 00:01:00.000]   [BLANK_AUDIO]\n",
        "(inaudible)",
        "♪ la la ♪",
        "1\n00:00:00,000 --> 00:00:01,000\n*laughs*",
        "Ines: [laughter]\nOmar: (coughs)\nInes: [laughter]",
        "",
        " \n\t ",
        "\u{a0}\u{2003}",
        "…",
    ] {
        assert_eq!(said(&VoiceNote::transcript(text)), [], "{text}");
    }
    reads(
        "[00:00] [door slams]\n[00:04] The lift [inaudible] is stuck. (laughs)\n[00:09] ♪ la la",
        &[timed(4.0, 9.0, "The lift is stuck.")],
    );
}

#[test]
fn a_loop_counts_once() {
    let lines: String =
        (0..120).map(|line| format!("[{:02}:{:02}] Thank you for watching!\n", line / 12, line % 12 * 5)).collect();
    reads(
        &format!("{lines}[10:00] Bye."),
        &[timed(0.0, 600.0, "Thank you for watching!"), (Some(600.0), None, None, "Bye.")],
    );
    reads("Thanks.\nthanks.\nThanks.\nBye.", &[plain("Thanks."), plain("Bye.")]);
    let in_turn: String =
        (0..30).map(|line| format!("[00:{line:02}] {}\n", ["I know.", "You know.", "Right."][line % 3])).collect();
    reads(&in_turn, &[timed(0.0, 1.0, "I know."), timed(1.0, 2.0, "You know."), timed(2.0, 29.0, "Right.")]);
    let twice = "A one.\nA two.\nA one.\nA two.\nA three.";
    reads(twice, &twice.lines().map(plain).collect::<Vec<_>>());
    reads("Ines: Yes.\nOmar: Yes.\nInes: Yes.", &[by("Ines", "Yes."), by("Omar", "Yes."), by("Ines", "Yes.")]);
}

#[test]
fn control_characters_are_no_words() {
    for text in [
        "Ines will \u{1b}[31mring\u{1b}[0m the firm.\u{7}\u{b}\u{c}",
        "Ines will ring\u{1b}]0;title\u{7} the \u{1b}]8;;x\u{1b}\\firm.",
        "Ines\u{0} will\u{85}ri\u{80}ng the firm.\u{1b}",
    ] {
        assert_eq!(said(&VoiceNote::transcript(text)), [plain("Ines will ring the firm.")], "{text:?}");
    }
}
