"""Renders chat templates with Jinja2, set up as `transformers` does it, into templates.json (what templates are made of),
families.json (those of models, from families/) and expressions.json (Python in templates).

    python -m venv VENV && VENV/bin/pip install jinja2==3.1.6
    SOTTO_FIXTURES=... VENV/bin/python core/text/tests/golden/make_templates.py

With SOTTO_FIXTURES set, the Llama 3.2 template from there is rendered too; only what it gives is stored.
"""

import datetime
import json
import os
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

BOS, EOS = "<|begin_of_text|>", "<|eot_id|>"
HERE = pathlib.Path(__file__).parent
FAMILIES = HERE / "families"
NOW = datetime.datetime(2024, 7, 26, 12, 0, tzinfo=datetime.timezone.utc)

TEMPLATES = {
    "headers": """{{- bos_token }}
{%- for m in messages %}
    {{- '<|start_header_id|>' ~ m['role'] ~ '<|end_header_id|>\\n\\n' ~ m['content'] | trim ~ eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
""",
    "chatml": """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""",
    "chatml_default_system": """{%- if messages[0].role != "system" %}
<|im_start|>system
You are helpful.<|im_end|>
{% endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "system" %}
        {{- '<|im_start|>system\\n' + message.content.strip() + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "turns": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    "instruct": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{#- Every other message is the user's. #}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
""",
    "bars": """{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}""",
    "namespace": """{% set ns = namespace(users=0, last='', found=false) %}
{% for m in messages %}
  {% if m.role == 'user' %}
    {% set ns.users = ns.users + 1 %}
    {% set ns.last = m.content %}
    {% set ns.found = true %}
  {% endif %}
{% endfor %}
users={{ ns.users }} found={{ ns.found }} last={{ ns.last | trim }}
{% if ns.users >= 2 %}
several
{% endif %}
end
""",
    "loops": """{% for m in messages %}
{{ loop.index }}/{{ loop.length }} {{ loop.index0 }} {{ loop.revindex }} {{ loop.first }} {{ loop.last }} {{ m.role }}{{ '' if loop.last else ',' }}
{% else %}
none
{% endfor %}
{% for m in messages if m.role != 'assistant' %}[{{ m.role }}]{% endfor %}

{% for m in messages[::-1] %}{{ m.role[0] }}{% endfor %}
""",
    "loop_controls": """{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}({{ m.role }}:{{ m.content | length > 0 }}){% endfor %}""",
    "slices": """{{ messages[-1].content }}|{{ messages[:1] | length }}|{{ messages[1:] | length }}|{{ messages[-1]['role'][:4] }}|{{ messages[0].content[:5] }}|{{ messages[0].content[-3:] }}|{{ (messages | last).role }}|{{ (messages | first)['role'] }}""",
    "string_methods": """{% for m in messages %}{{ m.content.strip() }}|{{ m.content.lstrip() }}|{{ m.content.rstrip('\\n ') }}|{{ m.role.upper() }}|{{ m.role.title() }}|{{ m.role.capitalize() }}|{{ m.content.startswith('H') }}|{{ m.content.endswith('?') }}|{{ m.content.split(' ')[0] }}|{{ m.content.split('</think>')[-1].lstrip('\\n') }}|{{ m.content.replace('e', 'E') }}|{{ m.role.find('s') }}
{% endfor %}""",
    "think": """{%- for m in messages %}
{%- set content = m.content %}
{%- if m.role == 'assistant' and '</think>' in content %}
    {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
    {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
{{- '[' ~ reasoning ~ ']' }}
{%- endif %}
{{- m.role ~ ':' ~ content ~ '\\n' }}
{%- endfor %}
""",
    "tests": """{% for m in messages %}{{ m.content is string }} {{ m.content is iterable }} {{ m.content is mapping }} {{ m is mapping }} {{ m.tool_calls is defined }} {{ m.name is not defined }} {{ tools is none }} {{ tools is defined }} {{ nothing is defined }} {{ 'role' in m }} {{ 'name' in m }} {{ m.role in ['user', 'assistant'] }} {{ loop.index is odd }} {{ loop.index0 is even }} {{ loop.index is divisibleby 3 }} {{ m.role == 'user' and not loop.last }} {{ none }} {{ true }} {{ 1.5 }} {{ 7 // 2 }} {{ 7 % 3 }} {{ -7 // 2 }} {{ 2 ** 3 }}
{% endfor %}""",
    "json": """{{ messages | tojson }}
{{ messages | tojson(indent=4) }}
{{ messages[0] | tojson(indent=2) }}
{{ {'a': [1, 2.5, true, none], 'b': {}, 'c': [], 'd': "<&>'\\"\\\\\\n\\t"} | tojson }}
{{ {'a': [1, {'x': []}], 'b': {}} | tojson(indent=2) }}
""",
    "macro": """{% macro turn(role, content, end=eos_token) -%}
<{{ role }}>{{ content | trim }}{{ end }}
{%- endmacro %}
{% for m in messages %}{{ turn(m.role, m.content) }}{{ turn(m.role, 'x', end='!') }}
{% endfor %}""",
    "set_blocks": """{% set greeting %}
Hello {{ messages[0].role }}
{% endset %}
{{ greeting | trim }}{{ greeting }}
{%- set items = [] %}{% for m in messages %}{% set x = m.role %}{{ x }};{% endfor %}
{%- set a, b = 1, 2 %}{{ a }}{{ b }}
{%- set d = {'k': 'v', 'n': 1} %}{% for key, value in d.items() %}{{ key }}={{ value }} {% endfor %}{{ d.get('k') }}{{ d.get('z', 'none') }}{{ d['k'] }}{{ d.n }}""",
    "filters": """{{ messages | map(attribute='role') | join(', ') }}|{{ messages | selectattr('role', 'equalto', 'user') | list | length }}|{{ messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list }}|{{ undefined_thing | default('fallback') }}|{{ '' | default('empty', true) }}|{{ 'a b' | upper }}|{{ messages[0].role | capitalize }}|{{ ['b', 'a'] | sort | join }}|{{ 'x' | length }}|{{ '5' | int + 1 }}|{{ messages[0].content | replace('a', 'b') }}|{{ [1, 2, 3] | sum }}|{{ (1, 'two') }}|{{ ['a', "b'c"] }}|{{ {'a': 1} }}|{{ 'line\\nline' | indent(2) }}""",
    "whitespace": """  {% if true %}
  kept
    {% for m in messages %}
    - {{ m.role }}  
    {% endfor %}
  {% endif %}
{#- comment -#}
  tail {{- ' joined' -}}   
  {% raw %}{{ raw }}{% endraw %}
last
""",
    "generation": """{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}
{{ m.content }}{% endgeneration %}{% else %}
{{ m.role }}: {{ m.content }}
{% endif %}
    {%- generation -%}
  x
    {%- endgeneration %}
{% endfor %}""",
    "date": """{%- if strftime_now is defined %}{% set date_string = strftime_now("%d %b %Y") %}{% endif %}Today Date: {{ date_string }} {{ strftime_now("%Y-%m-%d") }} {{ strftime_now("%A, %B %d, %Y %H:%M") }} {{ tools is none }}""",
    "ternary": """{{ 'a' if add_generation_prompt else 'b' }}{{ 'only' if false }}{{ ('x' if messages | length > 2 else 'y') ~ messages | length }}{% if not (messages[0].role == 'system') %}no system{% endif %}{{ "quoted \\"text\\"" }}{{ 'it' "s" }}{{ '%s-%s' | format('a', 'b') }}{{ bos_token }}{{ unk_token }}""",
    "raise": """{% if messages | length > 2 %}{{ raise_exception('too many messages') }}{% endif %}ok""",
    "undefined_attribute": """{{ messages[0].nothing }}{{ messages[0].nothing.deeper }}""",
    "nested": """{% for m in messages %}{% for part in m.content.split() %}{{ part }}{% if not loop.last %}_{% endif %}{% endfor %}{{ '\\n' if not loop.last }}{% endfor %}""",
}

