package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that starts Java, with a Java that only repeats its arguments. */
class LauncherTest {
    @TempDir
    Path home;

    @BeforeEach
    void install() throws IOException {
        Files.createDirectories(home.resolve("tools"));
        Files.copy(Path.of("tools/holdfast"), home.resolve("tools/holdfast"));
        Path java = Files.createDirectories(home.resolve("java/bin")).resolve("java");
        Files.writeString(
                java,
                "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'version \"17.0.1\"' >&2; else echo \"$@\"; fi\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String run() throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder("bash", home.resolve("tools/holdfast").toString(), "doctor");
        builder.environment().put("JAVA_HOME", home.resolve("java").toString());
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said.strip();
    }

    @Test
    void withoutABuildItSaysHowToMakeOne() throws Exception {
        assertThat(run()).startsWith("error: nothing is built in ").endsWith("tools/dev build");
    }

    @Test
    void itKeepsToTheJarsOfOneBuildWhileAnotherReplacesThem() throws Exception {
        Files.createDirectories(home.resolve("build/app.first/lib"));
        Files.createDirectories(home.resolve("build/app.second/lib"));
        Path link = Files.createSymbolicLink(home.resolve("build/app"), Path.of("app.first"));
        assertThat(run()).contains("-cp " + home.toRealPath() + "/build/app.first/lib/* dev.holdfast.cli.Main doctor");
        Files.delete(link);
        Files.createSymbolicLink(link, Path.of("app.second"));
        assertThat(run()).contains("/build/app.second/lib/*");
    }
}
