"""Judges responses by IFEval's own program.

Needs: pip install -r requirements-ifeval.txt, the program (https://github.com/josejg/instruction_following_eval, Apache-2.0) and
NLTK's punkt_tab (in the wheel llama-index-core on PyPI, under llama_index/core/_static/nltk_cache/tokenizers).
Usage: python make_ifeval_goldens.py PROGRAM PUNKT_PARENT INPUT_DATA java/src/test/resources/golden/ifeval/verdicts.jsonl

PROGRAM is the folder that holds instruction_following_eval, PUNKT_PARENT the folder that holds tokenizers/punkt_tab, INPUT_DATA the
benchmark's input_data.jsonl. Responses are put together from sentences of our own so that they meet some instructions and miss
others; a second list has corner cases for each kind. A line holds the instructions, the response, and the verdicts. Left out are
responses whose verdicts depend on chance: the program's language detector draws random numbers, and marks that are no letters are
replaced by a random one.
"""

# Letters and marks that look like others are what some of the cases are about.
# ruff: noqa: RUF001

import json
import pathlib
import random
import sys
import types
from collections.abc import Iterator

SEED = 20261128
DETECTOR_SEEDS = range(4)

SENTENCES = [
    "The harbour lay quiet under a pale morning sky.",
    "Mr. Hale asked for two tickets to St. Ives, but the office had closed at 5 p.m. that day.",
    "Nobody knew why the clock had stopped!",
    "Would you walk with me to the old mill?",
    'She said "come back tomorrow." Then she shut the door.',
    "It cost $3.50 (about 3 euros) in the U.S. last year...",
    "Dr. A. B. Stone wrote the report in Sept. 2014.",
    "Bread, salt and water: that is all we carried.",
    "NASA and the BBC sent a team; I'M told they can't stay.",
    "Well... the rest is easy.",
    "We counted 1. the boats 2. the nets 3. the men.",
    "Prof. Lind teaches at the Univ. of Oslo. He likes it there.",
    "“Stop.” He turned. ‘No!’ they cried.",
    "Visit the shop on Main St. It opens at nine.",
]

