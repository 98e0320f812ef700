package dev.holdfast.cli;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.natives.CudaLibrary;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.runtime.OrtRuntime;
import dev.holdfast.runtime.RuntimeFacts;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Says whether this machine can train, and what it has to train with. */
@Command(
        name = "doctor",
        customSynopsis = "holdfast doctor",
        description = {
            "Say whether this machine can train, and with what.",
            "If it cannot, the first cause comes first and the exit code is 1."
        },
        footer = {"", "Example:", "  holdfast doctor"})
final class DoctorCommand implements Callable<Integer> {
    private final Console console;

    DoctorCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Diagnosis diagnosis = new Diagnosis();
        diagnosis.fact("holdfast", Versions.holdfast());
        diagnosis.fact("java", MachineFacts.java());
        diagnosis.fact("system", MachineFacts.system());
        diagnosis.fact("processor", MachineFacts.processor());
        diagnosis.fact("instructions", MachineFacts.instructionSets());
        diagnosis.fact("memory", MachineFacts.memory());
        diagnosis.fact("disk", MachineFacts.disk(Path.of("").toAbsolutePath()));
        examineRuntime(diagnosis);
        diagnosis.examine("kernels", DoctorCommand::kernels);
        diagnosis.examine("products", DoctorCommand::products);
        diagnosis.fact("cuda kernels", cudaKernels());
        diagnosis.fact("nvidia", MachineFacts.nvidiaDriver().orElse("no driver found; training runs on the processor"));
        diagnosis.fact("libraries", String.join(", ", ClassPath.libraries()));
        console.results().print(diagnosis.report());
        return diagnosis.canTrain() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static void examineRuntime(Diagnosis diagnosis) {
        diagnosis.examine("onnxruntime", () -> {
            RuntimeFacts facts = OrtRuntime.boot().facts();
            diagnosis.fact("providers", String.join(", ", facts.providers()));
            diagnosis.fact("build", facts.buildDescription());
            return facts.version() + ", training on, " + facts.nativeLibrary();
        });
    }

    private static String kernels() {
        NativeLibrary library = NativeLibrary.load();
        String cap = library.cappedInstructionSet()
                .map(name -> " (capped at " + name + " by " + NativeLibrary.INSTRUCTION_SET_VARIABLE + ")")
                .orElse("");
        return "interface " + library.version() + ", " + library.instructionSet() + cap + ", "
                + library.operatorLibrary();
    }

    /** Training does without them, so what is missing is no cause to fail. */
    private static String cudaKernels() {
        try {
            CudaLibrary library = CudaLibrary.load();
            return library.name() + ", " + device(library) + ", " + library.file();
        } catch (HoldfastException absent) {
            return absent.getMessage();
        }
    }

    private static String device(CudaLibrary library) {
        try {
            return MachineFacts.device(library.device());
        } catch (HoldfastException absent) {
            return absent.getMessage();
        }
    }

    private static String products() {
        NativeLibrary library = NativeLibrary.load();
        return library.matrixLibrary()
                + (library.multipliesBfloat16() ? ", bf16 by the processor" : ", bf16 not on this processor");
    }
}
