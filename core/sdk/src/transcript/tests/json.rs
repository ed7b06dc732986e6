//! JSON of recognizers.

use serde_json::{Value, json};

use super::*;

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

/// Two speakers of a recording.
fn two_speakers<'a>(one: &'a str, two: &'a str) -> [Said<'a>; 3] {
    [
        (Some(0.25), Some(1.5), Some(one), "The lift is stuck."),
        (Some(1.6), Some(2.5), Some(one), "Ines rings."),
        (Some(3.0), Some(3.75), Some(two), "Good."),
    ]
}

/// The words of [`two_speakers`], with start and end.
const HEARD: [(&str, f64, f64, usize); 7] = [
    ("The", 0.25, 0.5, 0),
    ("lift", 0.5, 0.75, 0),
    ("is", 0.75, 1.0, 0),
    ("stuck.", 1.0, 1.5, 0),
    ("Ines", 1.6, 2.0, 0),
    ("rings.", 2.0, 2.5, 0),
    ("Good.", 3.0, 3.75, 1),
];

fn words(word: impl Fn(&str, f64, f64, usize) -> Value) -> Value {
    HEARD.iter().map(|(text, start, end, speaker)| word(text, *start, *end, *speaker)).collect()
}

const ALL: &str = "The lift is stuck. Ines rings. Good.";

#[test]
fn assembly_ai() {
    let milliseconds = |seconds: f64| (seconds * 1000.0) as u64;
    let letters = ["A", "B"];
    let words = words(
        |text, start, end, speaker| json!({ "text": text, "start": milliseconds(start), "end": milliseconds(end), "confidence": 0.9, "speaker": letters[speaker] }),
    );
    let [one, two, three] = two_speakers("speaker A", "speaker B");
    let document = json!({ "id": "x", "status": "completed", "audio_duration": 4, "text": ALL, "words": words, "utterances": null });
    reads(&document.to_string(), &[one, two, three]);
    let utterances = json!([
        { "speaker": "A", "start": 250, "end": 2500, "confidence": 0.9, "text": "The lift is stuck. Ines rings.", "words": words },
        { "speaker": "B", "start": 3000, "end": 3750, "confidence": 0.9, "text": "Good.", "words": [] },
    ]);
    let document = json!({ "id": "x", "text": ALL, "words": words, "utterances": utterances });
    reads(&document.to_string(), &[(Some(0.25), Some(2.5), one.2, "The lift is stuck. Ines rings."), three]);
}

#[test]
fn deepgram() {
    let words = words(|text, start, end, speaker| {
        let bare = text.trim_end_matches('.').to_lowercase();
        json!({ "word": bare, "start": start, "end": end, "confidence": 0.9, "speaker": speaker, "punctuated_word": text })
    });
    let expected = two_speakers("speaker 0", "speaker 1");
    let alternative = json!({ "transcript": ALL, "confidence": 0.9, "words": words });
    let document = json!({ "metadata": { "duration": 4.0, "channels": 1 }, "results": { "channels": [{ "alternatives": [alternative, { "transcript": "Left." }] }] } });
    reads(&document.to_string(), &expected);
    let sentence = |(start, end, _, text): &Said| json!({ "text": text, "start": start, "end": end });
    let paragraphs = json!([
        { "sentences": expected[..2].iter().map(sentence).collect::<Value>(), "speaker": 0, "num_words": 6, "start": 0.25, "end": 2.5 },
        { "sentences": expected[2..].iter().map(sentence).collect::<Value>(), "speaker": 1, "num_words": 1, "start": 3.0, "end": 3.75 },
    ]);
    let alternative =
        json!({ "transcript": ALL, "words": words, "paragraphs": { "transcript": ALL, "paragraphs": paragraphs } });
    let document = json!({ "results": { "channels": [{ "alternatives": [alternative] }] } });
    reads(&document.to_string(), &expected);
    let utterance = |(start, end, speaker, text): &Said| {
        let number: usize = speaker.map(|name| name.trim_start_matches("speaker ").parse().unwrap()).unwrap();
        json!({ "start": start, "end": end, "channel": 0, "transcript": text, "words": [], "speaker": number, "id": "x" })
    };
    let utterances: Value = expected.iter().map(utterance).collect();
    let document = json!({ "results": { "channels": [{ "alternatives": [alternative] }], "utterances": utterances } });
    reads(&document.to_string(), &expected);
}