LANGUAGES = {
    "de": "Der Hund schläft heute unter dem Tisch, weil es draußen regnet und der Garten nass ist.",
    "fr": "Le petit garçon marche vers la maison parce que sa mère prépare le dîner ce soir.",
    "es": "La casa de mi abuela está cerca del río y todos los domingos comemos allí juntos.",
    "it": "Questa mattina ho comprato il pane e poi sono andato al mercato con mia sorella.",
    "pt": "O menino não quer ir à escola hoje porque está muito cansado depois da viagem.",
    "fi": "Minä menen huomenna kauppaan ja ostan leipää sekä maitoa koko perheelle.",
    "vi": "Hôm nay trời mưa nên tôi ở nhà đọc sách và uống trà với mẹ tôi.",
    "sw": "Watoto wanacheza mpira uwanjani wakati wazazi wao wanapika chakula cha jioni.",
    "ru": "Сегодня утром мы пошли в лес и нашли там много грибов под старыми деревьями.",
    "bg": "Днес времето е хубаво и ние отиваме на разходка в планината с приятели.",
    "uk": "Сьогодні ми їдемо до міста, щоб побачити нашу бабусю та випити чаю.",
    "ar": "ذهبت اليوم إلى السوق واشتريت الخبز والفواكه لأن الضيوف سيأتون مساء.",
    "fa": "امروز هوا بسیار خوب است و ما می‌خواهیم با دوستان به پارک برویم.",
    "ur": "آج موسم بہت اچھا ہے اور ہم سب مل کر باغ میں کھیلنے جائیں گے۔",
    "hi": "आज मौसम बहुत अच्छा है और हम सब मिलकर बाग में खेलने जाएंगे।",
    "mr": "आज हवामान खूप छान आहे आणि आम्ही सगळे बागेत खेळायला जाणार आहोत.",
    "ne": "आज मौसम धेरै राम्रो छ र हामी सबै बगैंचामा खेल्न जान्छौं।",
    "bn": "আজ আবহাওয়া খুব ভালো এবং আমরা সবাই বাগানে খেলতে যাব।",
    "pa": "ਅੱਜ ਮੌਸਮ ਬਹੁਤ ਵਧੀਆ ਹੈ ਅਤੇ ਅਸੀਂ ਸਾਰੇ ਬਾਗ ਵਿੱਚ ਖੇਡਣ ਜਾਵਾਂਗੇ।",
    "gu": "આજે હવામાન ખૂબ સરસ છે અને આપણે બધા બગીચામાં રમવા જઈશું.",
    "ta": "இன்று வானிலை மிகவும் நன்றாக உள்ளது, நாங்கள் அனைவரும் பூங்காவில் விளையாடுவோம்.",
    "te": "ఈ రోజు వాతావరణం చాలా బాగుంది, మేమంతా తోటలో ఆడుకోవడానికి వెళ్తాము.",
    "kn": "ಇಂದು ಹವಾಮಾನ ತುಂಬಾ ಚೆನ್ನಾಗಿದೆ, ನಾವೆಲ್ಲರೂ ತೋಟದಲ್ಲಿ ಆಡಲು ಹೋಗುತ್ತೇವೆ.",
    "ml": "ഇന്ന് കാലാവസ്ഥ വളരെ നല്ലതാണ്, ഞങ്ങൾ എല്ലാവരും പൂന്തോട്ടത്തിൽ കളിക്കാൻ പോകും.",
    "th": "วันนี้อากาศดีมาก พวกเราจะไปเล่นในสวนด้วยกันตอนเย็น",
    "ko": "오늘은 날씨가 아주 좋아서 우리는 모두 공원에 가서 놀 것입니다.",
    "ja": "今日は天気がとても良いので、みんなで公園に遊びに行きます。",
    "he": "היום מזג האוויר יפה מאוד ואנחנו הולכים לשחק בגן עם החברים.",
}

