package dev.holdfast.files;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
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

    /**
     * Reads the whole file.
     *
     * @throws FileAccessException if it cannot be read
     */
    public static FileDigest of(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
            while (channel.read(block) >= 0) {
                digest.update(block.flip());
                block.clear();
            }
            return new FileDigest(channel.size(), HexFormat.of().formatHex(digest.digest()));
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
