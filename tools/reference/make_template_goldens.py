"""Renders chat templates with Jinja2, set up as Hugging Face's apply_chat_template sets it up.

Needs: pip install -r requirements-data.txt
Usage: python make_template_goldens.py java/src/test/resources/golden/data

The templates are small ones written after the structure of well-known models' templates, and a list of single expressions, one for each
feature of Jinja and Python that such templates lean on. Today's date is fixed. A conversation that a template refuses has the message
in place of a text.
"""

# The templates keep the line breaks of their models.
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
    "chatml": (
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
        "You are a helpful assistant<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
        "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "llama3": r"""{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
""",
    "qwen2.5": r"""{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- endif %}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\n' + message.content }}
        {%- endif %}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' }}
        {{- message.content }}
        {{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
""",
    "qwen3": r"""{%- if tools %}
    {{- '<|im_start|>system\n' }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\n' }}
                {%- endif %}
                {{- tool_call.arguments | tojson }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}""",
    "mistral": (
        "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
        "{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}"
        "{% endif %}{% endfor %}"
    ),
    "mistral-v3": r"""{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- This block checks for alternating user/assistant messages, skipping tool calling messages #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported!") }}
    {%- endif %}
{%- endfor %}
""",
    "zephyr": (
        "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
        "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
        "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
    ),
    "gemma": (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
    ),
    "gemma3": r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {{ item['text'] | trim }}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
""",
    "llama2": (
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}"
        "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if loop.index0 == 0 and system_message != false %}"
        "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
        "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
        "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
    ),
    "deepseek-r1": (
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
        "{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}"
        "{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}"
        "{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}"
        "{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}"  # noqa: RUF001
        "{%- if message['role'] == 'assistant' and message['content'] is not none %}{%- if ns.is_tool %}{%- else %}"
        "{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
        "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endif %}{%- endfor -%}"  # noqa: RUF001
        "{% if ns.is_tool %}{{'x'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"  # noqa: RUF001
    ),
    "smollm3": r"""{# ───── defaults ───── #}
{%- if enable_thinking is not defined -%}
{%- set enable_thinking = true -%}
{%- endif -%}
{# ───── reasoning mode ───── #}
{%- if enable_thinking -%}
  {%- set reasoning_mode = "/think" -%}
{%- else -%}
  {%- set reasoning_mode = "/no_think" -%}
{%- endif -%}
{{- "<|im_start|>system\n" -}}
{%- if messages[0].role == "system" -%}
  {%- set system_message = messages[0].content -%}
  {%- if "/no_think" in system_message -%}
    {%- set reasoning_mode = "/no_think" -%}
  {%- endif -%}
  {%- set custom_instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{%- set today = strftime_now("%d %B %Y") -%}
{{- "## Metadata\n\n" -}}
{{- "Knowledge Cutoff Date: June 2025\n" -}}
{{- "Today Date: " ~ today ~ "\n" -}}
{{- "Reasoning Mode: " + reasoning_mode + "\n\n" -}}
{%- if custom_instructions -%}
  {{- custom_instructions + "\n\n" -}}
{%- endif -%}
{{- "<|im_end|>\n" -}}
{# ───── main loop ───── #}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}
        {{ "<|im_start|>" + message.role + "\n"  + content + "<|im_end|>\n" }}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if reasoning_mode == "/think" -%}
            {{ "<|im_start|>assistant\n" + content.lstrip("\n") + "<|im_end|>\n" }}
        {%- else -%}
            {{ "<|im_start|>assistant\n" + "<think>\n\n</think>\n" + content.lstrip("\n") + "<|im_end|>\n" }}
        {%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}
    {{ "<|im_start|>" + "user\n"  + content + "<|im_end|>\n" }}
    {%- endif -%}
{%- endfor -%}
{# ───── generation prompt ───── #}
{%- if add_generation_prompt -%}
    {%- if reasoning_mode == "/think" -%}
        {{ "<|im_start|>assistant\n" }}
    {%- else -%}
        {{ "<|im_start|>assistant\n" + "<think>\n\n</think>\n"  }}
    {%- endif -%}
{%- endif -%}
""",
    "phi3": (
        "{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\n' + message['content'] + "
        "'<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
    ),
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
    "thinking": [("user", "q"), ("assistant", "<think>\nhm\n</think>\n\nanswer"), ("user", "r"), ("assistant", "<think>\nso\n</think>\n\nyes")],
    "awkward": [
        ("user", "{{ 7 * 7 }} {% raw %} {# no #} '\"\\n <b>&amp;</b>"),
        ("assistant", "false"),
        ("user", "  émoji 😀 \u00a0"),
        ("assistant", "0"),
    ],
    "same-role": [("user", "a"), ("user", "b")],
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