# Corner cases: instructions with their arguments, and responses to each.
CORNERS = [
    ("keywords:existence", {"keywords": ["river", "straße"]}, ["River by the STRASSE", "a RIVER, a Straße", "driver, straßen", "none"]),
    ("keywords:frequency", {"keyword": " war ", "frequency": 2, "relation": "at least"}, ["war, toward", "War! war", "peace", "warwar"]),
    ("keywords:frequency", {"keyword": "a.c", "frequency": 2, "relation": "less than"}, ["abc a.c", "abc", "a\nc"]),
    ("keywords:forbidden_words", {"forbidden_words": ["rock", "can't"]}, ["rocks", "a ROCK.", "rock_", "can't", "cant", "-rock-", "röck"]),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": "less than"}, ["eE", "e", "É e", "none"]),
    ("language:response_language", {"language": "en"}, ["123 456", "The weather is lovely and we are going to the park today."]),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "at least"},
        [*SENTENCES, "One. Two. Three.", "A! B? C", "a... b... c"],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "less than"},
        [*SENTENCES, "No mark at all", "  ", "(One.) (Two.)"],
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        ["a\n***\nb", "a *** b", "***a***b***", "a***\n***b", "a ****** b", "a\n* * *\nb", "***\na\n***\nb", "a\n***\n \n***\nb"],
    ),
    (
        "length_constraints:number_words",
        {"num_words": 4, "relation": "at least"},
        ["it's a day", "one-two three_four five", "a b c d", "é è 1 2"],
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"},
        [
            "a\n\nThen b",
            "a\n\n\n\nThen b",
            "a\n\n'\"then, b",
            "a\n\nthe'n b",
            "a\nThen b",
            "a\n\n\"'then b",
            "\n\na\n\nthen",
            "a\n\nthen\n\n",
        ],
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        ["[a] [b]", "[a[b]]", "[a\nb] [c]", "[] []", "[a] b]", "[a]\n[b]"],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        ["Bye. P.S. more", "p. s. more", "PS: more", "p.s more", "P.P.S. x"],
    ),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, ["P.P.S. x", "p. p. s x", "P.P.S", "P.S. x", "PPS"]),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        [
            "* a\n* b",
            "- a\n- b",
            "* a\n- b",
            "** a\n* b",
            "*\n* b",
            "  * a\n\n * b\n",
            "a - b\n- c",
            "-- a\n* b",
            "* a\n* b\n* c",
            "*a*\n*b*",
        ],
    ),
    (
        "detectable_format:constrained_response",
        {},
        ["My answer is yes.", "my answer is yes.", "  My answer is no. ", "My answer is maybe", "So: My answer is maybe."],
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        ["*a* *b*", "**a**", "** **", "*a\nb* *c*", "***a***", "* * *a*", "*a**b*", "* a\n* b"],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        [
            "SECTION 1\na\nSECTION 2\nb",
            "SECTION1 SECTION2",
            "Section 1 Section 2",
            "SECTION  1 SECTION 2",
            "SECTION 12 a SECTION 3",
            "SECTION 1",
        ],
    ),
    (
        "detectable_format:json_format",
        {},
        [
            '{"a": 1}',
            '```json\n{"a": [1, null]}\n```',
            "```\n3\n```",
            "{'a': 1}",
            '{"a": 1} x',
            "NaN",
            '{"a": 1,}',
            "```JSON[]```",
            '"\t"',
            "[1, 2",
            "true",
            "Infinity",
            "01",
            '{"a": 1, "a": 2}',
            "```python\n1\n```",
            "``` ```",
        ],
    ),
    ("detectable_format:title", {}, ["<<a>>", "<<>>", "<< >>", "<<a\nb>>", "<a>", "<<<a>>>", "<<<<>>>>", "x <<a>> <<b>>"]),
    (
        "combination:two_responses",
        {},
        [
            "a\n******\nb",
            "a\n******\na",
            "a ****** b ****** c",
            "****** a ****** b",
            "a******b******",
            "a******\n******b",
            "a ***** b",
            "a************b",
        ],
    ),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": " Write a poem. "},
        ["write a poem. Roses", "  WRITE A POEM.", "Sure: Write a poem.", "Write a poem"],
    ),
    (
        "startend:end_checker",
        {"end_phrase": "The end. "},
        ["It is the end.", '"It is the END."', "The end", 'The end." ', "the end. \n", "The end.\nBye", "*The end.*"],
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 3, "capital_relation": "at least"},
        [
            *SENTENCES,
            "I AM HERE",
            "CANNOT GIMME",
            "I'M OK",
            "A-B C_D E",
            "U.S. U.K. EU",
            "(NASA) [BBC] {CNN}",
            "HELLO,WORLD:OK",
            "ÉTÉ ß ÄÖ",
            "X1 2 Y3 Z",
        ],
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "less than"},
        ["It is 'TIS", "WANNA go", "A\nB", "DON'T", "THEY'LL", "Hello"],
    ),
    (
        "change_case:english_capital",
        {},
        [
            "THE HOUSE STANDS ON THE HILL AND THE WIND IS COLD TONIGHT",
            "The house stands on the hill",
            "123",
            "DAS HAUS STEHT AUF DEM BERG UND ES IST KALT HEUTE",
        ],
    ),
    (
        "change_case:english_lowercase",
        {},
        [
            "the house stands on the hill and the wind is cold tonight",
            "The house stands",
            "123!",
            "das haus steht auf dem berg und es ist heute sehr kalt",
        ],
    ),
    ("punctuation:no_comma", {}, ["a, b", "a; b", "a، b", "a，b"]),
    ("startend:quotation", {}, ['"a"', '"', '""', "'a'", '"a" b', ' "a"\n', "“a”"]),
]


