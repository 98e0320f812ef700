"""Renders chat templates with Jinja2, set up as Hugging Face's apply_chat_template sets it up.

Needs: pip install -r requirements-data.txt
Usage: python make_template_goldens.py java/src/test/resources/golden/data

The templates are small ones of our own, each for the constructs that its comment names and that models' templates are made of, and a
list of single expressions, one for each feature of Jinja and Python that such templates lean on. Today's date is fixed. A conversation
that a template refuses has the message in place of a text.
"""

# A line of a template is one line here too.
# ruff: noqa: E501

import datetime
import json
import pathlib
import sys

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

TODAY = datetime.datetime(2025, 3, 7, 14, 5, 9)

TEMPLATES = {
    # A default in front of the first turn, line breaks inside literals, everything on one line.
    "chatml": (
        "{% for turn in messages %}{% if loop.first and turn['role'] != 'system' %}{{ '<|im_start|>system\n"
        "Answer in one sentence.<|im_end|>\n' }}{% endif %}{{ '<|im_start|>' + turn['role'] + '\n' + turn['content'] + "
        "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    # Names that may be undefined, a list bound anew without its first element, a filter that binds tighter than +, keys in a map.
    "headers": r"""{{- bos_token }}
{%- if not day is defined %}
    {%- set day = strftime_now("%d %b %Y") if strftime_now is defined else "a day" %}
{%- endif %}
{%- if helpers is defined %}
    {%- set tools = helpers %}
{%- endif %}

{#- What comes first stays first. #}
{%- set opening = "" %}
{%- if messages[0]['role'] == 'system' %}
    {%- set opening = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- "[head:rules]\n\n" + "It is " + day + ".\n" }}
{%- if tools is not none %}
    {{- "Tools are at hand.\n" }}
{%- endif %}
{{- opening }}
{{- "[end]" }}

{%- for m in messages %}
    {%- if 'calls' in m %}
        {%- if not m.calls | length == 1 %}
            {{- raise_exception("One call at a time, please") }}
        {%- endif %}
    {%- elif not (m.role == 'tool' or m.role == 'result') %}
        {{- '[head:' + m['role'] + ']\n\n' + m.content | trim + '[end]' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[head:assistant]\n\n' }}
{%- endif %}
""",
    # What stands beside a turn decides about it: neighbours by index, first and last of the loop, attributes that are absent.
    "neighbours": r"""{%- if tools %}
    {%- for tool in tools %}
        {{- tool | tojson ~ "\n" }}
    {%- endfor %}
{%- elif messages[0]['role'] != 'system' %}
    {{- '<rules>\nBe kind.</rules>\n' }}
{%- else %}
    {{- '<rules>\n' + messages[0]['content'] + '</rules>\n' }}
{%- endif %}
{%- for turn in messages %}
    {%- set alone = (loop.index0 == 0) or (messages[loop.index0 - 1].role != turn.role) %}
    {%- if turn.role == "assistant" and (turn.calls or not turn.content) %}
        {{- '<assistant silent>' }}
        {%- if turn.calls %}
            {{- '\n' + turn.calls }}
        {%- endif %}
    {%- elif (turn.role == "user") or (turn.role == "assistant") or (turn.role == "system" and not loop.first) %}
        {{- '<' + turn.role + ('' if alone else ' again') + '>\n' + turn.content }}
        {%- if loop.last or (messages[loop.index0 + 1].role != turn.role) %}
            {{- '</' + turn.role + '>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<assistant>\n' }}
{%- endif %}
""",
    # A search from the end that keeps its result in a namespace; earlier answers lose their thoughts, so that a prefix of a conversation
    # does not render as a prefix.
    "thoughts": r"""{%- set found = namespace(searching=true, question=messages|length - 1) %}
{%- for turn in messages[::-1] %}
    {%- set place = (messages|length - 1) - loop.index0 %}
    {%- if found.searching and turn.role == "user" and turn.content is string and not(turn.content.startswith('<result>') and turn.content.endswith('</result>')) %}
        {%- set found.searching = false %}
        {%- set found.question = place %}
    {%- endif %}
{%- endfor %}
{%- for turn in messages %}
    {%- set said = turn.content if turn.content is string else '' %}
    {%- if turn.role != "assistant" %}
        {{- '<|im_start|>' + turn.role + '\n' + said }}
    {%- else %}
        {%- set thought = '' %}
        {%- if turn.thought is string %}
            {%- set thought = turn.thought %}
        {%- elif '</think>' in said %}
            {%- set thought = said.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
            {%- set said = said.split('</think>')[-1].lstrip('\n') %}
        {%- endif %}
        {%- if loop.index0 > found.question and (loop.last or (not loop.last and thought)) %}
            {{- '<|im_start|>assistant\n<think>\n' + thought.strip('\n') + '\n</think>\n\n' + said.lstrip('\n') }}
        {%- else %}
            {{- '<|im_start|>assistant\n' + said }}
        {%- endif %}
        {%- for call in turn.calls or [] %}
            {{- ('\n' if not loop.first or said) ~ call | tojson }}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if think is defined and think is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}""",
    # Refusals: a comparison of two comparisons, and a role that nobody knows.
    "alternating": (
        "{{ bos_token }}{% for turn in messages %}{% if (loop.index0 % 2 == 0) != (turn['role'] == 'user') %}"
        "{{ raise_exception('Turns must alternate, the user first') }}{% endif %}"
        "{% if turn['role'] == 'assistant' %}{{ turn['content'] + eos_token}}{% elif turn['role'] == 'user' %}"
        "{{ '(ask) ' + turn['content'] + ' (/ask)' }}{% else %}{{ raise_exception('Nobody is called ' + turn['role']) }}"
        "{% endif %}{% endfor %}"
    ),
    # A counter in an empty namespace, a filtered list compared by element, a name that is defined on one path only.
    "counted": r"""{%- if messages[0]["role"] == "system" %}
    {%- set rules = messages[0]["content"] %}
{%- endif %}
{%- set turns = messages[1:] if rules is defined else messages %}
{%- set questions = turns | selectattr("role", "equalto", "user") | list %}

{#- Counts what is no tool's: the user speaks at even places. #}
{%- set count = namespace() %}
{%- set count.turns = 0 %}
{%- for turn in turns if not (turn.role == "tool" or (turn.calls is defined and turn.calls is not none)) %}
    {%- if (count.turns % 2 == 0) != (turn["role"] == "user") %}
        {{- raise_exception("Turn " ~ count.turns ~ " is not for " ~ turn.role) }}
    {%- endif %}
    {%- set count.turns = count.turns + 1 %}
{%- endfor %}

{{- bos_token }}
{%- for turn in turns %}
    {%- if turn["role"] == "assistant" %}
        {{- " " + turn["content"]|trim + eos_token}}
    {%- elif turn == questions[-1] and loop.last and rules is defined %}
        {{- "(ask) " + rules + "\n\n" + turn["content"] + "(/ask)" }}
    {%- else %}
        {{- "(ask) " + turn["content"] + "(/ask)" }}
    {%- endif %}
{%- endfor %}
""",
    # Tags on lines of their own, which leave no line behind.
    "lines": (
        "{% for turn in messages %}\n{% if turn['role'] == 'system' %}\n{{ '# rules\n' + turn['content'] + eos_token }}\n"
        "{% elif turn['role'] == 'assistant' %}\n{{ '# answer\n'  + turn['content'] + eos_token }}\n"
        "{% else %}\n{{ '# question\n' + turn['content'] + eos_token }}\n{% endif %}\n"
        "{% if add_generation_prompt and loop.last %}\n{{ '# answer' }}\n{% endif %}\n{% endfor %}"
    ),
    # A refusal before the first turn, a name set inside the loop on both paths.
    "renamed": (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('No rules, please') }}{% endif %}"
        "{% for turn in messages %}{% if (turn['role'] == 'assistant') %}{% set who = 'bot' %}{% else %}{% set who = turn['role'] %}{% endif %}"
        "{{ '<turn ' + who + '>\n' + turn['content'] | trim + '</turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<turn bot>\n'}}{% endif %}"
    ),
    # Dashes on both sides, line breaks inside literals over several lines, a content that may be text or parts.
    "parts": r"""{{ bos_token }}
{%- set rest = messages -%}
{%- set preface = "" -%}
{%- if messages[0]['role'] == 'system' -%}
    {%- set rest = messages[1:] -%}
    {%- set first = messages[0]['content'] -%}
    {%- set preface = (first if first is string else first[0]['text']) + '

' -%}
{%- endif -%}
{%- for turn in rest -%}
    {%- if loop.index is odd and turn['role'] != 'user' -%}
        {{ raise_exception("Turn " ~ loop.index ~ " is the user's") }}
    {%- endif -%}
    {{ '<turn ' + turn['role'] + '>
' + (preface if loop.first else "") }}
    {%- if turn['content'] is string -%}
        {{ turn['content'] | trim }}
    {%- elif turn['content'] is iterable -%}
        {%- for part in turn['content'] -%}
            {{ part['text'] | trim }}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Neither text nor parts") }}
    {%- endif -%}
    {{ '</turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<turn assistant>
'}}
{%- endif -%}
""",
    # False as a value beside texts, escapes inside literals, a text's methods.
    "folded": (
        "{% if messages[0]['role'] != 'system' %}{% set rules = false %}{% set turns = messages %}"
        "{% else %}{% set rules = messages[0]['content'] %}{% set turns = messages[1:] %}{% endif %}{% for turn in turns %}"
        "{% if rules != false and loop.index0 == 0 %}{% set said = '{rules}\\n' + rules + '\\n{/rules}\\n\\n' + turn['content'] %}"
        "{% else %}{% set said = turn['content'] %}{% endif %}{% if turn['role'] == 'assistant' %}"
        "{{ ' '  + said.strip() + ' ' + eos_token }}{% elif turn['role'] == 'user' %}"
        "{{ bos_token + '(ask) ' + said.strip() + ' (/ask)' }}{% endif %}{% endfor %}"
    ),
    # A namespace of several names, tokens outside ASCII, dashes on one side only.
    "wide-tokens": (
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
        "{% set state = namespace(rules='', after_tool=false, turns=0, fresh=true) %}"
        "{%- for turn in messages %}{%- if turn['role'] == 'system' %}{% set state.rules = turn['content'] %}{%- endif %}"
        "{%- endfor %}{{bos_token}}{{state.rules}}{%- for turn in messages %}{%- if turn['role'] == 'user' %}"
        "{%- set state.after_tool = false -%}{{'<｜ask｜>' + turn['content']}}{%- endif %}"  # noqa: RUF001
        "{%- if turn['content'] is not none and turn['role'] == 'assistant' %}{%- if not state.after_tool %}"
        "{% set said = turn['content'] %}{% if '</think>' in said %}{% set said = said.split('</think>')[-1] %}{% endif %}"
        "{{'<｜tell｜>' + said + '<｜end▁of▁turn｜>'}}{%- else %}{%- endif %}{%- endif %}{%- endfor -%}"  # noqa: RUF001
        "{% if state.after_tool %}{{'x'}}{% endif %}{% if add_generation_prompt and not state.after_tool %}{{'<｜tell｜><think>\\n'}}{% endif %}"  # noqa: RUF001
    ),
    # Comments, a mode found in a text, chained replacements, a date, and the blocks that mark an assistant's text.
    "modes": r"""{# ── which mode ── #}
{%- if slow is not defined -%}
{%- set slow = true -%}
{%- endif -%}
{%- set mode = "/think" if slow else "/no_think" -%}
{%- if messages[0].role == "system" -%}
  {%- set rules = messages[0].content -%}
  {%- if "/no_think" in rules -%}
    {%- set mode = "/no_think" -%}
  {%- endif -%}
  {%- set wishes = rules.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{%- set today = strftime_now("%d %B %Y") -%}
{{- "<rules>\n" -}}
{{- "Date: " ~ today ~ "\n" + "Mode: " + mode + "\n\n" -}}
{%- if wishes -%}
  {{- wishes + "\n" -}}
{%- endif -%}
{{- "</rules>\n" -}}
{# ── turns ── #}
{%- for turn in messages -%}
    {%- set said = turn.content if turn.content is string else "" -%}
    {%- if turn.role == "assistant" -%}
        {% generation %}
        {%- if mode == "/no_think" -%}
            {{ "<answer>\n" + "<think>\n\n</think>\n" + said.lstrip("\n") + "</answer>\n" }}
        {%- else -%}
            {{ "<answer>\n" + said.lstrip("\n") + "</answer>\n" }}
        {%- endif -%}
        {% endgeneration %}
    {%- elif turn.role in ["user", "tool"] -%}
        {{ "<ask>\n"  + said + "</ask>\n" }}
    {%- endif -%}
{%- endfor -%}
{# ── the answer's beginning ── #}
{%- if add_generation_prompt -%}
    {{ "<answer>\n" if mode == "/think" else "<answer>\n<think>\n\n</think>\n" }}
{%- endif -%}
""",
    # A turn left out if it is empty; the end of the text where no answer is asked for.
    "ended": (
        "{% for turn in messages %}{% if turn['role'] == 'system' and turn['content'] %}{{'<rules>\n' + turn['content'] + "
        "'<end>\n'}}{% elif turn['role'] in ('user', 'assistant') %}{{'<' + turn['role'] + '>\n' + turn['content'] + '<end>\n'}}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>\n' }}{% else %}{{ eos_token }}{% endif %}"
    ),
    # A macro with a default, pairs unpacked, a filtered loop with neighbours and an else.
    "macros": r"""{%- macro header(role, suffix='|>') -%}
<|{{ role }}{{ suffix }}
{%- endmacro -%}
{%- for role, group in [('user', 'u'), ('assistant', 'a')] -%}
{{ group }}={{ messages | selectattr('role', 'equalto', role) | list | length }};
{%- endfor -%}
{% for message in messages if message.role != 'system' %}
    {% if loop.previtem is defined and loop.previtem.role == message.role %}
(again)
    {% endif %}
{{ header(message.role) }}{{ loop.index }}/{{ loop.length }}:{{ message.content }}{{ '' if loop.nextitem is defined else ' END' }}
{% else %}
nobody
{% endfor %}
""",
}

