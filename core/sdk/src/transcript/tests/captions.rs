//! Captions: WebVTT, SRT, LRC, SBV.

use super::*;

#[test]
fn web_vtt() {
    let text = "WEBVTT - from the recorder\n\
        Kind: captions\n\n\
        NOTE made by\n\
        the meeting app\n\n\
        STYLE\n\
        ::cue { color: red }\n\n\
        intro\n\
        00:00:00.010 --> 00:00:04.200\n\
        <v Ines>The lift is stuck.</v>\n\n\
        2\n\
        00:00:04.300 --> 00:00:08.900\n\
        <v.loud Omar>I will ring\n\
        the firm &amp; wait.</v>\n\n\
        3\n\
        00:00:09.000 --> 00:00:12.000 align:start position:10%\n\
        <v Ines>Good.</v> <v Omar>Bye.</v>\n";
    let (ines, omar) = (Some("Ines"), Some("Omar"));
    reads(
        text,
        &[
            (Some(0.01), Some(4.2), ines, "The lift is stuck."),
            (Some(4.3), Some(8.9), omar, "I will ring the firm & wait."),
            (Some(9.0), Some(12.0), ines, "Good."),
            (Some(9.0), Some(12.0), omar, "Bye."),
        ],
    );
    let rolling = "WEBVTT\n\n\
        00:00.000 --> 00:02.000 align:start\n\
        The<00:00:00.500><c> lift</c>\n\n\
        00:02.000 --> 00:02.010\n\
        The lift\n\n\
        00:02.010 --> 00:04.000\n\
        The lift\n\
        is<c> stuck.</c>\n\n\
        00:04.000 --> 00:06.000\n\
        is stuck.\n\
        I walk.\n";
    reads(rolling, &[timed(0.0, 2.01, "The lift"), timed(2.01, 4.0, "is stuck."), timed(4.0, 6.0, "I walk.")]);
    let short = "WEBVTT\n\n\
        00:00.000 --> 00:03.500\n\
        The lift is stuck.\n\n\
        00:03.500 --> 00:07.250\n\
        Ines will ring the firm by noon.\n\n\
        00:07.250 --> 00:11.000\n\
        I take the stairs.";
    reads(short, &three_cues());
}

#[test]
fn srt() {
    let text = "1\n\
        00:00:00,000 --> 00:00:03,500\n\
        <i>The lift</i> is stuck.\n\n\
        2\n\
        00:00:03,500 --> 00:00:07,250 X1:10 X2:20 Y1:1 Y2:2\n\
        {\\an8}Ines will ring\n\
        the firm by noon.\n\n\
        3\n\
        00:00:07,250 --> 00:00:11,000\n\
        I take the stairs.\n";
    reads(text, &three_cues());
    reads(&text.replace("\n\n", "\n"), &three_cues());
    let two = "1\n\
        00:00:00,000 --> 00:00:03,500\n\
        - The lift is stuck.\n\
        -I take the stairs.\n\n\
        2\n\
        00:00:03,500 --> 00:00:04,000\n\
        ♪\n\n\
        3\n\
        00:00:04,000 --> 00:00:05,000\n\
        -5 degrees.\n";
    reads(
        two,
        &[timed(0.0, 3.5, "The lift is stuck."), timed(0.0, 3.5, "I take the stairs."), timed(4.0, 5.0, "-5 degrees.")],
    );
}

#[test]
fn lrc_and_sbv() {
    let lrc = "[ti:Memo]\n\
        [ar:Ines]\n\
        [length:00:11]\n\
        [00:00.00]The lift is stuck.\n\
        [00:03.50]Ines will <00:04.00>ring the firm by noon.\n\
        [00:07.25]I take the stairs.\n\
        [00:11.00]\n";
    reads(&lrc.replace("<00:04.00>", ""), &three_cues());
    let sbv = "0:00:00.000,0:00:03.500\n\
        The lift is stuck.\n\n\
        0:00:03.500,0:00:07.250\n\
        Ines will ring\n\
        the firm by noon.\n\n\
        0:00:07.250,0:00:11.000\n\
        I take the stairs.\n";
    reads(sbv, &three_cues());
}
