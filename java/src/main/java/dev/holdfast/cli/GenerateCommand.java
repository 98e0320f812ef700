package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.data.Message;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.Generation;
import dev.holdfast.eval.GenerationOptions;
import dev.holdfast.eval.Generator;
import dev.holdfast.runtime.SessionSettings;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Continues a text, or answers a conversation, with a packaged model. */
@Command(
        name = "generate",
        customSynopsis = "holdfast generate --model DIR --prompt TEXT | --chat TEXT | --messages FILE [FLAGS]",
        description = {
            "Continue a text, or answer a question, with a packaged model.",
            "The text appears on standard output as it is generated."
        },
        footer = {
            "",
            "Examples:",
            "  holdfast generate --model model --prompt \"Once upon a time\"",
            "  holdfast generate --model model --chat \"What is the capital of France?\"",
            "  holdfast generate --model model --prompt \"Once\" --temperature 0.7 --top_p 0.9 --seed 1",
            "  holdfast generate --model model --messages conversation.json --json"
        })
final class GenerateCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "A packaged model, or a finished run")
    private Path model;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The text to continue")
    private String prompt;

    @Option(
            names = "--chat",
            paramLabel = "TEXT",
            description = "What the user says; the model's chat template puts it into words")
    private String chat;

    @Option(
            names = "--messages",
            paramLabel = "FILE",
            description = "A conversation to answer: JSON, a list of {\"role\": ..., \"content\": ...}")
    private Path messages;

    @Option(
            names = "--max_new_tokens",
            paramLabel = "N",
            description = "The most tokens to generate",
            defaultValue = "256")
    private int maxNewTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Divides the logits before drawing; 0 takes the likeliest token each time",
            defaultValue = "0")
    private double temperature;

    @Option(
            names = "--top_k",
            paramLabel = "K",
            description = "Draw from the K likeliest tokens; 0 = all",
            defaultValue = "0")
    private int topK;

    @Option(
            names = "--top_p",
            paramLabel = "P",
            description = "Draw from the fewest likeliest tokens that hold this share of the probability",
            defaultValue = "1")
    private double topP;

    @Option(names = "--seed", paramLabel = "S", description = "The same seed draws the same tokens", defaultValue = "0")
    private long seed;

    @Option(
            names = "--json",
            description = "Print one object at the end: prompt_ids, generated_ids, text, tokens_per_second")
    private boolean json;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of ONNX Runtime; 0 = all cores",
            defaultValue = "0")
    private int threads;

    GenerateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        GenerationOptions options = new GenerationOptions(maxNewTokens, temperature, topK, topP, seed);
        PrintStream results = console.results();
        try (Generator generator = Generator.open(
                PackagedModelPath.of(model), SessionSettings.defaults().withIntraOpThreads(threads))) {
            Generation generation = generate(generator, options, json ? piece -> {} : this::show);
            results.println(json ? toJson(generation) : "");
            tellWhereContextIsFull(generation, generator.contextLength());
            console.say(String.format(
                    Locale.ROOT,
                    "%d tokens, %.1f tok/s",
                    generation.generatedIds().length,
                    generation.tokensPerSecond()));
        }
        return ExitCode.OK;
    }

    private void tellWhereContextIsFull(Generation generation, int contextLength) {
        int generated = generation.generatedIds().length;
        if (generated < maxNewTokens && generation.promptIds().length + generated == contextLength) {
            console.say("stopped: the model's context of " + contextLength + " tokens is full, the prompt included");
        }
    }

    @Override
    public void check(FlagProblems problems) {
        requireOneInput(problems);
        GenerationOptions.problems(maxNewTokens, temperature, topK, topP)
                .forEach(problem -> problems.wrongUsage("--" + problem));
        problems.require(threads >= 0, "--threads", "0 or more", threads);
        problems.requireExisting("--model", model);
        problems.requireExisting("--messages", messages);
    }

    private void requireOneInput(FlagProblems problems) {
        long given = Stream.of(prompt, chat, messages).filter(Objects::nonNull).count();
        boolean told = Stream.of("--prompt", "--chat", "--messages").anyMatch(problems::concerns);
        if (given != 1 && !told) {
            problems.wrongUsage(
                    "expected exactly one of --prompt, --chat and --messages, got " + (given == 0 ? "none" : given));
        }
    }

    private Generation generate(Generator generator, GenerationOptions options, Consumer<String> listener) {
        if (prompt != null) {
            return generator.complete(prompt, options, listener);
        }
        return generator.chat(chat != null ? question() : MessagesFile.read(messages), options, listener);
    }

    private List<Message> question() {
        if (chat.isEmpty()) {
            throw new InvalidInputException("--chat: expected a text, got an empty one");
        }
        return List.of(new Message("user", chat));
    }

    private void show(String piece) {
        console.results().print(piece);
        console.results().flush();
    }

    private static String toJson(Generation generation) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("prompt_ids", generation.promptIds());
        fields.put("generated_ids", generation.generatedIds());
        fields.put("text", generation.text());
        fields.put("tokens_per_second", generation.tokensPerSecond());
        try {
            return new ObjectMapper().writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("numbers and texts are always JSON", e);
        }
    }
}