CONVERSATIONS = {
    "one": [("user", "Hi")],
    "pair": [("user", "What is 2+2?"), ("assistant", "4")],
    "system": [("system", " Be brief. "), ("user", "Hi"), ("assistant", " Hello! \n")],
    "long": [("user", "a"), ("assistant", "b"), ("user", "c\n\nd"), ("assistant", "e"), ("user", "f")],
    "thinking": [
        ("user", "q"),
        ("assistant", "<think>\nhm\n</think>\n\nanswer"),
        ("user", "r"),
        ("assistant", "<think>\nso\n</think>\n\nyes"),
    ],
    "awkward": [
        ("user", "{{ 7 * 7 }} {% raw %} {# no #} '\"\\n <b>&amp;</b>"),
        ("assistant", "false"),
        ("user", "  émoji 😀 \u00a0"),
        ("assistant", "0"),
    ],
    "same-role": [("user", "a"), ("user", "b")],
    "late-system": [("user", "a"), ("system", "b"), ("user", "c")],
    "system-only": [("system", "/no_think x")],
    "empty-answer": [("user", "a"), ("assistant", "")],
}

# Each is a template of its own; `s` is a text, `xs` a list, `m` a map, `ms` messages.
FEATURES = [
    "{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcab'.rstrip('ba') }}",
    "{{ s.split() }}|{{ 'a,b,,c'.split(',') | length }}|{{ 'a,b,c'.split(',', 1)[1] }}|{{ 'a.b.c'.rsplit('.', 1)[0] }}",
    "{{ 'a.b'.split('.')[0] }}{{ 'a|b'.split('|')[-1] }}{{ 'a$b'.split('$')[1] }}",
    "{{ 'Title'.startswith('Ti') }}|{{ 'Title'.endswith(('x', 'le')) }}|{{ 'aXbX'.replace('X', '-') }}|{{ 'aXbX'.replace('X', '-', 1) }}",
    "{{ 'hello world'.title() }}|{{ 'hELLO'.capitalize() }}|{{ 'a'.upper() }}{{ 'B'.lower() }}|{{ 'banana'.count('an') }}|{{ 'banana'.find('n') }}",
    "{{ '-'.join(xs_text) }}|{{ xs_text | join(', ') }}|{{ 'prefix.x'.removeprefix('prefix.') }}|{{ 'x.py'.removesuffix('.py') }}",
    "{{ xs[0] }}{{ xs[-1] }}|{{ xs[1:] | join }}|{{ xs[:-1] | join }}|{{ xs[::-1] | join }}|{{ xs[::2] | join }}|{{ xs[-2:] | join }}|{{ xs[5:] | length }}",
    "{{ 'abcdef'[2] }}{{ 'abcdef'[-1] }}|{{ 'abcdef'[1:3] }}|{{ 'abcdef'[:-2] }}|{{ 'abcdef'[::-1] }}|{{ 'abc'[-5:] }}",
    "{{ m.a }}{{ m['b'] }}{{ m.get('a') }}{{ m.get('zz', 'none') }}{{ m.zz is defined }}{{ 'a' in m }}{{ 'zz' in m }}{{ 'zz' not in m }}",
    "{% for k, v in m.items() %}{{ k }}={{ v | default('-', true) }};{% endfor %}{% for k in m %}{{ k }}{% endfor %}{% for k, v in m | items %}{{ k }}{% endfor %}",
    "{{ m | tojson }}|{{ xs | tojson }}|{{ 'é\"\\\\\n' | tojson }}|{{ m | tojson(indent=2) }}|{{ none | tojson }}{{ true | tojson }}",
    "{{ m | length }}{{ xs | length }}{{ 'é😀' | length }}|{{ xs | first }}{{ xs | last }}|{{ xs | reverse | list | join }}|{{ 'x' | upper }}",
    "{% if 'false' %}yes{% else %}no{% endif %}{% if '' %}yes{% else %}no{% endif %}{% if not 'false' %}yes{% else %}no{% endif %}{{ 'a' if 'False' and true else 'b' }}",
    "{% if xs %}1{% endif %}{% if [] %}2{% endif %}{% if {} %}3{% endif %}{% if 0 %}4{% endif %}{% if none %}5{% endif %}{% if '0' %}6{% endif %}",
    "{{ 'a' is string }}{{ 1 is string }}{{ xs is iterable }}{{ 'a' is iterable }}{{ m is mapping }}{{ xs is mapping }}{{ 1 is number }}{{ none is none }}{{ s is not none }}",
    "{{ xs is sequence }}{{ 'a' is sequence }}{{ 1 is sequence }}{{ true is true }}{{ false is false }}{{ 1 is true }}{{ nothing is undefined }}{{ true is boolean }}",
    "{{ nothing is defined }}{{ m.none is none }}",
    "{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 1 == 1.0 }}{{ 'a' == 'a' }}{{ 'a' != 'b' }}{{ 1 in xs }}{{ 'b' in 'abc' }}{{ 'x' not in 'abc' }}",
    "{{ 7 // 2 }}|{{ 7 % 3 }}|{{ 2 ** 3 }}|{{ 1 + 2 * 3 }}|{{ (1 + 2) * 3 }}|{{ 'a' ~ 1 ~ 'b' }}",
    "{% set x = 'a' if false else 'b' %}{{ x }}{{ 'c' if false }}|{{ nothing | default('d') }}{{ '' | default('e', true) }}",
    "{% set ns = namespace(n=0, found=none) %}{% for x in xs %}{% set ns.n = ns.n + x %}{% if x == 2 %}{% set ns.found = x %}{% endif %}{% endfor %}{{ ns.n }}{{ ns.found }}",
    "{% set x = 1 %}{% for y in xs %}{% set x = y %}{% endfor %}{{ x }}{% for y in xs %}{% if y == 1 %}{% set z = 'set' %}{% endif %}{{ z is defined }}{% endfor %}",
    "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}",
    "{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}|{{ range(3) | list | join }}{% for i in range(1, 7, 2) %}{{ i }}{% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{{ loop.index }}{% else %}none{% endfor %}{% for x in [] %}{{ x }}{% else %}empty{% endfor %}",
    "{% for x in xs %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% if x == 3 %}{% break %}{% endif %}{% endfor %}",
    "{% set c %}captured {{ xs[0] }}{% endset %}[{{ c }}]{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t = (1, 2) %}{{ t[1] }}",
    "{% macro f(a, b='d') %}({{ a }}{{ b }}){% endmacro %}{{ f('x') }}{{ f('x', 'y') }}{{ f('x', b='z') }}",
    "{{ ms | selectattr('role', 'equalto', 'user') | list | length }}{{ ms | map(attribute='content') | join('+') }}"
    "{{ (ms | rejectattr('role', 'equalto', 'user') | first).content }}",
    "{{ ms[0]['content'][0] }}{{ ms[-1].role }}{{ (ms | last)['content'] | upper }}{{ ms[0].content.split('|')[0] | trim }}",
    "{{ 'a\\tb\\'c\"d\\\\e' }}{{ \"x'y\" }}{{ '\\u00e9\\x41' }}{{ 'one' 'two' }}{{ '%}' }}{{ '}}' }}{{ '{{' }}{{ '{%' }}",
    "a {{ 'x' }} b\n  {% if true %}\n  kept\n  {% endif %}\nc {% if true %} d {% endif %} e\n",
    "  {%- if true -%}  x  {%- endif -%}  y\n\n  {{- 'z' -}}  \n w {# gone #}\n  {# gone #}\n v {#- gone -#} u",
    "  {%+ if true %}\n x{% endif +%}\n y\n",
    "{{ {'a': {'b': 1}}['a']['b'] }}{{ [1, [2, 3]][1][0] }}{{ {'a': 1}.a }}",
    "{{ s | trim | length }}{{ ' a ' | trim ~ 'b' }}{{ 'a' + ' b ' | trim }}{{ (xs | length) > 2 and xs[0] == 1 }}{{ xs | length > 2 }}",
    "{{ not true }}{{ not xs is defined }}{{ not (1 == 2) }}{{ true and not false }}{{ 1 < 2 and 2 <= 2 or false }}",
    "{{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %b %d %j %p %I') }}",
    "{{ 'line1\\nline2\\n'.splitlines() | length }}{{ '12'.isdigit() }}{{ 'a'.isdigit() }}{{ '7' | int + 1 }}{{ 3 | string + 'x' }}",
    "{{ 'abc' | capitalize }}{{ 'a b' | title }}{{ 'abc' | replace('b', 'x') }}{{ 'ABC' | lower }}{{ [3, 1, 2] | sort | join }}{{ [1, 2] | sum }}",
    "{{ m.items() | list | length }}{{ m.keys() | join }}{{ m.values() | list | length }}{{ m | dictsort | length }}{{ [1, 1, 2] | unique | list | length }}",
    "{{ 'a' < 'b' }}{{ 2 > 1 }}{{ -1 }}{{ - 2 + 3 }}{{ 1 - 1 }}{{ xs_text == ['p', 'q'] }}{{ none == none }}",
    "{{ true }}{{ false }}{{ 1.5 }}{{ 10 / 4 }}{{ 4 / 2 }}{{ xs }}{{ xs_text }}",
    "{% if ms[0].tool_calls is defined and ms[0].tool_calls is not none %}t{% else %}f{% endif %}{% if ms[0]['name'] %}n{% endif %}{{ ms[0].name | default('x') }}",
    "{%- for x in xs -%}\n  {{ x }}{{ ', ' if not loop.last }}\n{%- endfor %}\n\n",
]