def write_response(example: dict, rng: random.Random) -> str:
    """A text that meets about half of the instructions, by chance."""
    arguments = dict(zip(example["instruction_id_list"], example["kwargs"], strict=True))
    meets = {name: rng.random() < 0.6 for name in arguments}
    sentences = rng.choices(SENTENCES, k=rng.randint(1, 6))
    if meets.get("language:response_language"):
        language = arguments["language:response_language"]["language"]
        sentences = [LANGUAGES.get(language, SENTENCES[0])]
    if meets.get("punctuation:no_comma"):
        sentences = [sentence.replace(",", "") for sentence in sentences]
    if meets.get("length_constraints:number_words"):
        sentences += ["More words follow here."] * rng.randint(0, 30)
    if meets.get("keywords:existence"):
        sentences.append("Here are " + " and ".join(arguments["keywords:existence"]["keywords"]) + ".")
    if meets.get("keywords:frequency"):
        about = arguments["keywords:frequency"]
        sentences.append((about["keyword"] + " ") * (about["frequency"] - rng.randint(0, 1)))
    if meets.get("keywords:forbidden_words"):
        sentences.append(rng.choice(arguments["keywords:forbidden_words"]["forbidden_words"]).upper() + rng.choice(["", "s", "."]))
    if meets.get("keywords:letter_frequency"):
        about = arguments["keywords:letter_frequency"]
        sentences = ["".join(c for c in s if c.lower() != about["letter"].lower()) for s in sentences]
        sentences.append(about["letter"] * (about["let_frequency"] - rng.randint(0, 1)))
    if meets.get("detectable_content:number_placeholders"):
        sentences += ["[name]"] * (arguments["detectable_content:number_placeholders"]["num_placeholders"] - rng.randint(0, 1))
    if meets.get("detectable_format:title"):
        sentences.insert(0, rng.choice(["<<A Quiet Day>>", "<< >>"]))
    if meets.get("detectable_format:constrained_response"):
        sentences.append(rng.choice(["My answer is yes.", "My answer is maybe.", "My answer is unclear."]))
    text = rng.choice([" ", "\n", "\n\n"]).join(sentences)
    text = lay_out(text, arguments, meets, rng)
    if meets.get("startend:end_checker"):
        text += " " + arguments["startend:end_checker"]["end_phrase"]
    if meets.get("combination:repeat_prompt"):
        text = arguments["combination:repeat_prompt"]["prompt_to_repeat"] + "\n" + text
    if meets.get("change_case:english_capital"):
        text = text.upper()
    if meets.get("change_case:english_lowercase"):
        text = text.lower()
    if meets.get("startend:quotation"):
        text = '"' + text + '"'
    return rng.choice(["", "", "Sure, here it is:\n", "**Answer**\n"]) + text + rng.choice(["", "", "\nI hope that helps!"])


