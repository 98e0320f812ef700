package dev.holdfast.eval.ifeval;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** The kinds of instructions, each with the rule that a response must meet. */
enum InstructionType {
    KEYWORDS_EXISTENCE("keywords:existence", (arguments, text) -> {
        List<Pattern> keywords = arguments.texts("keywords").stream()
                .map(keyword -> arguments.ignoringCase(keyword))
                .toList();
        return response ->
                keywords.stream().allMatch(keyword -> keyword.matcher(response).find());
    }),
    KEYWORDS_FREQUENCY("keywords:frequency", (arguments, text) -> {
        Pattern keyword = arguments.ignoringCase(PythonString.strip(arguments.text("keyword")));
        IntPredicate holds = arguments.comparison("frequency", "relation");
        return response -> holds.test(PythonString.count(keyword, response));
    }),
    KEYWORDS_FORBIDDEN("keywords:forbidden_words", (arguments, text) -> {
        List<Pattern> words = arguments.texts("forbidden_words").stream()
                .map(word -> arguments.ignoringCase(PythonString.BOUNDARY + word + PythonString.BOUNDARY))
                .toList();
        return response ->
                words.stream().noneMatch(word -> word.matcher(response).find());
    }),
    KEYWORDS_LETTER_FREQUENCY("keywords:letter_frequency", (arguments, text) -> {
        // The official program counts a letter by chance where a mark is asked for; here the mark itself is counted.
        int letter = PythonString.lower(arguments.text("letter")).codePointAt(0);
        IntPredicate holds = arguments.comparison("let_frequency", "let_relation");
        return response -> holds.test((int) PythonString.lower(response)
                .codePoints()
                .filter(point -> point == letter)
                .count());
    }),
    LANGUAGE("language:response_language", (arguments, text) -> {
        String language = arguments.text("language");
        return response ->
                LanguageDetector.detect(response).map(language::equals).orElse(true);
    }),
    SENTENCES("length_constraints:number_sentences", (arguments, text) -> {
        IntPredicate holds = arguments.comparison("num_sentences", "relation");
        return response -> holds.test(text.sentences().split(response).size());
    }),
    PARAGRAPHS("length_constraints:number_paragraphs", (arguments, text) -> {
        int count = arguments.count("num_paragraphs");
        return response -> ResponseLayout.hasDividedParagraphs(response, count);
    }),
    WORDS("length_constraints:number_words", (arguments, text) -> {
        IntPredicate holds = arguments.comparison("num_words", "relation");
        return response -> holds.test(PythonString.count(ResponseLayout.WORD, response));
    }),
    FIRST_WORD_OF_PARAGRAPH("length_constraints:nth_paragraph_first_word", (arguments, text) -> {
        int count = arguments.count("num_paragraphs");
        int place = arguments.count("nth_paragraph");
        String word = PythonString.lower(arguments.text("first_word"));
        return response -> ResponseLayout.paragraphBegins(response, count, place, word);
    }),
    PLACEHOLDERS("detectable_content:number_placeholders", (arguments, text) -> {
        int count = arguments.count("num_placeholders");
        return response -> PythonString.count(ResponseLayout.PLACEHOLDER, response) >= count;
    }),
    POSTSCRIPT("detectable_content:postscript", (arguments, text) -> {
        String marker = PythonString.strip(arguments.text("postscript_marker"));
        Pattern postscript = arguments.pattern(ResponseLayout.postscript(marker));
        return response -> postscript.matcher(PythonString.lower(response)).find();
    }),
    BULLETS("detectable_format:number_bullet_lists", (arguments, text) -> {
        int count = arguments.count("num_bullets");
        return response -> ResponseLayout.bullets(response) == count;
    }),
    CONSTRAINED_RESPONSE(
            "detectable_format:constrained_response",
            (arguments, text) ->
                    response -> List.of("My answer is yes.", "My answer is no.", "My answer is maybe.").stream()
                            .anyMatch(response::contains)),
    HIGHLIGHTS("detectable_format:number_highlighted_sections", (arguments, text) -> {
        int count = arguments.count("num_highlights");
        return response -> ResponseLayout.highlights(response) >= count;
    }),
    SECTIONS("detectable_format:multiple_sections", (arguments, text) -> {
        String splitter = PythonString.strip(arguments.text("section_spliter"));
        Pattern heading = arguments.pattern(ResponseLayout.sectionHeading(splitter));
        int count = arguments.count("num_sections");
        return response -> PythonString.count(heading, response) >= count;
    }),
    JSON("detectable_format:json_format", (arguments, text) -> ResponseLayout::isJson),
    TITLE("detectable_format:title", (arguments, text) -> ResponseLayout::hasTitle),
    TWO_RESPONSES("combination:two_responses", (arguments, text) -> ResponseLayout::isTwoResponses),
    REPEATED_PROMPT("combination:repeat_prompt", (arguments, text) -> {
        String prompt = PythonString.lower(PythonString.strip(arguments.text("prompt_to_repeat")));
        return response -> PythonString.lower(PythonString.strip(response)).startsWith(prompt);
    }),
    END("startend:end_checker", (arguments, text) -> {
        String end = PythonString.lower(PythonString.strip(arguments.text("end_phrase")));
        return response -> PythonString.lower(PythonString.strip(PythonString.strip(response), '"'))
                .endsWith(end);
    }),
    CAPITAL_WORDS("change_case:capital_word_frequency", (arguments, text) -> {
        IntPredicate holds = arguments.comparison("capital_frequency", "capital_relation");
        return response -> holds.test((int) text.words().words(response).stream()
                .filter(PythonString::isUpper)
                .count());
    }),
    ENGLISH_CAPITAL(
            "change_case:english_capital",
            (arguments, text) -> response -> PythonString.isUpper(response) && isEnglish(response)),
    ENGLISH_LOWERCASE(
            "change_case:english_lowercase",
            (arguments, text) -> response -> PythonString.isLower(response) && isEnglish(response)),
    NO_COMMA("punctuation:no_comma", (arguments, text) -> response -> response.indexOf(',') < 0),
    QUOTATION("startend:quotation", (arguments, text) -> response -> {
        String stripped = PythonString.strip(response);
        return stripped.length() > 1 && stripped.startsWith("\"") && stripped.endsWith("\"");
    });

    private final String id;
    private final BiFunction<InstructionArguments, TextTools, Predicate<String>> rule;

    InstructionType(String id, BiFunction<InstructionArguments, TextTools, Predicate<String>> rule) {
        this.id = id;
        this.rule = rule;
    }

    /** What splits texts into words and sentences. */
    record TextTools(SentenceSplitter sentences, WordTokenizer words) {}

    /** The name in the data. */
    String id() {
        return id;
    }

    /** The rule with its arguments put in. */
    Predicate<String> rule(InstructionArguments arguments, TextTools tools) {
        return rule.apply(arguments, tools);
    }

    private static boolean isEnglish(String response) {
        return LanguageDetector.detect(response).map("en"::equals).orElse(true);
    }
}
