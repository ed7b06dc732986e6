//! Which waiting requests share the next pass, and with how many tokens each.

use std::cmp::Reverse;

use smallvec::SmallVec;

use super::Priority;
use crate::forward::{CHUNK, USUAL_SEQUENCES};

/// A request with at most this many tokens left takes part in a pass as a whole: decode, with guesses.
const SHORT: usize = 32;
/// The number of tokens of a prompt that are read beside others' decode, so that these go on smoothly.
const BESIDE_DECODE: usize = 32;
/// The number of tokens of background work that are read beside what a person waits for.
const BESIDE_FOREGROUND: usize = 8;
/// So many passes without a request, and it goes first in the next.
const PATIENCE: u32 = 16;

/// What a waiting request asks of the next pass.
pub(super) struct Asked<Adapters> {
    /// In the order in which requests came.
    pub number: u64,
    /// Tokens that are still to be read.
    pub tokens: usize,
    pub priority: Priority,
    /// What it computes with.
    pub adapters: Adapters,
    /// The number of passes, since it came or last took part, that ran without it.
    pub passed_over: u32,
    /// It takes a pass of its own.
    pub alone: bool,
}

/// Requests by their index, each with the number of tokens that it reads in the next pass.
pub(super) type Plan = SmallVec<[(usize, usize); USUAL_SEQUENCES]>;

/// Plans a pass. The first request in it is the one that has waited too long, is the most urgent, or came first. Others that compute with
/// the same adapters join it: those that decode, then prompts, in pieces.
pub(super) fn plan<Adapters: PartialEq>(waiting: &[Asked<Adapters>]) -> Plan {
    let turn = |asked: &Asked<Adapters>| (asked.passed_over < PATIENCE, Reverse(asked.priority), asked.number);
    let mut plan = Plan::new();
    let Some(first) = waiting.iter().min_by_key(|asked| turn(asked)) else { return plan };
    let is_first = |other: &Asked<Adapters>| other.number == first.number;
    let joins = |other: &Asked<Adapters>| match first.alone || other.alone {
        true => is_first(other),
        false => first.adapters == other.adapters,
    };
    let joining = (0..waiting.len()).filter(|&index| joins(&waiting[index]));
    let mut order: SmallVec<[usize; USUAL_SEQUENCES]> = joining.collect();
    order.sort_unstable_by_key(|&index| {
        let asked = &waiting[index];
        (!is_first(asked), !asked.is_short(), turn(asked))
    });

    let mut decoding = order.iter().map(|&index| &waiting[index]).filter(|asked| asked.is_short());
    let is_beside_decode = decoding.any(|asked| asked.priority >= first.priority);
    let mut room = Room {
        priority: first.priority,
        tokens: CHUNK,
        prompt_tokens: if is_beside_decode { BESIDE_DECODE } else { CHUNK },
        less_urgent_tokens: BESIDE_FOREGROUND,
    };
    for index in order {
        match room.take(&waiting[index]) {
            0 => {}
            tokens => plan.push((index, tokens)),
        }
    }
    plan
}

impl<Adapters> Asked<Adapters> {
    /// Whether it takes part in a pass as a whole or not at all.
    fn is_short(&self) -> bool {
        self.tokens <= SHORT
    }
}

/// The room in a pass.
struct Room {
    /// That of the first request.
    priority: Priority,
    tokens: usize,
    /// For prompts, all together.
    prompt_tokens: usize,
    /// For what is less urgent than the first request.
    less_urgent_tokens: usize,
}

