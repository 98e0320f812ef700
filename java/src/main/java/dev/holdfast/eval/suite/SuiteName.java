package dev.holdfast.eval.suite;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The suites that there are. */
public enum SuiteName {
    IGSM("igsm", 512, List.of("igsm", "igsm/test*", "test*")),
    IFEVAL("ifeval", 1280, List.of("ifeval", "ifeval/*", "input_data")),
    MEDCALC("medcalc", 1024, List.of("medcalc", "medcalc/*test*", "medcalc_test")),
    COUNTDOWN("countdown", 512, List.of("countdown", "countdown/*")),
    MMLU_PRO("mmlu-pro", 1024, List.of("mmlu-pro", "mmlu-pro/test*", "test")),
    MMLU_PRO_LIKELIHOOD("mmlu-pro-likelihood", 0, MMLU_PRO.files),
    MATH500("math500", 1024, List.of("math500", "math500/*")),
    HUMANEVAL(
            "humaneval",
            512,
            List.of("humaneval", "humaneval/HumanEvalPlus", "humaneval/*", "HumanEvalPlus", "HumanEval")),
    MBPP("mbpp", 512, List.of("mbpp", "mbpp/MbppPlus", "mbpp/*", "MbppPlus")),
    PERPLEXITY("perplexity", 0, List.of("perplexity", "perplexity/*"));

    private final String id;
    private final int maxNewTokens;
    private final List<String> files;

    SuiteName(String id, int maxNewTokens, List<String> files) {
        this.id = id;
        this.maxNewTokens = maxNewTokens;
        this.files = files;
    }

    /** The name on command lines and in files. */
    public String id() {
        return id;
    }

    /** The tokens of a response unless the caller says otherwise; 0 where the model does not generate. */
    public int maxNewTokens() {
        return maxNewTokens;
    }

    /** The patterns of its files in a data folder without their endings, the ones to prefer first. */
    List<String> files() {
        return files;
    }

    /** Whether responses are code that has to be run to be graded. */
    public boolean runsCode() {
        return this == HUMANEVAL || this == MBPP;
    }

    /** Whether it has responses, which can come from elsewhere. */
    public boolean hasResponses() {
        return maxNewTokens > 0;
    }

    /** Whether its data can be made instead of read. */
    public boolean canBeGenerated() {
        return this == COUNTDOWN;
    }

    /** The suite of a name. */
    public static Optional<SuiteName> of(String id) {
        return Arrays.stream(values()).filter(suite -> suite.id.equals(id)).findFirst();
    }

    /** All names, for messages. */
    public static String all() {
        return Arrays.stream(values()).map(SuiteName::id).collect(Collectors.joining(", "));
    }
}