def lay_out(text: str, arguments: dict, meets: dict, rng: random.Random) -> str:
    """The same with the lists, sections and marks that the instructions ask for, or one too few."""
    less = rng.randint(0, 1)
    if meets.get("detectable_format:number_bullet_lists"):
        count = arguments["detectable_format:number_bullet_lists"]["num_bullets"] - less
        text += "".join("\n" + rng.choice(["* ", "- ", " * "]) + "point" for _ in range(count))
    if meets.get("detectable_format:number_highlighted_sections"):
        count = arguments["detectable_format:number_highlighted_sections"]["num_highlights"] - less
        text += "".join(rng.choice(["\n*part*", "\n**part**"]) for _ in range(count))
    if meets.get("detectable_format:multiple_sections"):
        about = arguments["detectable_format:multiple_sections"]
        text = "".join(f"{about['section_spliter']} {i + 1}\n{text}\n" for i in range(about["num_sections"] - less))
    if meets.get("length_constraints:number_paragraphs"):
        count = arguments["length_constraints:number_paragraphs"]["num_paragraphs"] - less
        text = rng.choice(["\n***\n", " *** "]).join([text] * max(1, count))
    if meets.get("length_constraints:nth_paragraph_first_word"):
        about = arguments["length_constraints:nth_paragraph_first_word"]
        parts = [text.replace("\n\n", "\n")] * about["num_paragraphs"]
        parts[about["nth_paragraph"] - 1] = rng.choice([about["first_word"].title(), about["first_word"] + ",", "Other"]) + " words"
        text = "\n\n".join(parts)
    if meets.get("detectable_format:json_format"):
        text = rng.choice(["```json\n%s\n```", "%s"]) % json.dumps({"text": text})
    if meets.get("combination:two_responses"):
        text = text + "\n******\n" + rng.choice([text, "Something else."])
    if meets.get("detectable_content:postscript"):
        text += "\n\n" + rng.choice([arguments["detectable_content:postscript"]["postscript_marker"], "PS"]) + " Take care."
    if meets.get("change_case:capital_word_frequency"):
        text += " LOUD" * arguments["change_case:capital_word_frequency"]["capital_frequency"]
    return text


def judge(evaluation: types.ModuleType, example: dict, response: str) -> list[list[bool]] | None:
    """The program's verdicts, or none where they depend on chance."""
    import langdetect

    verdicts = []
    for seed in DETECTOR_SEEDS:
        langdetect.DetectorFactory.seed = seed
        random.seed(seed)
        verdicts.append([evaluation.test_instruction_following(example, response, strict=s).follow_instruction_list for s in (True, False)])
    return verdicts[0] if all(verdict == verdicts[0] for verdict in verdicts) else None


def depends_on_chance(example: dict) -> bool:
    """Whether the program counts another character than the one that is asked for."""
    letters = [arguments.get("letter", "a") for arguments in example["kwargs"]]
    return any(not letter.isascii() or not letter.isalpha() for letter in letters)


def cases(data: pathlib.Path, rng: random.Random) -> Iterator[tuple[dict, str]]:
    """Instructions and responses to them."""
    examples = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    for example in examples:
        if not depends_on_chance(example):
            yield example, write_response(example, rng)
    for name, arguments, responses in CORNERS:
        for response in responses:
            yield {"key": 0, "prompt": "", "instruction_id_list": [name], "kwargs": [arguments]}, response
    for language, sentence in LANGUAGES.items():
        for asked in (language, "en"):
            yield (
                {
                    "key": 0,
                    "prompt": "",
                    "instruction_id_list": ["language:response_language"],
                    "kwargs": [{"language": asked}],
                },
                sentence,
            )


def main() -> None:
    """Writes the lines."""
    program, punkt, data, target = (pathlib.Path(argument) for argument in sys.argv[1:])
    sys.path.insert(0, str(program))
    import nltk

    nltk.data.path.insert(0, str(punkt))
    # The program asks for the pickled parameters, which NLTK no longer loads; the same parameters as tables are what it takes instead.
    from instruction_following_eval import evaluation, instructions_util

    instructions_util._get_sentence_tokenizer = nltk.tokenize.PunktTokenizer
    evaluation.ensure_nltk_resource = lambda: None

    rng = random.Random(SEED)
    kept = pairs = 0
    with target.open("w", encoding="utf-8") as lines:
        for example, response in list(cases(data, rng)):
            verdicts = judge(evaluation, example, response)
            if verdicts is None:
                continue
            row = {
                "instruction_id_list": example["instruction_id_list"],
                "kwargs": example["kwargs"],
                "response": response,
                "strict": verdicts[0],
                "loose": verdicts[1],
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            kept += 1
            pairs += len(example["kwargs"])
    print(f"{target}: {kept} responses, {pairs} pairs")


if __name__ == "__main__":
    main()