CONVERSATIONS = {
    "user": [("user", "Hello there, what is new?")],
    "system": [("system", "  You are brief. \n"), ("user", "Hi")],
    "long": [
        ("system", "Be kind."),
        ("user", "first question?"),
        ("assistant", "<think>\nhm\n</think>\n\nfirst answer"),
        ("user", " second  question\n"),
        ("assistant", "second answer "),
        ("user", "third"),
    ],
    "turns": [("user", "one"), ("assistant", "two"), ("user", "three")],
    "unicode": [
        ("user", "\u00a0Ünïcödé 日本語 🧑\u200d🚀\u2003"),
        ("assistant", "مرحبا \u202e e\u0301 \ufeff"),
        ("user", "tabs\tand \"quotes\" 'single' \\ back\\slash </s> & <b>"),
    ],
    "empty": [("user", "")],
    "two_users": [("user", "a"), ("user", "b")],
}

# What the templates of families are given, each with tools and without.
FAMILY_CONVERSATIONS = {
    "question": [("user", "What is the weather in Oslo?")],
    "instructions": [("system", " Answer in French only. /no_think\n"), ("user", "Hello")],
    "thoughts": [
        ("system", "Be kind."),
        ("user", "first?"),
        ("assistant", "<think>\nlong thoughts\n</think>\n\nYes."),
        ("user", "<tool_response>\nno tool\n</tool_response>"),
        ("assistant", "\n second "),
        ("user", "third /think"),
    ],
    "syntax": [
        ("user", "{{ bos_token }}{% raw %}{# none #}\r\n日本語 🧑\u200d🚀 <b>&'\"\\"),
        ("assistant", ""),
        ("user", ""),
    ],
    "calls": [
        {"role": "system", "content": "Use tools."},
        {"role": "user", "content": "Weather in Oslo and Bergen?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "a1b2c3d4e",
                    "type": "function",
                    "function": {"name": "weather", "arguments": {"city": "Oslo", "days": 2, "parts": ["wind", "<°C>"]}},
                },
            ],
        },
        {"role": "tool", "name": "weather", "tool_call_id": "a1b2c3d4e", "content": '{"celsius": -3.5, "wind": null}'},
        {"role": "assistant", "content": "Cold."},
        {"role": "user", "content": "Thanks."},
    ],
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells the weather: \"now\" & <later>.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "A city’s name"},
                    "days": {"type": "integer", "default": 1, "minimum": 0.5},
                    "parts": {"type": "object", "additionalProperties": {"type": "string"}},
                    "unit": {"type": ["string", "integer"], "enum": ["C", "F", None, True]},
                },
                "required": ["city"],
            },
            "return": {"type": "object"},
        },
    },
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]


