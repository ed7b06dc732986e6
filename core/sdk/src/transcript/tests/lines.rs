//! Lines with times, and logs of recognizers.

use super::*;

#[test]
fn whisper_logs() {
    let text = "main: processing 'memo.wav' (176000 samples, 11.0 sec), 4 threads, 1 processors, lang = en, task = transcribe ...\n\n\
        [00:00:00.000 --> 00:00:03.500]   The lift is stuck.\n\
        [00:00:03.500 --> 00:00:07.250]   Ines will ring the firm by noon. [SPEAKER_TURN]\n\
        [00:00:07.250 --> 00:00:11.000]   I take the stairs.\n\n\
        whisper_print_timings:     load time =   100.00 ms\n";
    reads(text, &three_cues());
    let openai = "Detecting language using up to the first 30 seconds.\n\
        Detected language: English\n\
        [00:00.000 --> 00:03.500]  The lift is stuck.\n\
        [00:03.500 --> 00:07.250]  Ines will ring the firm by noon.\n\
        [00:07.250 --> 00:11.000]  I take the stairs.\n";
    reads(openai, &three_cues());
    reads(&openai.replace("-->", "->"), &three_cues());
    let faster = "[0.00s -> 3.50s] The lift is stuck.\n\
        [3.50s -> 7.25s] Ines will ring the firm by noon.\n\
        [7.25s -> 11.00s] I take the stairs.\n";
    reads(faster, &three_cues());
}

#[test]
fn plain_lines_with_times() {
    for (before, after) in
        [("[", "] "), ("(", ") "), ("", " - "), ("", " "), ("", "\t"), ("", ": "), ("[00:", "] "), ("00:", " ")]
    {
        let [one, two, three] = ["00:00", "00:04", "00:09"].map(|time| format!("{before}{time}{after}"));
        reads(
            &format!("{one}The lift is stuck.\n{two}Ines will ring the firm\nby noon.\n\n{three}I take the stairs.\n"),
            &three_lines(),
        );
        reads(
            &format!("{one}\nThe lift is stuck.\n{two}\nInes will ring the firm by noon.\n{three}\nI take the stairs."),
            &three_lines(),
        );
    }
    reads(
        "[00:00] The lift is stuck.\nno time here\n[99:99:99] Nor here.\n[00:04] On time.",
        &[timed(0.0, 4.0, "The lift is stuck. no time here [99:99:99] Nor here."), (Some(4.0), None, None, "On time.")],
    );
}

#[test]
fn times_of_day_are_words() {
    let agenda = "9:00 Stand-up\n10:30 Dentist\n14:00 Call Tom";
    reads(agenda, &[plain("9:00 Stand-up"), plain("10:30 Dentist"), plain("14:00 Call Tom")]);
    reads("Dentist 10:30\nBring the card", &[plain("Dentist 10:30"), plain("Bring the card")]);
    reads("10:30 am dentist\n11:00 am lunch", &[plain("10:30 am dentist"), plain("11:00 am lunch")]);
}