VARIABLES = {
    "s": " \tsome text\n ",
    "xs": [1, 2, 3],
    "xs_text": ["p", "q"],
    "m": {"a": 1, "b": "two", "none": None},
    "ms": [{"role": "user", "content": "hey|you"}, {"role": "assistant", "content": "ho"}],
}

REFUSALS = [
    "{{ raise_exception('told so') }}",
    "{{ s.format_map(m) }}",
    "{% include 'other' %}",
    "{% if true %}",
    "{{ 1 + }}",
    "{% unknown %}",
    "{{ s.__class__.__mro__ }}{{ s.getClass() }}",
    "{{ 'a' is notest }}",
    "{% set _ = xs.append(4) %}",
    "{{ 'a' | nofilter }}",
    "{% for x in xs %}",
]


class Generation(jinja2.ext.Extension):
    """The blocks that mark an assistant's text; they render what they hold."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def environment() -> ImmutableSandboxedEnvironment:
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    env.globals["raise_exception"] = refuse
    env.globals["strftime_now"] = TODAY.strftime
    return env


def rendered(template: str, **variables: object) -> dict:
    try:
        return {"text": environment().from_string(template).render(**variables)}
    except jinja2.TemplateError as error:
        return {"refused": str(error)}


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    cases = []
    for name, template in TEMPLATES.items():
        for conversation, turns in CONVERSATIONS.items():
            messages = [{"role": role, "content": content} for role, content in turns]
            for prompt in (False, True):
                result = rendered(
                    template, messages=messages, tools=None, documents=None, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>"
                )
                cases.append({"template": name, "conversation": conversation, "prompt": prompt} | result)
    conversations = {name: [{"role": role, "content": content} for role, content in turns] for name, turns in CONVERSATIONS.items()}
    features = [{"template": template} | rendered(template, **VARIABLES) for template in FEATURES]
    golden = {
        "templates": TEMPLATES,
        "conversations": conversations,
        "cases": cases,
        "variables": VARIABLES,
        "features": features,
        "refusals": REFUSALS,
    }
    for feature in features:
        if "text" not in feature:
            raise SystemExit(f"{feature}")
    with (folder / "templates.json").open("w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=True, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
