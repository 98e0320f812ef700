package dev.holdfast.runtime;

import dev.holdfast.natives.NativeLibrary;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How sessions compute. The defaults are those that cost least memory at no loss of speed for batches of varying length.
 *
 * @param device where to compute
 * @param intraOpThreads threads inside one operator; 0 means one per physical core that the process may use
 * @param arena whether freed memory is kept for the next step instead of returned to the system
 * @param memoryPattern whether the memory of a step is planned as one block; pays only where all batches have one shape
 * @param optimization how far ONNX Runtime rewrites the graph
 * @param profilePrefix where to write ONNX Runtime's profile: it appends {@code _<time>.json}
 * @param deterministic whether operators must sum in a fixed order
 * @param allowSpinning whether idle threads wait actively, which gains latency and costs processor time
 * @param operatorLibrary a library of custom operators to register
 * @param bfloat16Products whether Holdfast's matrix products round their operands to bfloat16, which recent processors multiply several
 *     times as fast; sums stay in float
 */
public record SessionSettings(
        Device device,
        int intraOpThreads,
        boolean arena,
        boolean memoryPattern,
        GraphOptimization optimization,
        Optional<Path> profilePrefix,
        boolean deterministic,
        boolean allowSpinning,
        Optional<Path> operatorLibrary,
        boolean bfloat16Products) {

    /** How far ONNX Runtime rewrites a graph before running it. */
    public enum GraphOptimization {
        NONE,
        BASIC,
        EXTENDED,
        ALL
    }

    public SessionSettings {
        if (intraOpThreads < 0) {
            throw new IllegalArgumentException("intraOpThreads: expected 0 or more, got " + intraOpThreads);
        }
    }

    /** CPU, one thread per physical core, arena without memory pattern, all optimisations, deterministic. */
    public static SessionSettings defaults() {
        return new Fields().settings();
    }

    /** The settings with their defaults, open to change: the one place that copies them. */
    private static final class Fields {
        private Device device = Device.CPU;
        private int intraOpThreads = 0;
        private boolean arena = true;
        private boolean memoryPattern = false;
        private GraphOptimization optimization = GraphOptimization.ALL;
        private Optional<Path> profilePrefix = Optional.empty();
        private boolean deterministic = true;
        private boolean allowSpinning = true;
        private Optional<Path> operatorLibrary = Optional.empty();
        private boolean bfloat16Products = false;

        private Fields() {}

        private Fields(SessionSettings from) {
            device = from.device;
            intraOpThreads = from.intraOpThreads;
            arena = from.arena;
            memoryPattern = from.memoryPattern;
            optimization = from.optimization;
            profilePrefix = from.profilePrefix;
            deterministic = from.deterministic;
            allowSpinning = from.allowSpinning;
            operatorLibrary = from.operatorLibrary;
            bfloat16Products = from.bfloat16Products;
        }

        private SessionSettings settings() {
            return new SessionSettings(
                    device,
                    intraOpThreads,
                    arena,
                    memoryPattern,
                    optimization,
                    profilePrefix,
                    deterministic,
                    allowSpinning,
                    operatorLibrary,
                    bfloat16Products);
        }
    }

    private SessionSettings with(Consumer<Fields> change) {
        Fields fields = new Fields(this);
        change.accept(fields);
        return fields.settings();
    }

    /** These settings on another device. */
    public SessionSettings withDevice(Device other) {
        return with(fields -> fields.device = other);
    }

    /** These settings with another number of threads. */
    public SessionSettings withIntraOpThreads(int threads) {
        return with(fields -> fields.intraOpThreads = threads);
    }

    /** These settings with other choices of memory. */
    public SessionSettings withMemory(boolean useArena, boolean useMemoryPattern) {
        return with(fields -> {
            fields.arena = useArena;
            fields.memoryPattern = useMemoryPattern;
        });
    }

    /** These settings with another level of graph optimisation. */
    public SessionSettings withOptimization(GraphOptimization level) {
        return with(fields -> fields.optimization = level);
    }

    /** These settings with a profile written to files that begin with this path. */
    public SessionSettings withProfilePrefix(Path prefix) {
        return with(fields -> fields.profilePrefix = Optional.of(prefix));
    }

    /** These settings with or without a fixed order of sums. */
    public SessionSettings withDeterministic(boolean fixedOrder) {
        return with(fields -> fields.deterministic = fixedOrder);
    }

    /** These settings with or without active waiting. */
    public SessionSettings withAllowSpinning(boolean spinning) {
        return with(fields -> fields.allowSpinning = spinning);
    }

    /** These settings with a library of custom operators. */
    public SessionSettings withOperatorLibrary(Path library) {
        return with(fields -> fields.operatorLibrary = Optional.of(library));
    }

    /** These settings with or without operands of bfloat16. */
    public SessionSettings withBfloat16Products(boolean rounded) {
        return with(fields -> fields.bfloat16Products = rounded);
    }

    /**
     * These settings with Holdfast's own operators, such as {@code dev.holdfast:AnchorLoss}.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if Holdfast's native library cannot be loaded
     */
    public SessionSettings withHoldfastOperators() {
        return withOperatorLibrary(NativeLibrary.load().operatorLibrary());
    }
}
