//! Any text as a transcript.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sotto::VoiceNote;

fuzz_target!(|text: &str| {
    let note = VoiceNote::transcript(text);
    for (index, segment) in note.segments().iter().enumerate() {
        assert_eq!(segment.id as usize, index + 1);
        assert!(!segment.text.is_empty());
        assert!(segment.start.is_none_or(|start| start.is_finite() && start >= 0.0));
        assert!(segment.end.is_none_or(|end| end.is_finite() && segment.start.is_some_and(|start| start <= end)));
    }
});
