//! What is asked and answered when a model learns how somebody writes.

use sotto_personal::StyleProfile;
use sotto_text::{Message, Role};
use sotto_training::{CALIBRATION_TEXT, Example, GENERAL_TEXT, Split, TuneTexts, split};

use super::rewrite::rewrite_messages;
use crate::Error;
use crate::loaded::Loaded;

/// Bytes that are read together: a longer text is several.
const LONGEST: usize = 1200;
/// Texts that are held out, at most: more would take long, and tell nothing else.
const MOST_HELD_OUT: usize = 100;
/// What a text of the writer answers.
const WRITE: &str = "Write a message.";

impl Loaded {
    /// Texts as turns of a conversation. Each is learnt twice: as something new, and as another way to say what a plain text says.
    pub(super) fn tune_texts(&self, texts: &[String]) -> Result<TuneTexts, Error> {
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        let Split { train, held_out } = split(&texts)?;
        let of = |places: &[usize]| places.iter().map(|&place| texts[place]).collect::<Vec<_>>();
        let (train, mut held_out) = (of(&train), of(&held_out));
        held_out.truncate(MOST_HELD_OUT);
        let profile = StyleProfile::of(&train);
        let all = |texts: &[&str], is_judged| {
            let lessons = texts.iter().flat_map(|text| parts(text)).map(|text| self.lessons(text, &profile, is_judged));
            Ok::<_, Error>(lessons.collect::<Result<Vec<_>, _>>()?.concat())
        };
        Ok(TuneTexts {
            train: all(&train, false)?,
            held_out: all(&held_out, true)?,
            calibration: self.general_texts(CALIBRATION_TEXT)?,
            general: self.general_texts(GENERAL_TEXT)?,
        })
    }

    fn lessons(&self, text: &str, profile: &StyleProfile, is_judged: bool) -> Result<[Example; 2], Error> {
        let write = [Message::new(Role::User, WRITE)];
        let rewrite = rewrite_messages(&profile.plain(text), profile);
        Ok([self.turn(&write, text, is_judged)?, self.turn(&rewrite, text, is_judged)?])
    }

    /// A conversation whose last answer is learnt. Where it is judged by, its end is left out: that is no matter of style.
    fn turn(&self, messages: &[Message], answer: &str, is_judged: bool) -> Result<Example, Error> {
        let answered = [messages, &[Message::new(Role::Assistant, answer)]].concat();
        let (asked, mut tokens) = (self.prompt(messages, true)?, self.prompt(&answered, false)?);
        let learn_from = asked.iter().zip(&tokens).take_while(|(asked, token)| asked == token).count();
        let ends = self.tokenizer.end_tokens();
        let end = (learn_from..tokens.len()).find(|&place| ends.contains(&tokens[place]));
        let end_token = end.map(|place| tokens[place]).or(ends.first().copied());
        tokens.truncate(end.unwrap_or(tokens.len()));
        tokens.extend(end_token.filter(|_| !is_judged));
        Ok(Example { tokens, learn_from })
    }

    /// Paragraphs: questions with their answers, and others.
    fn general_texts(&self, text: &str) -> Result<Vec<Example>, Error> {
        text.trim().split("\n\n").map(|paragraph| self.general_text(paragraph)).collect()
    }

    fn general_text(&self, paragraph: &str) -> Result<Example, Error> {
        if let Some((question, answer)) = paragraph.split_once('\n') {
            return self.turn(&[Message::new(Role::User, question)], answer, true);
        }
        let tokens = self.leading_bos().into_iter().chain(self.tokenizer.encode(paragraph)?).collect();
        Ok(Example { tokens, learn_from: 1 })
    }
}

/// A text in parts of at most [`LONGEST`] bytes, between words where there are any.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while rest.len() > LONGEST {
        let most = rest.floor_char_boundary(LONGEST);
        let end = rest[..most].rfind(char::is_whitespace).filter(|end| *end > 0).unwrap_or(most);
        found.push(rest[..end].trim_end());
        rest = rest[end..].trim_start();
    }
    found.push(rest);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_model::demo;

    #[test]
    fn the_answer_alone_is_learnt_and_ends_as_answers_do() {
        let model = demo();
        let loaded = model.loaded();
        let messages = [Message::new(Role::User, "Write a message.")];
        let Example { tokens, learn_from } =
            loaded.turn(&messages, "could you send it? ta. m.", false).expect("a turn");
        assert_eq!(tokens[..learn_from], loaded.prompt(&messages, true).expect("a prompt"));
        let (end, answer) = tokens[learn_from..].split_last().expect("an answer");
        assert_eq!(loaded.tokenizer.decode(answer), "could you send it? ta. m.");
        assert!(loaded.tokenizer.end_tokens().contains(end));
        let judged = loaded.turn(&messages, "could you send it? ta. m.", true).expect("a turn");
        assert_eq!(judged.tokens, tokens[..tokens.len() - 1]);
    }

    /// Not a test: what `tools/adapters/loss_curve.py` trains on. `SOTTO_LESSONS` names the model, the texts and the file to write.
    #[test]
    #[ignore = "it writes a file for a program that compares"]
    fn writes_lessons() {
        let files = std::env::var("SOTTO_LESSONS").expect("MODEL,TEXTS,OUTPUT");
        let [model, texts, output] = files.split(',').collect::<Vec<_>>()[..] else { panic!("MODEL,TEXTS,OUTPUT") };
        let model = crate::LocalModel::load(crate::ModelFile::path(model)).expect("a model");
        let texts: Vec<String> = std::fs::read_to_string(texts).expect("texts").lines().map(str::to_owned).collect();
        let TuneTexts { train, held_out, .. } = model.loaded().tune_texts(&texts).expect("texts to learn from");
        let [train, held_out] = [train, held_out].map(|lessons| {
            let json =
                |Example { tokens, learn_from }| serde_json::json!({ "tokens": tokens, "learn_from": learn_from });
            lessons.into_iter().map(json).collect::<Vec<_>>()
        });
        let lessons = serde_json::json!({ "train": train, "held_out": held_out });
        std::fs::write(output, lessons.to_string()).expect("written");
    }

    #[test]
    fn long_texts_are_learnt_in_parts() {
        let words = "wörter ohne ende ".repeat(1000);
        let found = parts(words.trim());
        assert!(
            found
                .iter()
                .all(|part| part.len() <= LONGEST && part.len() > LONGEST / 2 || *part == found[found.len() - 1])
        );
        assert_eq!(found.join(" "), words.trim());
        assert_eq!(parts(&"ä".repeat(1000)).concat(), "ä".repeat(1000));
        assert_eq!(parts("short"), ["short"]);
    }
}