# Python in templates, with `m` a text, `t` a text of several lines, `d` a dict, and `l` a list.
NAMES = {
    "m": "ab cd",
    "t": " <b>It's</b> é\n\tDoch ß \r\nlast\u2028end ",
    "d": {"b": 1, "a": [1, 2.5, None, True], "items": "é<&>'\"", "c": {}},
    "l": [3, 1, 2],
}
EXPRESSIONS = """
m.rsplit(' ', 1)[0]
m.partition(' ')[2]
m.removeprefix('a')
m.index('b')
'%s!' % m
{'x': 1}|tojson(separators=(',', ':'))
undefined_name|length
m is sequence
m is callable
'a,b,c'.split(',', 1)
'a,b,c'.split(',', maxsplit=1)
'a,b,c'.split(sep=',')
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(',', maxsplit=0)
'a,b,c'.rsplit(',')
' a  b c '.split()
' a  b c '.split(none, 1)
' a  b c '.rsplit(none, 1)
' a  b c '.rsplit()
' a  b c '.rsplit(maxsplit=9)
'abc'.split('')
''.split()
''.split(',')
t.split('\\n')|join('|')
t.splitlines()|join('|')
t.splitlines(true)|join('|')
''.splitlines()
'a\\n'.splitlines()
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
'xxhixx'.strip('x')
'xyhixy'.lstrip('xy')
'xyhixy'.rstrip('yx')
t.strip()
t.lstrip()
t.rstrip()
'\\x1c a \\x1f'.strip()
t|trim
'xxhixx'|trim('x')
'x'.removesuffix('x')
'abcabc'.removesuffix('bc')
'abcabc'.removeprefix('bc')
'abcabc'.find('c')
'abcabc'.find('c', 3)
'abcabc'.find('c', 3, 5)
'abcabc'.find('c', -3)
'éabc'.find('b')
'abcabc'.rfind('b')
'abcabc'.rfind('b', 0, -3)
'abcabc'.find('z')
'abcabc'.index('z')
'abcabc'.rindex('z')
'abcabc'.rindex('a')
''.find('')
'abc'.find('', 9)
'abcabc'.count('bc')
'abcabc'.count('z')
'abcabc'.replace('b', 'x')
'abcabc'.replace('b', 'x', 1)
'abc'.replace('', '-')
'abc'.startswith('ab')
'abc'.startswith(('x', 'a'))
'abc'.endswith(('x', 'bc'))
'abc'.endswith('')
'abc'.startswith(('x', 'y'))
'élan vital'.title()
"it's a dog-house".title()
"it's a dog-house"|title
'hELLO wORLD'.capitalize()
'hELLO wORLD'|capitalize
t.upper()
t.lower()
'aBc'.swapcase()
'STRASSE'.casefold()
'ab'.ljust(5, '.') ~ '|'
'ab'.rjust(5) ~ '|'
'ab'.center(5, '*')
'abc'.center(6, '*')
'-42'.zfill(6)
'42'.zfill(1)
'12'.isdigit()
'1a'.isdigit()
'1a'.isalnum()
'ab'.isalpha()
' '.isspace()
''.isspace()
'AB'.isupper()
'ab'.islower()
', '.join(['a', 'b'])
''.join('abc')
'{} {}'.format('a', 1)
'{1}-{0}'.format('a', 'b')
'{name}'.format(name='x')
'{:>5}|{:05.1f}'.format('ab', 3.14159)
'%s-%s' % ('a', 'b')
'%d%%' % 42
'%05.2f' % 3.14159
'%(x)s' % {'x': 'y'}
'%s' % [1, 2]
'%s' % m.upper() ~ '!'
'%s' % m|upper
('%s' % l[0]) + 'x'
'%s|format' | format(m)
'%s %s' | format('a', 'b')
7 % 3
-7 % 3
7 // 2
-7 // 2
7 / 2
4 / 2
2 ** 10
2 * 3.5
1 + 1.0
1e3
10 // 3.0
7.5 % 2
'ab' * 3
[1] * 2
[1] + [2, 'a']
(1, 2) + (3,)
'a' ~ 1 ~ none ~ true ~ 1.5
1 < 2 < 3
1 < 2 > 3
'a' < 'b'
'a' in 'abc'
'z' not in 'abc'
'a' in ['a']
'a' in d
2 in l
'b' in {'b': none}
not 'a' == 'b'
true and none
'' or 'x'
none or 0
d.b
d['b']
d.get('b')
d.get('z')
d.get('z', 'no')
d.keys()|list
d.values()|list
d.items()|list
d|items|list
d|length
d|list
d['items']
d|dictsort
d|tojson
d|tojson(indent=2)
d|tojson(indent=0)
d|tojson(indent='\\t')
d|tojson(ensure_ascii=true)
d|tojson(true)
d|tojson(sort_keys=true, indent=1)
d|tojson(separators=(',', ':'), indent=1)
'😀\\x7f\\x01'|tojson(ensure_ascii=True)
'<&>\\u2028'|tojson
[]|tojson(indent=2)
[[], {}, [[]]]|tojson(indent=2)
none|tojson
undefined_name|tojson
1.0|tojson
{1: 2}|tojson
(1, 2)|tojson
d
l
(1,)
()
{}
[none, true, 1.0, 'x']
["it's", 'a"b', 'é\\n']
d|string
1.0
0.1 + 0.2
1000000.0
l|sort
l|sort(reverse=true)
l|first
l|last
l|max
l|min
l|sum
l|join('-')
l|reverse|list
'abc'|reverse
l[::-1]
l[::2]
l[-2:]
l[:-1]
l[5:]
'hello'[::-1]
'hello'[1:4:2]
'hello'[-3:-1]
'hello'[1]
'hello'[-1]
'hello'[9]
l[9]
[1, [2, 3]]|tojson
range(3)|list
range(1, 7, 2)|list
range(3, 0, -1)|list
dict(a=1, b=2)
namespace(a=1).a
[{'a': 1}, {'a': 2}]|map(attribute='a')|list
[{'a': 1}, {}]|map(attribute='a', default=0)|list
['a', 'b']|map('upper')|list
[1, 2, 3]|select('odd')|list
[1, 2, 3]|reject('odd')|list
[{'a': 1}, {'b': 2}]|selectattr('a')|list
[{'a': 1}, {'b': 2}]|selectattr('a', 'defined')|list
[{'a': 1}, {'b': 2}]|rejectattr('a', 'defined')|list
[{'a': 1}, {'a': 2}]|selectattr('a', 'equalto', 2)|list
[{'a': 1}, {'a': 2}]|selectattr('a', 'in', [1])|list
[{'a': 1}, {'a': 1}]|groupby('a')|length
['b', 'A']|sort
['a', 'a', 'b']|unique|list
[1, 2, 3]|batch(2)|list
[1, 2, 3]|list|length
none is none
undefined_name is defined
undefined_name is none
undefined_name is undefined
undefined_name is iterable
undefined_name is string
undefined_name is sequence
none is iterable
none is sequence
none is mapping
none is callable
1 is iterable
1 is sequence
1 is number
1.5 is float
1 is integer
true is integer
true is number
true is boolean
m is iterable
m is string
m is mapping
d is mapping
d is sequence
d is iterable
d is string
l is sequence
l is iterable
l is mapping
l is callable
(1, 2) is sequence
range is callable
raise_exception is callable
strftime_now is callable
'a' is in ['a']
'a' is not in ['a']
1 is eq 1
1 is sameas 1
true is true
'a' is lower
undefined_name
undefined_name|default('x')
undefined_name or 'y'
undefined_name == none
undefined_name|trim
undefined_name|join(',')
undefined_name|list
none|default('x')
none|default('x', true)
''|default('x', boolean=true)
'5'|int + 1
'x'|int
'x'|int(7)
'1.5'|float
3.7|int
3.14159|round(2)
2.5|round
2.5|round|int
'a\\nb'|indent(2)
'a\\nb'|indent(2, true)
'a\\n\\nb'|indent(width=2, first=true, blank=true)
'a\\n'|indent(2, first=true)
''|indent(2, true)
'a\\n\\nb\\n'|indent('> ')
'<b>'|escape
'<b>'|e
'<b>'|safe
m|replace('b', 'x')
m|replace('b', 'x', 1)
m|upper|lower
m|length
'é😀'|length
m|list
m|first
m|last
m|count
m|string|length
l.index(2)
l.index(9)
l.count(2)
'x' if false
('x' if false)|length
'yes' if m else 'no'
'a' 'b'
"a\\"b"
'a\\'b'
'\\d\\x41\\u00e9\\t|'
'\\\\n'
'\\101'
-1
- 1 + 2
(1 + 2) * 3
[1, 2,]
{'a': 1,}
true
True
None
False
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%-d %B %Y, %A %j %p %I %y %b %a %%')
m.nothing
m.nothing()
m['nothing']
none.nothing
d.nothing.deeper
1 + 'a'
m + 1
m + none
l + 1
none|length
5|length
""".strip().splitlines()


