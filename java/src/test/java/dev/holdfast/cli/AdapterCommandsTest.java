package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.TinyModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands with low-rank adapters, on a tiny model and the adapter that PEFT made for it. */
class AdapterCommandsTest {
    private static final String PEFT = "onnx-artifacts/golden/llama/lora";

    @TempDir
    static Path shared;

    private static String source;

    @TempDir
    Path folder;

    private final ByteArrayOutputStream results = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    @BeforeAll
    static void writeModel() {
        source = TinyModel.source("llama", shared.resolve("source")).toString();
    }

    private int run(String... arguments) {
        results.reset();
        messages.reset();
        Console console = new Console(print(results), print(messages), OptionalInt.empty(), false);
        return new Cli(console).run(arguments);
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private String said() {
        return messages.toString(StandardCharsets.UTF_8);
    }

    private String in(String name) {
        return folder.resolve(name).toString();
    }

    private String generated(String model) {
        assertThat(run("generate", "--model", in(model), "--prompt", "w5 w17 w23", "--temperature", "0"))
                .as(said())
                .isEqualTo(ExitCode.OK);
        return results.toString(StandardCharsets.UTF_8);
    }

    @Test
    void anAdapterOfPeftIsExportedPackagedAndRun() {
        assertThat(run("export", "--model", source, "--adapter", PEFT, "--out", in("adapted")))
                .isEqualTo(ExitCode.OK);
        assertThat(said()).contains("LoRA of rank 4, ");
        assertThat(run("export", "--model", source, "--merge_adapter", PEFT, "--out", in("merged")))
                .isEqualTo(ExitCode.OK);
        assertThat(run("export", "--model", source, "--out", in("plain"))).isEqualTo(ExitCode.OK);
        assertThat(run("package", "--run", in("adapted"), "--out", in("apart-model"), "--adapter"))
                .isEqualTo(ExitCode.OK);
        assertThat(said()).contains("adapter     " + in("apart-model/adapter.onnx_adapter"));
        for (String name : new String[] {"adapted", "merged", "plain"}) {
            assertThat(run("package", "--run", in(name), "--out", in(name + "-model")))
                    .isEqualTo(ExitCode.OK);
        }

        String expected = generated("merged-model");
        assertThat(generated("adapted-model")).isEqualTo(expected);
        assertThat(generated("apart-model")).isEqualTo(expected);
        assertThat(generated("plain-model")).isNotEqualTo(expected);
        assertThat(run("package", "--run", in("plain"), "--out", in("none"), "--adapter"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).contains("expected a model with adapters to keep apart");
    }

    @Test
    void bothStagesTrainAdaptersAndResumeAsTheyWere() {
        Path rows = TinyModel.rows(folder.resolve("train.jsonl"), 12);
        assertThat(run("export", "--model", source, "--out", in("artifact"))).isEqualTo(ExitCode.OK);
        String[] job = {
            "finetune",
            "--artifact",
            in("artifact"),
            "--data",
            rows.toString(),
            "--data.eval",
            rows.toString(),
            "--out",
            in("run"),
            "--lora_r",
            "2",
            "--lora_target_modules",
            "q_proj,down_proj",
            "--lora_dropout",
            "0.1",
            "--max_steps",
            "3",
            "--learning_rate",
            "1e-2",
            "--outer_iterations",
            "1"
        };
        assertThat(run(job)).as(said()).isEqualTo(ExitCode.OK);
        assertThat(said()).contains("LoRA of rank 2 on q_proj, down_proj (");
        for (String stage : new String[] {"sft", "anchor"}) {
            assertThat(folder.resolve("run/" + stage + "/artifact/base")).isRegularFile();
            assertThat(folder.resolve("run/" + stage + "/model/adapter.onnx_adapter"))
                    .doesNotExist();
        }
        String merged = generated("run/anchor/model");
        assertThat(run("finetune", "--out", in("run"), "--resume")).as(said()).isEqualTo(ExitCode.OK);
        assertThat(run("package", "--run", in("run"), "--out", in("apart"), "--adapter"))
                .isEqualTo(ExitCode.OK);
        assertThat(generated("apart")).isEqualTo(merged);
    }

    @Test
    void flagsThatDoNotFitAreToldAtOnce() {
        assertThat(run("export", "--model", source, "--out", in("a"), "--lora_alpha", "3", "--frozen_type", "bfloat16"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("--lora_alpha: expected --lora_r beside it").contains("--frozen_type: expected ");
        assertThat(run("export", "--model", source, "--out", in("a"), "--lora_r", "2", "--adapter", PEFT))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("--adapter: expected no --lora_r beside it");
        assertThat(run(
                        "export",
                        "--model",
                        source,
                        "--out",
                        in("a"),
                        "--lora_r",
                        "2",
                        "--lora_target_modules",
                        "c_attn"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, got c_attn");
        assertThat(run(
                        "export",
                        "--model",
                        source,
                        "--out",
                        in("a"),
                        "--lora_r",
                        "2",
                        "--lora_dropout",
                        "0.1",
                        "--kernels",
                        "stock"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("lora_dropout: expected 0 with stock kernels");
        assertThat(folder.resolve("a")).doesNotExist();
    }
}
