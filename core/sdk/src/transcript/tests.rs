//! Transcripts of every kind, and what is said in them.

use proptest::prelude::*;

use crate::VoiceNote;

/// Start, end, speaker and words.
type Said<'a> = (Option<f64>, Option<f64>, Option<&'a str>, &'a str);

fn said(note: &VoiceNote) -> Vec<Said<'_>> {
    let parts = |segment: &'_ crate::Segment| (segment.start, segment.end);
    note.segments()
        .iter()
        .map(|segment| (parts(segment).0, parts(segment).1, segment.speaker.as_deref(), segment.text.as_str()))
        .collect()
}

#[track_caller]
fn reads(text: &str, expected: &[Said<'_>]) {
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")] {
        assert_eq!(said(&VoiceNote::transcript(&text)), expected, "{text:?}");
    }
}

/// Nothing is known of it but its words.
fn plain(words: &str) -> Said<'_> {
    (None, None, None, words)
}

fn timed<'a>(start: f64, end: f64, words: &'a str) -> Said<'a> {
    (Some(start), Some(end), None, words)
}

fn by<'a>(speaker: &'a str, words: &'a str) -> Said<'a> {
    (None, None, Some(speaker), words)
}

/// Three timed segments, the last without an end.
fn three_lines() -> [Said<'static>; 3] {
    [
        timed(0.0, 4.0, "The lift is stuck."),
        timed(4.0, 9.0, "Ines will ring the firm by noon."),
        (Some(9.0), None, None, "I take the stairs."),
    ]
}

/// Three timed segments with ends.
fn three_cues() -> [Said<'static>; 3] {
    [
        timed(0.0, 3.5, "The lift is stuck."),
        timed(3.5, 7.25, "Ines will ring the firm by noon."),
        timed(7.25, 11.0, "I take the stairs."),
    ]
}

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

#[test]
fn tables() {
    let rows = [
        ["0", "3500", "The lift is stuck."],
        ["3500", "7250", "Ines will ring the firm by noon."],
        ["7250", "11000", "I take the stairs."],
    ];
    let whisper = |delimiter: &str| rows.map(|row| row.join(delimiter)).join("\n");
    reads(&format!("start\tend\ttext\n{}", whisper("\t")), &three_cues());
    reads(&format!("start,end,text\n{}\n", whisper(",")), &three_cues());
    reads(&whisper(","), &three_cues());
    reads(
        "0.000\t3.500\tThe lift is stuck.\n3.500\t7.250\tInes will ring the firm by noon.\n7.25\t11\tI take the stairs.\n",
        &three_cues(),
    );
    reads(
        "Start Time,End Time,Speaker,Text\n\
            00:00:00,00:00:04,Ines,\"The lift, it \"\"is\"\" stuck.\"\n\
            00:00:04,00:00:09,Omar,\"Good.\"\n",
        &[
            (Some(0.0), Some(4.0), Some("Ines"), "The lift, it \"is\" stuck."),
            (Some(4.0), Some(9.0), Some("Omar"), "Good."),
        ],
    );
    reads("start;end;text\n0,5;3,5;The lift, it is stuck.\n", &[timed(0.5, 3.5, "The lift, it is stuck.")]);
    reads("start,end,text\n0,4,Yes, it is.\n4,9,No.\n", &[timed(0.0, 4.0, "Yes, it is."), timed(4.0, 9.0, "No.")]);
    reads(
        "start\tend\ttext\n0\t900\t\"Well,\" she said.\nx\t\tNo time.\n2000\t2900\tEnd.",
        &[timed(0.0, 0.9, "\"Well,\" she said."), plain("No time."), timed(2.0, 2.9, "End.")],
    );
    reads("10:30, 11:00, 12:00 are free.", &[plain("10:30, 11:00, 12:00 are free.")]);
}

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
fn whisper_json() {
    let entry = |start: f64, end: f64, text: &str| {
        format!(
            "{{\"id\":0,\"start\":{start},\"end\":{end},\"text\":\" {text}\",\"tokens\":[1,2],\"words\":[{{\"word\":\"x\"}}]}}"
        )
    };
    let entries = [
        entry(0.0, 3.5, "The lift is stuck."),
        entry(3.5, 7.25, "Ines will ring the firm by noon."),
        entry(7.25, 11.0, "I take the stairs."),
    ];
    let all = entries.join(",");
    reads(&format!("{{\"text\":\" All of it.\",\"segments\":[{all}],\"language\":\"en\"}}"), &three_cues());
    reads(&format!("[{all}]"), &three_cues());
    reads(&entries.join("\n"), &three_cues());
    let cpp = "{\"result\":{\"language\":\"en\"},\"transcription\":[{\"timestamps\":{\"from\":\"00:00:00,000\",\"to\":\"00:00:03,500\"},\"offsets\":{\"from\":0,\"to\":3500},\"text\":\" The lift is stuck.\",\"speaker\":\"0\"},{\"offsets\":{\"from\":3500,\"to\":7250},\"text\":\" [Music]\"}]}";
    reads(cpp, &[(Some(0.0), Some(3.5), Some("speaker 0"), "The lift is stuck.")]);
    reads(
        "{\"chunks\":[{\"timestamp\":[0.0,3.5],\"text\":\" The lift is stuck.\"},{\"timestamp\":[3.5,null],\"text\":\" Oh.\"}],\"text\":\"x\"}",
        &[timed(0.0, 3.5, "The lift is stuck."), (Some(3.5), None, None, "Oh.")],
    );
    reads(
        "{\"segments\":[{\"start\":\"00:01\",\"end\":2,\"text\":\"Hi.\",\"speaker\":\"SPEAKER_01\"},7,null,{\"start\":-4,\"text\":\"So.\"},{\"text\":5}]}",
        &[(Some(1.0), Some(2.0), Some("SPEAKER_01"), "Hi."), plain("So.")],
    );
    reads("{\"text\":\"One. Two.\",\"segments\":[]}", &[plain("One."), plain("Two.")]);
}

