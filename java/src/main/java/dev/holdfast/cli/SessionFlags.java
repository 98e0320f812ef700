package dev.holdfast.cli;

import dev.holdfast.runtime.SessionSettings;
import picocli.CommandLine.Option;

/** The flags that say how a session computes; those that are not given stay as every other command has them. */
final class SessionFlags {
    private final SessionSettings defaults = SessionSettings.defaults();

    @Option(names = "--threads", paramLabel = "N", description = "Threads of ONNX Runtime; 0 = all cores (default 0)")
    private int threads = defaults.intraOpThreads();

    @Option(
            names = "--arena",
            arity = "1",
            paramLabel = "true|false",
            description = "Keep freed memory for the next step")
    private boolean arena = defaults.arena();

    @Option(
            names = "--memory_pattern",
            arity = "1",
            paramLabel = "true|false",
            description = "Plan a step's memory as one block")
    private boolean memoryPattern = defaults.memoryPattern();

    @Option(
            names = "--allow_spinning",
            arity = "1",
            paramLabel = "true|false",
            description = "Let idle threads wait actively")
    private boolean allowSpinning = defaults.allowSpinning();

    @Option(names = "--deterministic", arity = "1", paramLabel = "true|false", description = "Sum in a fixed order")
    private boolean deterministic = defaults.deterministic();

    @Option(
            names = "--bf16",
            arity = "1",
            paramLabel = "BOOL",
            description = "Round the operands of matrix products to bfloat16")
    private boolean bf16 = defaults.bfloat16Products();

    SessionSettings settings() {
        return defaults.withIntraOpThreads(threads)
                .withMemory(arena, memoryPattern)
                .withAllowSpinning(allowSpinning)
                .withDeterministic(deterministic)
                .withBfloat16Products(bf16);
    }
}