class Generation(jinja2.ext.Extension):
    """`{% generation %}` as `transformers` has it, without the bookkeeping."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    @staticmethod
    def _body(caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment


def evaluate(expression):
    """None where Python refuses."""
    try:
        return environment().from_string("{{ " + expression + " }}").render(NAMES)
    except Exception:
        return None


def render(source, conversation, add_generation_prompt, tools=None):
    template = environment().from_string(source)
    context = {
        "messages": conversation,
        "documents": None,
        "add_generation_prompt": add_generation_prompt,
        "bos_token": BOS,
        "eos_token": EOS,
    }
    try:
        try:
            return template.render(context, tools=tools)
        except TypeError:
            # A loop over tools that are none: minijinja takes them for an empty list.
            return template.render(context, tools=tools or [])
    except jinja2.exceptions.TemplateError:
        return None


def messages(conversation):
    return [turn if isinstance(turn, dict) else {"role": turn[0], "content": turn[1]} for turn in conversation]


def cases(sources, conversations, tools):
    for template, source in sources.items():
        for name, conversation in conversations.items():
            for with_tools in (False, True) if tools else (False,):
                for add_generation_prompt in (False, True) if not tools else (True,):
                    yield {
                        "template": template,
                        "conversation": name,
                        "tools": with_tools,
                        "add_generation_prompt": add_generation_prompt,
                        "text": render(source, conversation, add_generation_prompt, tools if with_tools else None),
                    }


def write(name, sources, kept, conversations, tools):
    conversations = {name: messages(conversation) for name, conversation in conversations.items()}
    golden = {
        "bos": BOS,
        "eos": EOS,
        "unix_seconds": int(NOW.timestamp()),
        "templates": kept,
        "conversations": conversations,
        "tools": tools,
        "cases": list(cases(sources, conversations, tools)),
    }
    path = HERE / name
    path.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(golden['cases'])} cases in {name}")


def main():
    fixtures = os.environ.get("SOTTO_FIXTURES")
    llama = {}
    if fixtures:
        llama = {"fixture:llama-3.2-instruct.jinja": (pathlib.Path(fixtures) / "llama-3.2-instruct.jinja").read_text()}
    write("templates.json", TEMPLATES | llama, TEMPLATES, CONVERSATIONS, None)
    expressions = {
        "unix_seconds": int(NOW.timestamp()),
        "names": NAMES,
        "answers": [[expression, evaluate(expression)] for expression in EXPRESSIONS],
    }
    (HERE / "expressions.json").write_text(json.dumps(expressions, ensure_ascii=False, indent=1) + "\n")
    families = {path.stem: path.read_text() for path in sorted(FAMILIES.glob("*.jinja"))}
    write("families.json", families | llama, families, FAMILY_CONVERSATIONS, TOOLS)


main()
