package dev.holdfast.files;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The size and SHA-256 digest of a file.
 *
 * @param sizeBytes its length
 * @param sha256 64 hexadecimal digits
 */
public record FileDigest(@JsonProperty("size_bytes") long sizeBytes, String sha256) {
    private static final int BLOCK_BYTES = 1 << 20;

    static MessageDigest sha256Digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    static FileDigest of(long sizeBytes, MessageDigest digest) {
        return new FileDigest(sizeBytes, HexFormat.of().formatHex(digest.digest()));
    }

    /** What a file of these bytes has. */
    public static FileDigest of(byte[] bytes) {
        return new FileDigest(
                bytes.length, HexFormat.of().formatHex(sha256Digest().digest(bytes)));
    }

    /**
     * Reads the whole file.
     *
     * @throws FileAccessException if it cannot be read
     */
    public static FileDigest of(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MessageDigest digest = sha256Digest();
            ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
            while (channel.read(block) >= 0) {
                digest.update(block.flip());
                block.clear();
            }
            return of(channel.size(), digest);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /**
     * Makes sure that a file is the one that this digest was made of, reading it once; a file of another size is not read at all.
     *
     * @param hint what to do if it is not
     * @throws FileAccessException if it is missing or cannot be read
     * @throws MalformedFileException if it is truncated or has other content
     */
    public void requireOf(Path file, String hint) {
        long got = sizeOf(file);
        if (got < sizeBytes) {
            throw MalformedFileException.atOffset(
                    file, got, "truncated: expected " + sizeBytes + " bytes, got " + got + "; " + hint);
        }
        if (got > sizeBytes) {
            throw MalformedFileException.of(
                    file, "corrupt: expected " + sizeBytes + " bytes, got " + got + "; " + hint);
        }
        FileDigest found = of(file);
        if (!found.equals(this)) {
            throw MalformedFileException.of(
                    file, "corrupt: expected SHA-256 " + sha256 + ", got " + found.sha256 + "; " + hint);
        }
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