#[test]
fn a_note_in_json_is_read_as_it_was() {
    let note = VoiceNote::transcript("[00:00] One.\n[00:04] Two.");
    assert_eq!(VoiceNote::transcript(&serde_json::to_string(&note).unwrap()), note);
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

#[test]
fn turns_of_a_meeting() {
    let expected = [
        (Some(3.0), Some(8.0), Some("Ines Roth"), "The lift is stuck. I take the stairs."),
        (Some(8.0), None, Some("Omar"), "Good."),
    ];
    for text in [
        "Ines Roth  0:03\nThe lift is stuck.\nI take the stairs.\n\nOmar  0:08\nGood.\n\nTranscribed by https://example.org",
        "Ines Roth (00:03):\nThe lift is stuck. I take the stairs.\n\nOmar (00:08):\nGood.",
        "Ines Roth [00:03]: The lift is stuck. I take the stairs.\nOmar [00:08]: Good.",
        "[Ines Roth] 00:00:03\nThe lift is stuck. I take the stairs.\n\n[Omar] 00:00:08\nGood.",
        "00:00:03 Ines Roth\nThe lift is stuck.\nI take the stairs.\n\n00:00:08 Omar\nGood.",
        "[00:00:03] Ines Roth: The lift is stuck. I take the stairs.\n[00:00:08] Omar: Good.",
    ] {
        reads(text, &expected);
    }
    let teams = "0:0:0.0 --> 0:0:4.2\nInes Roth\nThe lift is stuck.\n\n0:0:4.2 --> 0:0:9.0\nOmar\nGood.\n";
    reads(
        teams,
        &[
            (Some(0.0), Some(4.2), Some("Ines Roth"), "The lift is stuck."),
            (Some(4.2), Some(9.0), Some("Omar"), "Good."),
        ],
    );
    let zoom = "WEBVTT\n\n\
        1\n\
        00:00:00.000 --> 00:00:04.200\n\
        Ines Roth: The lift is stuck.\n\n\
        2\n\
        00:00:04.200 --> 00:00:09.000\n\
        Omar: Good.\n";
    reads(
        zoom,
        &[
            (Some(0.0), Some(4.2), Some("Ines Roth"), "The lift is stuck."),
            (Some(4.2), Some(9.0), Some("Omar"), "Good."),
        ],
    );
    let chat = "Ines 10:03 AM\nThe lift is stuck.\nOmar 10:04 AM\nGood.\nInes 10:05 AM\nBye.";
    reads(chat, &[by("Ines", "The lift is stuck."), by("Omar", "Good."), by("Ines", "Bye.")]);
    let meet = "00:00:00\n\nInes: The lift is stuck.\nOmar: Good.\n\n00:05:00\n\nInes: Bye.\n";
    reads(
        meet,
        &[
            (Some(0.0), Some(300.0), Some("Ines"), "The lift is stuck."),
            (Some(0.0), Some(300.0), Some("Omar"), "Good."),
            (Some(300.0), None, Some("Ines"), "Bye."),
        ],
    );
}

#[test]
fn speakers_without_a_time() {
    for (first, second) in [
        ("Ines: ", "Omar: "),
        ("Ines:", "Omar:"),
        ("INES: ", "OMAR: "),
        ("speaker 1: ", "speaker 2: "),
        ("SPEAKER_00: ", "SPEAKER_01: "),
        ("[SPEAKER_00] ", "[SPEAKER_01] "),
        ("[SPEAKER_00]: ", "[SPEAKER_01]: "),
        ("(speaker 0) ", "(speaker 1) "),
        ("Speaker A: ", "Speaker B: "),
        ("speaker1:", "speaker2:"),
        ("Maria del Carmen Ruiz: ", "Dr. Lee: "),
        ("**Ines:** ", "**Omar:** "),
        ("[Ines]: ", "[Omar]: "),
        (">> Ines: ", ">> Omar: "),
        ("田中：", "鈴木："),
        ("Sprecher 1: ", "Sprecher 2: "),
        ("Ines : ", "Omar : "),
    ] {
        let name = |head: &str| head.trim_matches([' ', ':', '[', ']', '(', ')', '*', '>', '：']).to_owned();
        let text = format!("{first}The lift is stuck. Again.\n{second}I take the stairs.\n");
        reads(
            &text,
            &[
                by(&name(first), "The lift is stuck."),
                by(&name(first), "Again."),
                by(&name(second), "I take the stairs."),
            ],
        );
        let timed = format!("[00:00] {first}The lift is stuck.\n[00:04] {second}I take the stairs.\n");
        reads(
            &timed,
            &[
                (Some(0.0), Some(4.0), Some(&name(first)), "The lift is stuck."),
                (Some(4.0), None, Some(&name(second)), "I take the stairs."),
            ],
        );
    }
    reads(
        "Ines: so\nOmar: mm-hmm\nand then\nInes: yes",
        &[by("Ines", "so"), by("Omar", "mm-hmm"), by("Omar", "and then"), by("Ines", "yes")],
    );
    reads(">> The lift is stuck. >> I take the stairs.", &[plain("The lift is stuck."), plain("I take the stairs.")]);
}

#[test]
fn labels_are_no_speakers() {
    for text in [
        "Shopping: milk and bread\nTomorrow: call the dentist\nFriday: Ines rings the firm",
        "Budget: 20,000 euros.\nDeadline: The end of May.",
        "Idea: a new shelf.\nI need wood.",
        "Kitchen: paint the door\nGarden: cut the hedge",
        "Einkauf: Milch und Brot\nMorgen: Zahnarzt",
        "Date: Monday.\nAttendees: Ines, Omar.",
        "Reminder: Call Tom.",
        "https://example.org\nhttp://example.org",
        "We meet at 10:30 in room 4: bring the plans.",
    ] {
        let note = VoiceNote::transcript(text);
        assert!(note.segments().iter().all(|segment| segment.speaker.is_none()), "{text}");
        let words: Vec<_> = note.segments().iter().flat_map(|segment| segment.text.split(' ')).collect();
        assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
    }
    let timed = VoiceNote::transcript(
        "[00:00] Ines: Next point.\n[00:04] Omar: Yes.\n[00:09] Tomorrow: the dentist.\n[00:12] Ines: Good.",
    );
    assert_eq!(timed.segments()[2].text, "Tomorrow: the dentist.");
    assert_eq!(timed.segments()[2].speaker, None);
}

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

#[test]
fn hostile_transcripts_take_linear_time() {
    let started = std::time::Instant::now();
    let long = |part: &str| part.repeat((1 << 17) / part.len());
    for part in [
        "[",
        "(",
        "<",
        "[00:00]",
        "&",
        "♪",
        ">>",
        "a",
        ":",
        "*",
        "-",
        "A:\n",
        "{\"segments\":[",
        "\u{1b}]",
        "00:00\n",
        "1\n",
        "\"",
        "\t",
        "0,0,0\n",
        "-->",
        "A 0:00\n",
        "<|",
        "\n",
        "é",
    ] {
        let note = VoiceNote::transcript(&long(part));
        assert!(note.segments().len() < 3 << 16);
    }
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

const WORDS: &str = "[A-Z][a-zé]{1,6}( [a-z0-9,'-]{1,7}[a-z]){1,5}[.!?]";

/// Segments as a recorder would have heard them.
fn heard() -> impl Strategy<Value = Vec<(u32, u32, Option<String>, String)>> {
    let name =
        proptest::option::of(prop_oneof![Just("Ines"), Just("Omar Reyes"), Just("SPEAKER_02")].prop_map(str::to_owned));
    let segment = (0u32..2_000, 1u32..9_000, name, WORDS);
    proptest::collection::vec(segment, 1..8).prop_map(|segments| {
        let mut at = 0;
        let mut heard: Vec<(u32, u32, Option<String>, String)> = Vec::new();
        for (index, (pause, length, name, words)) in segments.into_iter().enumerate() {
            at += pause;
            heard.push((at, at + length, name, format!("{words} {index}.")));
            at += length;
        }
        heard
    })
}

fn clock(milliseconds: u32, point: char) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

type Heard = (u32, u32, Option<String>, String);

/// Formats that keep times, names and words.
const NAMED_FORMATS: [fn(&Heard) -> String; 4] = [
    |(start, end, name, words)| {
        let voice = name.as_ref().map_or(String::new(), |name| format!("<v {name}>"));
        format!("{} --> {}\n{voice}{words}\n\n", clock(*start, '.'), clock(*end, '.'))
    },
    |(start, end, name, words)| {
        let (start, end) = (f64::from(*start) / 1000.0, f64::from(*end) / 1000.0);
        format!("{}\n", serde_json::json!({ "start": start, "end": end, "speaker": name, "text": words }))
    },
    |(start, end, name, words)| format!("{start},{end},{},\"{words}\"\n", name.as_deref().unwrap_or_default()),
    |(start, end, name, words)| format!("{start}\t{end}\t{}\t{words}\n", name.as_deref().unwrap_or_default()),
];
const NAMED_HEADS: [&str; 4] = ["WEBVTT\n\n", "", "start_ms,end,speaker,text\n", "start_ms\tend\tspeaker\ttext\n"];

/// Formats that keep times and words.
const FORMATS: [fn(&Heard) -> String; 5] = [
    |(start, end, _, words)| format!("7\n{} --> {}\n{words}\n\n", clock(*start, ','), clock(*end, ',')),
    |(start, end, _, words)| format!("{},{}\n{words}\n\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| format!("[{} --> {}]  {words}\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| format!("[{} -> {}] {words}\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| {
        format!("[{:.3}s -> {:.3}s] {words}\n", f64::from(*start) / 1000.0, f64::from(*end) / 1000.0)
    },
];

proptest! {
    #[test]
    fn what_was_heard_is_read_back(heard in heard()) {
        let expected = |named: bool| heard.iter().map(|(start, end, name, words)| {
            let name = name.clone().filter(|_| named);
            (Some(f64::from(*start) / 1000.0), Some(f64::from(*end) / 1000.0), name, words.clone())
        }).collect::<Vec<_>>();
        let read = |text: &str| VoiceNote::transcript(text).segments().iter().map(|segment| {
            (segment.start, segment.end, segment.speaker.clone(), segment.text.clone())
        }).collect::<Vec<_>>();
        for (head, format) in NAMED_HEADS.iter().zip(NAMED_FORMATS) {
            let text = format!("{head}{}", heard.iter().map(format).collect::<String>());
            prop_assert_eq!(read(&text), expected(true), "{}", text);
        }
        for format in FORMATS {
            let text = heard.iter().map(format).collect::<String>();
            prop_assert_eq!(read(&text), expected(false), "{}", text);
        }
    }

    #[test]
    fn any_text_gives_words_of_its_own_and_times_in_order(
        text in "(\\[[0-9:.> -]{0,12}\\]|[0-9]{1,3}:[0-9]{2}|[A-Z][a-z]{0,5}:| --> |<v [A-Z]>|\\[Music\\]|WEBVTT|NOTE|>>|\\{\"|\"text\":\"|\t|,|;|\r| |\n|\\PC{0,8}){0,30}",
    ) {
        let note = VoiceNote::transcript(&text);
        for segment in note.segments() {
            prop_assert!(!segment.text.is_empty());
            prop_assert!(segment.start.is_none_or(|start| start.is_finite() && start >= 0.0));
            prop_assert!(segment.end.is_none_or(|end| end.is_finite() && segment.start.unwrap() <= end));
            // A tag, an entity or a remark may have stood within a word.
            let mut letters = text.chars().filter(|sign| sign.is_alphanumeric());
            let mut words = segment.text.chars().filter(|sign| sign.is_alphanumeric());
            prop_assert!(words.all(|word| letters.any(|letter| letter == word)), "{:?}", segment);
        }
    }
}
