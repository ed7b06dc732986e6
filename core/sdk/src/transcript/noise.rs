//! Removes parts of a transcript that are not speech: `[Music]`, `(inaudible)`, `[BLANK_AUDIO]`, `♪`.

use std::borrow::Cow;

/// The maximum length of a remark in brackets, in bytes.
const LONGEST_REMARK: usize = 80;

const BRACKETS: [(&str, &str); 9] = [
    ("<|", "|>"),
    ("[", "]"),
    ("(", ")"),
    ("*", "*"),
    ("【", "】"),
    ("（", "）"),
    ("［", "］"),
    ("〔", "〕"),
    ("{\\", "}"),
];

/// What a bracket begins with.
const OPENING: [char; 9] = ['<', '[', '(', '*', '【', '（', '［', '〔', '{'];

/// Words for sounds. A remark with only these words, and possibly some of [`QUALIFIERS`], is not speech.
const SOUNDS: &[&str] = &[
    "applause",
    "audio",
    "beep",
    "beeping",
    "beeps",
    "bell",
    "bleep",
    "breath",
    "breathing",
    "cheering",
    "cheers",
    "chirping",
    "chuckle",
    "chuckles",
    "chuckling",
    "clapping",
    "clears",
    "click",
    "clicking",
    "cough",
    "coughing",
    "coughs",
    "crosstalk",
    "crying",
    "foreign",
    "gasp",
    "gasps",
    "groans",
    "hum",
    "humming",
    "inaudible",
    "indistinct",
    "laugh",
    "laughing",
    "laughs",
    "laughter",
    "mumbles",
    "mumbling",
    "music",
    "noise",
    "nospeech",
    "notimestamps",
    "pause",
    "phone",
    "ringing",
    "sigh",
    "sighing",
    "sighs",
    "silence",
    "silent",
    "singing",
    "sniffs",
    "sobbing",
    "static",
    "transcribe",
    "translate",
    "typing",
    "unclear",
    "unintelligible",
    "whispering",
    "whispers",
    "whistling",
    "wind",
    "yawns",
    "musik",
    "musique",
    "música",
    "musica",
    "muziek",
    "музыка",
    "gelächter",
    "lachen",
    "stille",
    "rires",
    "rire",
    "risas",
    "risate",
    "applaus",
    "applaudissements",
    "aplausos",
    "смех",
    "аплодисменты",
    "音楽",
    "拍手",
    "笑い",
    "笑",
];
const QUALIFIERS: &[&str] = &[
    "a",
    "and",
    "background",
    "barking",
    "birds",
    "blank",
    "bright",
    "calm",
    "chatter",
    "continues",
    "dog",
    "door",
    "dramatic",
    "ends",
    "fades",
    "gentle",
    "heavy",
    "in",
    "intense",
    "intro",
    "language",
    "light",
    "loud",
    "music",
    "no",
    "of",
    "ominous",
    "outro",
    "playing",
    "plays",
    "quiet",
    "sad",
    "slow",
    "soft",
    "speaking",
    "speech",
    "stops",
    "the",
    "throat",
    "upbeat",
];

/// The speech in `text`, without remarks; empty if there is none.
pub(super) fn speech(text: &str) -> String {
    let text = without_songs(text);
    let mut said = String::with_capacity(text.len());
    // Whether anything stands outside square brackets: what stands in them alone is a remark, whatever its words.
    let mut is_spoken = false;
    let mut rest = &*text;
    while let Some(at) = rest.find(OPENING) {
        let (before, from_bracket) = rest.split_at(at);
        is_spoken = is_spoken || has_words(before);
        said.push_str(before);
        let remark = remark(from_bracket);
        let (piece, after) =
            from_bracket.split_at(remark.map_or(from_bracket.chars().next().map_or(0, char::len_utf8), str::len));
        match remark {
            Some(remark) if is_noise(remark) => said.push(' '),
            Some(remark) => {
                is_spoken = is_spoken || (!remark.starts_with(['[', '［', '【']) && has_words(remark));
                said.push_str(piece);
            }
            None => said.push_str(piece),
        }
        rest = after;
    }
    is_spoken = is_spoken || has_words(rest);
    said.push_str(rest);
    match is_spoken && has_words(&said) {
        true => said.split_whitespace().collect::<Vec<_>>().join(" "),
        false => String::new(),
    }
}