#[test]
fn google_speech_to_text() {
    let time = |seconds: f64| format!("{seconds}s");
    let with = |speaker_of: &dyn Fn(usize) -> Value| {
        words(|text, start, end, speaker| {
            let mut word = speaker_of(speaker);
            word["startTime"] = time(start).into();
            word["endTime"] = time(end).into();
            word["word"] = text.into();
            word
        })
    };
    let result = |words: &Value| json!({ "alternatives": [{ "transcript": ALL, "confidence": 0.9, "words": words }, { "transcript": "Left." }], "resultEndTime": "4s", "languageCode": "en-us" });
    let nameless = two_speakers("", "").map(|(start, end, _, text)| (start, end, None, text));
    let plain_words = with(&|_| json!({}));
    reads(&json!({ "results": [result(&plain_words)] }).to_string(), &nameless);
    // The last result says all words again, with their speakers.
    let named = with(&|speaker| json!({ "speakerTag": speaker + 1 }));
    let document = json!({ "done": true, "response": { "results": [result(&plain_words), result(&named)] } });
    reads(&document.to_string(), &two_speakers("speaker 1", "speaker 2"));
    // The second version of the service, and what its Python client stores of the first.
    let offsets = words(
        |text, start, end, speaker| json!({ "startOffset": time(start), "endOffset": time(end), "word": text, "speakerLabel": (speaker + 1).to_string() }),
    );
    reads(&json!({ "results": [result(&offsets)] }).to_string(), &two_speakers("speaker 1", "speaker 2"));
    let parts = |seconds: f64| json!({ "seconds": seconds.floor(), "nanos": seconds.fract() * 1e9 });
    let python =
        words(|text, start, end, _| json!({ "start_time": parts(start), "end_time": parts(end), "word": text }));
    reads(&json!({ "results": [result(&python)] }).to_string(), &nameless);
    // Without times of words, results are told by their texts.
    let texts = json!({ "results": [{ "alternatives": [{ "transcript": "The lift is stuck." }] }, { "alternatives": [{ "transcript": "Good." }] }] });
    reads(&texts.to_string(), &[plain("The lift is stuck."), plain("Good.")]);
}

#[test]
fn aws_transcribe() {
    let mut items = Vec::new();
    for (text, start, end, speaker) in HEARD {
        let speaker = format!("spk_{speaker}");
        items.push(json!({ "type": "pronunciation", "alternatives": [{ "confidence": "0.9", "content": text.trim_end_matches('.') }],
            "start_time": start.to_string(), "end_time": end.to_string(), "speaker_label": speaker }));
        if text.ends_with('.') {
            items.push(json!({ "type": "punctuation", "alternatives": [{ "confidence": "0.0", "content": "." }], "speaker_label": speaker }));
        }
    }
    let transcripts = json!([{ "transcript": ALL }]);
    let document =
        json!({ "jobName": "x", "status": "COMPLETED", "results": { "transcripts": transcripts, "items": items } });
    let [one, two, three] = two_speakers("spk_0", "spk_1");
    reads(&document.to_string(), &[one, two, three]);
    let segments = json!([
        { "id": 0, "transcript": "The lift is stuck. Ines rings.", "start_time": "0.25", "end_time": "2.5", "speaker_label": "spk_0", "items": [0, 1] },
        { "id": 1, "transcript": "Good.", "start_time": "3.0", "end_time": "3.75", "speaker_label": "spk_1", "items": [7] },
    ]);
    let document = json!({ "results": { "transcripts": transcripts, "items": items, "audio_segments": segments } });
    reads(&document.to_string(), &[(Some(0.25), Some(2.5), one.2, "The lift is stuck. Ines rings."), three]);
    let without_times = json!({ "results": { "transcripts": transcripts, "items": [] } });
    reads(&without_times.to_string(), &[plain("The lift is stuck."), plain("Ines rings."), plain("Good.")]);
}
