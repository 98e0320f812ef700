package dev.holdfast.eval.grading;

import dev.holdfast.eval.ifeval.IfevalInstructions;
import java.util.List;
import java.util.Map;

/** IFEval: strict and loose, by prompt (all instructions followed) and by instruction. */
public final class IfevalGrader implements Grader {
    private final IfevalInstructions instructions;

    public IfevalGrader(IfevalInstructions instructions) {
        this.instructions = instructions;
    }

    @Override
    public Verdict grade(String response) {
        List<Boolean> strict = instructions.strict(response);
        List<Boolean> loose = instructions.loose(response);
        return new Verdict(Map.of(), Map.of())
                .withTally("prompt_strict", Tally.of(!strict.contains(false)))
                .withTally("instruction_strict", Tally.of(strict))
                .withTally("prompt_loose", Tally.of(!loose.contains(false)))
                .withTally("instruction_loose", Tally.of(loose))
                .withField("instruction_id_list", instructions.ids())
                .withField("strict", strict)
                .withField("loose", loose);
    }
}
