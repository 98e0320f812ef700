package dev.holdfast.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.UnsupportedModelException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How byte-level tokenizers cut text before they merge bytes, by the names that GGUF files give them in {@code tokenizer.ggml.pre}.
 *
 * <p>Source: the patterns of {@code llama-vocab.cpp} in llama.cpp, or those of the models' own {@code tokenizer.json} where they
 * describe the same cuts more plainly.
 */
final class PreTokenizers {
    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");
    private static final String TEKKEN =
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
                    + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final List<String> DEFAULT =
            List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]");
    private static final List<String> SINGLE_DIGITS = List.of("\\p{N}", GPT2);

    /**
     * One way of cutting.
     *
     * @param patterns applied one after the other, each to the pieces that the last one left
     * @param addsBos whether such models begin texts with the beginning of sequence unless their file says otherwise
     * @param wholeWords whether a piece that is a token is taken as it is, before any merge
     */
    record Cut(List<String> patterns, boolean addsBos, boolean wholeWords) {}

    private static final Map<String, Cut> CUTS = cuts();

    private PreTokenizers() {}

    private static Map<String, Cut> cuts() {
        Map<String, Cut> cuts = new TreeMap<>();
        cuts.put("default", new Cut(DEFAULT, false, false));
        put(cuts, new Cut(List.of(GPT2), false, false), "gpt-2", "gpt2", "mpt", "olmo", "jais", "phi-2", "roberta-bpe");
        put(cuts, new Cut(List.of(LLAMA3), true, true), "llama-bpe", "llama3", "llama-v3", "falcon3");
        put(cuts, new Cut(List.of(QWEN2), false, false), "qwen2", "deepseek-r1-qwen", "stablelm2", "megrez");
        put(cuts, new Cut(SINGLE_DIGITS, false, false), "smollm", "starcoder", "refact", "codeshell", "command-r");
        put(cuts, new Cut(List.of(TEKKEN), true, true), "tekken");
        return cuts;
    }

    private static void put(Map<String, Cut> cuts, Cut cut, String... names) {
        for (String name : names) {
            cuts.put(name, cut);
        }
    }

    /** The cut of this name; a file that gives no name has the default. */
    static Cut named(Optional<String> name) {
        Cut cut = CUTS.get(name.orElse("default"));
        if (cut == null) {
            throw new UnsupportedModelException(
                    "tokenizer.ggml.pre: expected one of " + String.join(", ", CUTS.keySet()) + ", got "
                            + name.orElseThrow() + "; export from the model's Hugging Face folder instead");
        }
        return cut;
    }

    /** The {@code pre_tokenizer} of {@code tokenizer.json}: the cuts, then bytes as letters. */
    static ObjectNode toJson(Cut cut) {
        ObjectNode sequence = TextFiles.MAPPER.createObjectNode().put("type", "Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        for (String pattern : cut.patterns()) {
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", pattern);
            split.put("behavior", "Isolated").put("invert", false);
        }
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
        return sequence;
    }
}
