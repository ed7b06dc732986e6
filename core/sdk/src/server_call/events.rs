//! Reads a streamed chat completion: server-sent events, as OpenAI-compatible servers write them.

use serde::Deserialize;

use crate::Error;

/// The most bytes of a reply.
const MOST_BYTES: usize = 16 << 20;
/// The most bytes of one event.
const MOST_LINE_BYTES: usize = 1 << 20;

/// What an event adds to the answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Delta {
    pub text: String,
    pub end: Option<End>,
    /// Tokens of the prompt and of the answer.
    pub usage: Option<(usize, usize)>,
}

/// Why the answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    MaxTokens,
}

/// The reply so far.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    received: usize,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: usize,
    delta: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: usize,
    #[serde(default)]
    completion_tokens: usize,
}

impl Events {
    /// Takes the next bytes, which may end anywhere, and returns what they complete.
    ///
    /// # Errors
    /// [`Error::ServerAnswer`] for what is no chat completion, or too long for one.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Delta>, Error> {
        self.received += bytes.len();
        if self.received > MOST_BYTES {
            return Err(Error::server_answer("it does not end"));
        }
        let mut deltas = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.len() > MOST_LINE_BYTES {
                return Err(Error::server_answer("an event does not end"));
            }
            if part.ends_with(b"\n") {
                deltas.extend(delta(&std::mem::take(&mut self.line))?);
            }
        }
        Ok(deltas)
    }
}

/// What a line adds; nothing if it has no data.
fn delta(line: &[u8]) -> Result<Option<Delta>, Error> {
    let not_events = || Error::server_answer("it is not a stream of events");
    let line = std::str::from_utf8(line).map_err(|_| not_events())?.trim_end_matches(['\r', '\n']);
    let Some((field, data)) = line.split_once(':') else {
        return if line.is_empty() { Ok(None) } else { Err(not_events()) };
    };
    match (field, data.trim()) {
        ("data", "[DONE]") | ("" | "event" | "id" | "retry", _) => Ok(None),
        ("data", data) => {
            let chunk: Chunk =
                serde_json::from_str(data).map_err(|_| Error::server_answer("an event is not a chat completion"))?;
            chunk.delta().map(Some)
        }
        _ => Err(not_events()),
    }
}

impl Chunk {
    fn delta(self) -> Result<Delta, Error> {
        if self.error.is_some() {
            return Err(Error::server_answer("the server reports an error in place of an answer"));
        }
        let mut delta = Delta::default();
        for Choice { delta: content, finish_reason, .. } in self.choices.into_iter().filter(|choice| choice.index == 0)
        {
            delta.text.push_str(&content.and_then(|delta| delta.content).unwrap_or_default());
            delta.end = match finish_reason.as_deref() {
                None => delta.end,
                Some("stop") => Some(End::Complete),
                Some("length") => Some(End::MaxTokens),
                Some(_) => return Err(Error::server_answer("the server withholds an answer, or calls a tool")),
            };
        }
        delta.usage = self.usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        Ok(delta)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REPLY: &str = ": hello\r\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n\
        event: message\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Zo\u{eb} \"},\"finish_reason\":null}]}\n\n\
        data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"wird \u{1f600}\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n\
        data: [DONE]\n\n";

    fn read(parts: &[&[u8]]) -> Result<Delta, Error> {
        let (mut events, mut whole) = (Events::default(), Delta::default());
        for part in parts {
            for delta in events.read(part)? {
                whole.text.push_str(&delta.text);
                whole.end = delta.end.or(whole.end);
                whole.usage = delta.usage.or(whole.usage);
            }
        }
        Ok(whole)
    }

    proptest! {
        #[test]
        fn bytes_may_be_cut_anywhere(cuts in proptest::collection::vec(0..REPLY.len(), 0..20)) {
            let mut cuts = cuts;
            cuts.extend([0, REPLY.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|ends| &REPLY.as_bytes()[ends[0]..ends[1]]).collect();
            let expected = Delta { text: "Zo\u{eb} wird \u{1f600}".into(), end: Some(End::Complete), usage: Some((7, 3)) };
            prop_assert_eq!(read(&parts), Ok(expected));
        }

        #[test]
        fn whatever_bytes_come_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[b"data: ", &bytes, b"\n", &bytes, b"\n"]);
        }
    }

    #[test]
    fn what_is_no_completion_is_refused_without_its_words() {
        for reply in [
            "<html>secret</html>\n",
            "{\"choices\":[{\"message\":{\"content\":\"secret\"}}]}\n",
            "data: secret\n",
            "data: {\"choices\": 7, \"secret\": 1}\n",
            "data: {\"error\":{\"message\":\"secret\"}}\n",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n",
            "secret\n",
        ] {
            let refused = read(&[reply.as_bytes()]);
            let Err(Error::ServerAnswer { why }) = &refused else { panic!("{reply}: {refused:?}") };
            assert!(!why.contains("secret"), "{why}");
        }
        assert!(read(&[b"data: \xff\n"]).is_err());
    }

    #[test]
    fn a_reply_without_end_is_given_up() {
        assert!(read(&[&vec![b'x'; MOST_LINE_BYTES + 1]]).is_err());
        let line = [b": ", &vec![b'x'; MOST_LINE_BYTES / 2][..], b"\n"].concat();
        assert!(read(&[&line[..]; 8]).is_ok());
        assert!(read(&[&line[..]; 2 * MOST_BYTES / MOST_LINE_BYTES]).is_err());
    }
}
