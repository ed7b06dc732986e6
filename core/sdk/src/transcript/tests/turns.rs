//! Turns of a meeting, chats, and speakers.

use super::*;

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
fn saved_chats() {
    let expected = [
        (Some(723.0), Some(754.0), Some("Ines Roth"), "The lift is stuck: again. I take the stairs."),
        (Some(754.0), None, Some("omars phone"), "Good."),
    ];
    for text in [
        "00:12:03\t From  Ines Roth : The lift is stuck: again.\n\tI take the stairs.\n00:12:34\t From  omars phone to Everyone : Good.",
        "00:12:03 From Ines Roth to Everyone: The lift is stuck: again. I take the stairs.\n00:12:34 From omars phone to Ines Roth(Direct Message): Good.",
        "2026-01-09 00:12:03 From Ines Roth to Everyone:\n\tThe lift is stuck: again.\n\tI take the stairs.\n2026-01-09 00:12:34 From omars phone to Everyone:\n\tGood.",
    ] {
        reads(text, &expected);
    }
    let of_day = "14:12:03 From Ines to Everyone: The lift is stuck.\n14:12:34 From Omar to Everyone: Good.";
    reads(of_day, &[by("Ines", "The lift is stuck."), by("Omar", "Good.")]);
}
