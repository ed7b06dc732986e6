//! A template's source: what of it is text, and what minijinja reads otherwise than Jinja.

use super::budget::{JOINED, LIMITED, REPEATED};

/// What a piece of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text outside of tags.
    Text,
    Comment,
    /// `{{`, `{%`, with the sign that may follow.
    Begin,
    End,
    Space,
    /// A name, a keyword or a number.
    Word,
    /// A string with its quotes.
    Literal,
    Open,
    Close,
    Symbol,
}

/// A piece of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
}

impl Token<'_> {
    fn is(&self, kind: Kind, text: &str) -> bool {
        self.kind == kind && self.text == text
    }
}

/// A source with the line ends that Jinja makes of any others.
pub(super) fn with_line_feeds(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\r', "\n")
}

/// The pieces of a source; put together, they are the source.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { rest: source, tokens: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.text();
        lexer.comment_or_tag();
    }
    lexer.tokens
}

/// A source for minijinja: its texts and strings changed by `change`, without `{% generation %}`, with `%` behind a string as a
/// filter. What operators join, what other filters get, and text that tags repeat goes through filters that count it.
pub(super) fn rewritten(tokens: &[Token<'_>], change: impl Fn(&str) -> String) -> String {
    let closing = closing_brackets(tokens);
    let mut result = String::new();
    // Where operands end, and what comes there.
    let mut ends: Vec<(usize, String)> = Vec::new();
    let mut statement = 0;
    let mut at = 0;
    while at < tokens.len() {
        while let Some((_, closing)) = ends.pop_if(|(end, _)| *end <= at) {
            result.push_str(&closing);
        }
        if let Some(end) = joined_operand(tokens, &closing, at) {
            result.push('(');
            ends.push((end, format!("|{JOINED})")));
        }
        match tokens[at].kind {
            Kind::Literal if is_name(tokens[at].text) => result.push_str(tokens[at].text),
            Kind::Text | Kind::Literal => result.push_str(&change(tokens[at].text)),
            Kind::Symbol if tokens[at].text == "|" && !is_cheap(tokens, at) => {
                result.extend(["|", LIMITED, "|"]);
            }
            Kind::Word if opens_statement(tokens, at) => {
                statement = at;
                result.push_str(statement_name(tokens[at].text));
            }
            Kind::End if repeated_text(tokens, statement) > 0 => {
                let (end, bytes) = (tokens[at].text, repeated_text(tokens, statement));
                result.push_str(&format!("{end}{{% if {bytes}|{REPEATED} %}}{{% endif {end}"));
                statement = 0;
            }
            _ => result.push_str(tokens[at].text),
        }
        if let Some(operator) = percent_after(tokens, at) {
            result.push_str("|percent(");
            ends.push((operand_end(tokens, &closing, operator + 1), ")".to_owned()));
            at = operator;
        }
        at += 1;
    }
    result.extend(ends.into_iter().rev().map(|(_, closing)| closing));
    result
}

/// Where the operand that begins at `at` ends, if one begins there that `~` or `+` joins to another.
fn joined_operand(tokens: &[Token<'_>], closing: &[usize], at: usize) -> Option<usize> {
    let before = tokens[..at].iter().rfind(|token| token.kind != Kind::Space)?;
    let begins = match (tokens[at].kind, before.kind) {
        (Kind::Word, Kind::Close | Kind::Literal) => false,
        (Kind::Word | Kind::Literal, Kind::Symbol) => ![".", "|"].contains(&before.text),
        (Kind::Open, Kind::Symbol) => before.text != ".",
        (Kind::Open, Kind::Word) => is_keyword(before.text),
        (Kind::Word | Kind::Literal, Kind::Word) => is_keyword(before.text),
        (Kind::Word | Kind::Literal | Kind::Open, Kind::Begin | Kind::Open) => true,
        _ => false,
    };
    if !begins || tokens[at].kind == Kind::Word && is_keyword(tokens[at].text) {
        return None;
    }
    let end = operand_end(tokens, closing, at);
    let joins = |token: &Token<'_>| token.is(Kind::Symbol, "~") || token.is(Kind::Symbol, "+");
    let is_joined = joins(before) || tokens.get(skip_space(tokens, end)).is_some_and(joins);
    is_joined.then_some(end)
}

/// The bytes of text between the tag whose first word is at `at` and its end, if it is one whose text may be repeated.
fn repeated_text(tokens: &[Token<'_>], at: usize) -> usize {
    let end = match tokens[at].text {
        "for" => "endfor",
        "macro" => "endmacro",
        "call" => "endcall",
        _ => return 0,
    };
    let (mut depth, mut bytes) = (0, 0);
    for index in at..tokens.len() {
        let token = tokens[index];
        match token.kind {
            Kind::Text => bytes += token.text.len(),
            Kind::Word if token.text == tokens[at].text && opens_statement(tokens, index) => depth += 1,
            Kind::Word if token.text == end && opens_statement(tokens, index) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    bytes
}

/// Whether the filter after the `|` at `at` looks at no more of a value than its length.
fn is_cheap(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(skip_space(tokens, at + 1)).is_some_and(|name| ["length", "count"].contains(&name.text))
}

/// Words after which a value may begin.
fn is_keyword(word: &str) -> bool {
    ["in", "not", "and", "or", "if", "elif", "else", "is", "set", "for", "with", "do"].contains(&word)
}

/// Whether a string may be the name of a role or of something that a message has.
fn is_name(literal: &str) -> bool {
    literal.trim_matches(['\'', '"']).chars().all(is_word)
}

/// `{% generation %}` marks what a model is trained on; for rendering it means nothing. As `if true` it leaves the white
/// space around it to the same rules.
fn statement_name(name: &str) -> &str {
    match name {
        "generation" => "if true",
        "endgeneration" => "endif",
        other => other,
    }
}

/// Whether the token at `at` is the first word of a `{% %}` tag.
fn opens_statement(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rev().find(|token| token.kind != Kind::Space);
    before.is_some_and(|token| token.kind == Kind::Begin && token.text.starts_with("{%"))
}

/// Where a `%` comes after the string at `at`.
fn percent_after(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let next = skip_space(tokens, at + 1);
    let is_percent = tokens[at].kind == Kind::Literal && tokens.get(next)?.is(Kind::Symbol, "%");
    is_percent.then_some(next)
}

/// Where the operand that begins at `at` ends: a value with its attributes, calls and filters.
fn operand_end(tokens: &[Token<'_>], closing: &[usize], at: usize) -> usize {
    let mut end = skip_space(tokens, at);
    let mut wants_value = true;
    while let Some(token) = tokens.get(end) {
        let next = match token.kind {
            Kind::Symbol if wants_value && token.text == "-" => end + 1,
            Kind::Symbol if !wants_value && [".", "|"].contains(&token.text) => {
                wants_value = true;
                skip_space(tokens, end + 1)
            }
            Kind::Word | Kind::Literal if wants_value => {
                wants_value = false;
                end + 1
            }
            Kind::Open if wants_value || token.text != "{" => {
                wants_value = false;
                closing[end] + 1
            }
            _ => break,
        };
        end = next;
    }
    end
}

fn skip_space(tokens: &[Token<'_>], at: usize) -> usize {
    at + tokens.iter().skip(at).take_while(|token| token.kind == Kind::Space).count()
}

/// For each opening bracket, where it is closed.
fn closing_brackets(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut closing = vec![tokens.len(); tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => open.push(at),
            Kind::Close => {
                if let Some(opened) = open.pop() {
                    closing[opened] = at;
                }
            }
            Kind::End => open.clear(),
            _ => {}
        }
    }
    closing
}

struct Lexer<'a> {
    rest: &'a str,
    tokens: Vec<Token<'a>>,
}

impl Lexer<'_> {
    fn take(&mut self, kind: Kind, length: usize) {
        let (text, rest) = self.rest.split_at(length);
        if !text.is_empty() {
            self.tokens.push(Token { kind, text });
        }
        self.rest = rest;
    }

    /// Takes characters as long as they are like this.
    fn take_while(&mut self, kind: Kind, is_part: impl Fn(char) -> bool) {
        self.take(kind, self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len()));
    }

    fn text(&mut self) {
        let is_begin = |at: &usize| ["{{", "{%", "{#"].iter().any(|begin| self.rest[*at..].starts_with(begin));
        let end = self.rest.match_indices('{').map(|(at, _)| at).find(is_begin);
        self.take(Kind::Text, end.unwrap_or(self.rest.len()));
    }

    fn comment_or_tag(&mut self) {
        if self.rest.starts_with("{#") {
            self.take(Kind::Comment, self.rest.find("#}").map_or(self.rest.len(), |end| end + 2));
        } else if !self.rest.is_empty() {
            let first = self.tokens.len();
            self.tag(if self.rest.starts_with("{%") { "%}" } else { "}}" });
            if self.is_raw(first) {
                self.take(Kind::Text, self.end_of_raw());
            }
        }
    }

    fn tag(&mut self, end: &str) {
        self.take(Kind::Begin, 2 + usize::from(self.rest[2..].starts_with(['-', '+'])));
        let mut depth = 0_usize;
        while let Some(character) = self.rest.chars().next() {
            let unsigned = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
            if depth == 0 && unsigned.starts_with(end) {
                return self.take(Kind::End, self.rest.len() - unsigned.len() + end.len());
            }
            match character {
                '(' | '[' | '{' => {
                    depth += 1;
                    self.take(Kind::Open, 1);
                }
                ')' | ']' | '}' => {
                    depth = depth.saturating_sub(1);
                    self.take(Kind::Close, 1);
                }
                '\'' | '"' => self.take(Kind::Literal, literal_length(self.rest, character)),
                _ if character.is_whitespace() => self.take_while(Kind::Space, char::is_whitespace),
                _ if is_word(character) => self.take_while(Kind::Word, is_word),
                _ => self.take(Kind::Symbol, character.len_utf8()),
            }
        }
    }

    /// Whether the tag whose first token is `first` begins text that is not to be read.
    fn is_raw(&self, first: usize) -> bool {
        let mut tag = self.tokens[first..].iter().filter(|token| token.kind != Kind::Space);
        tag.next().is_some_and(|begin| begin.text.starts_with("{%"))
            && tag.next().is_some_and(|word| word.is(Kind::Word, "raw"))
    }

    fn end_of_raw(&self) -> usize {
        let is_end = |at: &usize| {
            let tag = self.rest[at + 2..].trim_start_matches(['-', '+']).trim_start();
            tag.starts_with("endraw")
        };
        self.rest.match_indices("{%").map(|(at, _)| at).find(is_end).unwrap_or(self.rest.len())
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The bytes of the string that `text` begins with, quotes included.
fn literal_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minijinja_source(source: &str) -> String {
        rewritten(&tokens(source), |text| text.replace('a', "A"))
    }

    #[test]
    fn texts_and_strings_are_told_from_code() {
        let source =
            "a{# a #}{{ a['a}}\\'a'] ~ {'a ': {}, 'a': 1} }}a{%- raw -%}{{ a }}{%+ endraw %}{% set a = \"a \" %}a{{";
        let expected = "A{# a #}{{ (a['A}}\\'A']|joined) ~ ({'A ': {}, 'a': 1}|joined) }}A{%- raw -%}{{ A }}{%+ endraw %}{% set a = \"A \" %}A{{";
        assert_eq!(minijinja_source(source), expected);
        for odd in
            ["{", "{%", "{{ 'open", "{{ (", "{#", "{% raw %}", "{{ ] }}", "é{{ é 'é' % é }}é", "{{ 'x' %", "{{ '\\"]
        {
            assert_eq!(tokens(odd).iter().map(|token| token.text).collect::<String>(), odd);
            minijinja_source(odd);
        }
    }

    #[test]
    fn what_is_joined_and_filtered_is_counted() {
        let rewritten = |source: &str| rewritten(&tokens(source), str::to_owned);
        for (source, expected) in [
            ("{% set x.y = -x.y[1:]|trim +b %}", "{% set x.y = -(x.y[1:]|limited|trim|joined) +(b|joined) %}"),
            ("{% if not a ~ b is in c %}", "{% if not (a|joined) ~ (b|joined) is in c %}"),
            ("{{ f(a=[b] + [c]) }} + ~", "{{ f(a=([b]|joined) + ([c]|joined)) }} + ~"),
            ("{{ m|length + 1 }}", "{{ (m|length|joined) + (1|joined) }}"),
            ("{%- for a, b in c -%}{% endfor %} x", "{%- for a, b in c -%}{% endfor %} x"),
            (
                "{% for a in b -%} x {% for c in d %}y{% endfor %}{% endfor %}z",
                "{% for a in b -%}{% if 4|repeated %}{% endif -%} x {% for c in d %}{% if 1|repeated %}{% endif %}y{% endfor \
                 %}{% endfor %}z",
            ),
            ("{% macro m(a) %}x{% endmacro %}", "{% macro m(a) %}{% if 1|repeated %}{% endif %}x{% endmacro %}"),
        ] {
            assert_eq!(rewritten(source), expected);
        }
    }

    #[test]
    fn generation_tags_become_tags_that_minijinja_knows() {
        let source = "{%- generation -%}{{ generation }}'{% set generation = 1 %}{%endgeneration%}";
        let expected = "{%- if true -%}{{ generAtion }}'{% set generation = 1 %}{%endif%}";
        assert_eq!(minijinja_source(source), expected.replace("generAtion", "generation"));
    }

    #[test]
    fn percent_after_a_string_becomes_a_filter() {
        let rewritten = |source: &str| rewritten(&tokens(source), str::to_owned);
        for (source, expected) in [
            ("{{ '%s' % m }}", "{{ '%s'|percent( m) }}"),
            (
                "{{ '%s' % m.x[0](1)|upper + 'b' }}",
                "{{ '%s'|percent( (m.x[0](1)|limited|upper|joined)) + ('b'|joined) }}",
            ),
            ("{{ '%s' %(a, '%d' % -b)~c }}", "{{ '%s'|percent(((a, '%d'|percent( -b))|joined))~(c|joined) }}"),
            ("{{ a % 'b' }}", "{{ a % 'b' }}"),
            ("{% if '%' %}", "{% if '%' %}"),
        ] {
            assert_eq!(rewritten(source), expected);
        }
    }
}
