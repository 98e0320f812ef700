package dev.holdfast.natives;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Libraries of this package as files in one folder.
 *
 * <p>Libraries in a folder of classes are used where they lie. Those in a jar are copied once into a folder named by their content, so that
 * no other version is ever taken for this one; a copy appears under its name only when it is complete.
 */
final class UnpackedLibraries {
    private UnpackedLibraries() {}

    /** Whether a library of a platform is on the class path. */
    static boolean isPresent(String platform, String name) {
        return UnpackedLibraries.class.getResource(platform + "/" + name) != null;
    }

    /** The folder that holds these libraries of one platform. */
    static Path folder(String platform, List<String> names, Path cache) throws IOException {
        Map<String, URL> resources = new LinkedHashMap<>();
        for (String name : names) {
            resources.put(name, resource(platform + "/" + name));
        }
        URL first = resources.get(names.get(0));
        if (first.getProtocol().equals("file")) {
            return Path.of(URI.create(first.toString())).getParent();
        }
        return unpack(resources, cache);
    }

    private static URL resource(String name) throws IOException {
        URL resource = UnpackedLibraries.class.getResource(name);
        if (resource == null) {
            throw new IOException("dev/holdfast/natives/" + name + " is not on the class path");
        }
        return resource;
    }

    private static Path unpack(Map<String, URL> resources, Path cache) throws IOException {
        Map<String, byte[]> contents = new LinkedHashMap<>();
        MessageDigest digest = sha256();
        for (Map.Entry<String, URL> resource : resources.entrySet()) {
            byte[] content = read(resource.getValue());
            digest.update(content);
            contents.put(resource.getKey(), content);
        }
        Path folder = Files.createDirectories(
                cache.resolve("holdfast-" + HexFormat.of().formatHex(digest.digest(), 0, 8)));
        for (Map.Entry<String, byte[]> content : contents.entrySet()) {
            writeOnce(folder.resolve(content.getKey()), content.getValue());
        }
        return folder;
    }

    private static byte[] read(URL resource) throws IOException {
        try (InputStream in = resource.openStream()) {
            return in.readAllBytes();
        }
    }

    private static void writeOnce(Path file, byte[] content) throws IOException {
        if (Files.exists(file) && Files.size(file) == content.length) {
            return;
        }
        Path partial = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".partial");
        try {
            Files.write(partial, content);
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256: expected in every Java runtime, got none", e);
        }
    }
}