impl Room {
    /// The number of tokens that a request reads in this pass, for which room is taken.
    fn take<Adapters>(&mut self, asked: &Asked<Adapters>) -> usize {
        let is_less_urgent = asked.priority < self.priority;
        let room = if is_less_urgent { self.tokens.min(self.less_urgent_tokens) } else { self.tokens };
        let tokens = match asked.is_short() {
            true if asked.tokens <= room => asked.tokens,
            true => 0,
            false => asked.tokens.min(room).min(self.prompt_tokens),
        };
        self.tokens -= tokens;
        if is_less_urgent {
            self.less_urgent_tokens -= tokens;
        }
        if !asked.is_short() {
            self.prompt_tokens -= tokens;
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Background, Foreground};

    fn asked(number: u64, tokens: usize, priority: Priority) -> Asked<u8> {
        Asked { number, tokens, priority, adapters: 0, passed_over: 0, alone: false }
    }

    /// The numbers of those that take part, each with its tokens.
    fn planned(waiting: &[Asked<u8>]) -> Vec<(u64, usize)> {
        plan(waiting).into_iter().map(|(index, tokens)| (waiting[index].number, tokens)).collect()
    }

    #[test]
    fn those_that_decode_share_a_pass_and_prompts_join_in_pieces() {
        assert_eq!(planned(&[]), []);
        assert_eq!(planned(&[asked(1, 300, Foreground)]), [(1, 128)]);
        let decoding = || [asked(1, 1, Foreground), asked(3, 4, Foreground), asked(4, 1, Foreground)];
        assert_eq!(planned(&decoding()), [(1, 1), (3, 4), (4, 1)]);
        let with_prompts: Vec<_> =
            decoding().into_iter().chain([asked(2, 20, Foreground), asked(5, 33, Foreground)]).collect();
        assert_eq!(planned(&with_prompts), [(1, 1), (2, 20), (3, 4), (4, 1), (5, 32)]);
        let prompts = [asked(9, 100, Foreground), asked(7, 90, Foreground), asked(8, 40, Foreground)];
        assert_eq!(planned(&prompts), [(7, 90), (8, 38)]);
    }

    #[test]
    fn what_a_person_waits_for_goes_first_and_the_rest_gets_a_little() {
        let urgent = asked(9, 400, Foreground);
        assert_eq!(planned(&[asked(1, 500, Background), urgent]), [(9, 128)]);
        let urgent = asked(9, 100, Foreground);
        assert_eq!(planned(&[asked(1, 500, Background), urgent]), [(9, 100), (1, 8)]);
        let answering = [asked(1, 500, Background), asked(9, 1, Foreground), asked(2, 1, Background)];
        assert_eq!(planned(&answering), [(9, 1), (2, 1), (1, 7)]);
        let only_background = [asked(1, 500, Background), asked(2, 1, Background)];
        assert_eq!(planned(&only_background), [(1, 32), (2, 1)]);
    }

    #[test]
    fn other_adapters_take_turns_and_nobody_is_left_out_for_ever() {
        let with = |adapters, asked| Asked { adapters, ..asked };
        let waiting = [with(1, asked(2, 1, Foreground)), asked(1, 1, Foreground), with(1, asked(3, 1, Foreground))];
        assert_eq!(planned(&waiting), [(1, 1)]);
        assert_eq!(planned(&waiting[..1]), [(2, 1)]);
        let late = Asked { passed_over: PATIENCE, ..with(1, asked(1, 300, Background)) };
        assert_eq!(planned(&[asked(2, 1, Foreground), late]), [(1, 128)]);
        // Not even when decode fills the pass.
        let decoding = (2..200).map(|number| asked(number, 1, Foreground));
        let waiting: Vec<_> = decoding.chain([asked(1, 300, Foreground)]).collect();
        assert_eq!(planned(&waiting)[0], (1, 32));
        assert_eq!(plan(&waiting).iter().map(|(_, tokens)| tokens).sum::<usize>(), CHUNK);
    }

    #[test]
    fn after_a_failure_each_has_a_pass_of_its_own() {
        let failed = |number| Asked { alone: true, ..asked(number, 1, Foreground) };
        assert_eq!(planned(&[failed(2), failed(1), asked(3, 1, Foreground)]), [(1, 1)]);
        assert_eq!(planned(&[failed(4), asked(3, 1, Foreground)]), [(3, 1)]);
    }
}
