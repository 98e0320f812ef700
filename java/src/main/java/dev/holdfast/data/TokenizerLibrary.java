package dev.holdfast.data;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.holdfast.error.RuntimeFailureException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Loads the native tokenizer library out of the DJL jar, once per process.
 *
 * <p>DJL's own loader is not used: it looks for a CUDA build of the tokenizer on the network where a GPU is present, asks the cloud for
 * the machine's identity, and logs both. Here the CPU library is copied from the jar into the user's cache folder under a name of its
 * own and renamed into place, so that processes that start together cannot see half a file; where that folder cannot be written, a
 * temporary one serves.
 */
final class TokenizerLibrary {
    private TokenizerLibrary() {}

    /** Keeps the first cause, so that every later use fails with it too. */
    private static final class Holder {
        static final RuntimeException FAILURE = load();

        private static RuntimeException load() {
            try {
                System.load(extract().toAbsolutePath().toString());
                return null;
            } catch (IOException | UnsatisfiedLinkError e) {
                return new RuntimeFailureException("tokenizer library: cannot be loaded: " + e.getMessage(), e);
            } catch (RuntimeFailureException e) {
                return e;
            }
        }
    }

    /** The native functions, loaded. */
    static TokenizersLibrary get() {
        if (Holder.FAILURE != null) {
            throw new RuntimeFailureException(Holder.FAILURE.getMessage(), Holder.FAILURE);
        }
        return TokenizersLibrary.LIB;
    }

    private static Path extract() throws IOException {
        byte[] library = read("/native/lib/" + platform() + "/cpu/" + System.mapLibraryName("tokenizers"));
        try {
            return place(library, cacheFolder());
        } catch (IOException e) {
            Path folder = Files.createTempDirectory("holdfast-tokenizers");
            folder.toFile().deleteOnExit();
            Path file = place(library, folder);
            file.toFile().deleteOnExit();
            return file;
        }
    }

    private static byte[] read(String resource) throws IOException {
        try (InputStream stream = TokenizersLibrary.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new RuntimeFailureException(
                        "tokenizer library: none for this platform: expected " + resource + " on the class path");
            }
            return stream.readAllBytes();
        }
    }

    private static Path place(byte[] library, Path folder) throws IOException {
        Files.createDirectories(folder);
        Path target = folder.resolve(System.mapLibraryName("tokenizers"));
        if (Files.isRegularFile(target) && Files.size(target) == library.length) {
            return target;
        }
        Path unfinished = Files.createTempFile(folder, "unfinished", null);
        try {
            Files.write(unfinished, library);
            return Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static Path cacheFolder() throws IOException {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured == null || configured.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(configured);
        return base.resolve("holdfast").resolve("tokenizers-" + version() + "-" + platform());
    }

    private static String version() throws IOException {
        String properties = new String(read("/native/lib/tokenizers.properties"), StandardCharsets.UTF_8);
        return properties.replaceAll("(?s).*version=([^\\s]+).*", "$1");
    }

    private static String platform() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String system = name.startsWith("mac") ? "osx" : name.startsWith("windows") ? "win" : "linux";
        String architecture = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        return system + "-" + architecture;
    }
}