fn has_words(text: &str) -> bool {
    text.contains(is_word_character)
}

fn is_word_character(sign: char) -> bool {
    // An emoji is also an answer.
    sign.is_alphanumeric() || matches!(sign, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}')
}

/// The remark in brackets that `text` begins with, brackets and all.
fn remark(text: &str) -> Option<&str> {
    let (open, close) = BRACKETS.iter().find(|(open, _)| text.starts_with(open))?;
    let most = text.floor_char_boundary(LONGEST_REMARK + open.len());
    let (inner, _) = text[open.len()..most].split_once(close)?;
    (!inner.contains(open)).then(|| &text[..open.len() + inner.len() + close.len()])
}

fn is_noise(remark: &str) -> bool {
    let Some((open, close)) = BRACKETS.iter().find(|(open, _)| remark.starts_with(open)) else { return false };
    let inner = &remark[open.len()..remark.len() - close.len()];
    let is_token = || {
        inner.contains('_')
            && inner.chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_')
    };
    match *open {
        // Whisper's own tokens, and a subtitle's place on the screen.
        "<|" => inner.starts_with(|first: char| first.is_ascii_digit()) || inner.len() == 2 || is_sound(inner),
        "{\\" => true,
        "[" => is_token() || is_sound(inner),
        _ => is_sound(inner),
    }
}

fn is_sound(words: &str) -> bool {
    let words = words.to_lowercase();
    let words = || words.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_known = |word: &str| {
        SOUNDS.contains(&word) || QUALIFIERS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words().any(|word| SOUNDS.contains(&word)) && words().all(is_known)
}

/// Leaves out what is sung: what stands between two notes, or after a note that it begins with.
fn without_songs(text: &str) -> Cow<'_, str> {
    const NOTES: [char; 4] = ['♪', '♫', '♩', '♬'];
    if !text.contains(NOTES) {
        return Cow::Borrowed(text);
    }
    let pieces = text.split(NOTES).enumerate().filter(|(index, piece)| *index == 0 || !piece.trim().is_empty());
    let pieces: Vec<&str> = pieces.map(|(_, piece)| piece).collect();
    let begins_sung = pieces.len() == 2 && pieces[0].trim().is_empty();
    let outside =
        pieces.iter().enumerate().filter(|(index, _)| index % 2 == 0 || (*index + 1 == pieces.len() && !begins_sung));
    Cow::Owned(outside.map(|(_, piece)| *piece).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_no_speech() {
        for text in [
            "[Music]",
            "[MUSIC PLAYING]",
            "[BLANK_AUDIO]",
            "(inaudible)",
            "[inaudible 00:04:10]",
            "*laughs*",
            "(upbeat music)",
            "♪",
            "♪ la la la ♪",
            "♪♪ la",
            "[ Silence ]",
            "[door slams]",
            "[Music] [door slams]",
            "<|nospeech|>",
            "<|0.00|><|3.50|>",
            "…",
            "...",
            "",
            "(笑)",
            "[Musik]",
            "【音楽】",
            "- ",
            "{\\an8}",
        ] {
            assert_eq!(speech(text), "", "{text}");
        }
    }

    #[test]
    fn speech_stays_as_it_was_said() {
        for text in [
            "Buy 2 [l] of milk",
            "the lesson (music school on Monday)",
            "a * b * c",
            "[x] buy milk",
            "call (maybe) Tom",
            "👍",
            "5",
            "買う",
            "[an opening bracket",
            "see note [1] and (2)",
            "2 * 3 = 6",
            "**Bold** words",
        ] {
            assert_eq!(speech(text), text);
        }
    }

    #[test]
    fn remarks_are_cut_out_of_speech() {
        for (text, said) in [
            ("Nadia will [laughs] order it (coughs).", "Nadia will order it ."),
            ("Order it. [SPEAKER_TURN]", "Order it."),
            ("[Order it. [SPEAKER_TURN]", "[Order it."),
            ("♪ la la ♪ Good morning", "Good morning"),
            ("Good ♪ morning", "Good morning"),
            ("<|en|><|transcribe|><|0.00|> Buy milk.<|2.00|>", "Buy milk."),
            ("{\\an8}Buy milk.", "Buy milk."),
        ] {
            assert_eq!(speech(text), said);
        }
    }
}
