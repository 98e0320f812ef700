package dev.holdfast.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes GGUF files by hand, faulty ones too. */
final class GgufBytes {
    private final ByteBuffer metadata = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer infos = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    private long tensorCount;
    private long metadataCount;

    private static void put(ByteBuffer target, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        target.putLong(bytes.length).put(bytes);
    }

    GgufBytes text(String key, String value) {
        put(metadata, key);
        put(metadata.putInt(8), value);
        metadataCount++;
        return this;
    }

    GgufBytes number(String key, int value) {
        put(metadata, key);
        metadata.putInt(4).putInt(value);
        metadataCount++;
        return this;
    }

    GgufBytes real(String key, float value) {
        put(metadata, key);
        metadata.putInt(6).putFloat(value);
        metadataCount++;
        return this;
    }

    /** A tensor without bytes, dimensions innermost first. */
    GgufBytes tensor(String name, int type, long... dimensions) {
        put(infos, name);
        infos.putInt(dimensions.length);
        for (long dimension : dimensions) {
            infos.putLong(dimension);
        }
        infos.putInt(type).putLong(0);
        tensorCount++;
        return this;
    }

    GgufBytes counts(long tensors, long entries) {
        tensorCount = tensors;
        metadataCount = entries;
        return this;
    }

    Path writeTo(Path file) {
        ByteBuffer all = ByteBuffer.allocate(1 << 18).order(ByteOrder.LITTLE_ENDIAN);
        all.putInt(0x46554747).putInt(3).putLong(tensorCount).putLong(metadataCount);
        all.put(metadata.flip()).put(infos.flip());
        byte[] bytes = new byte[(all.position() + 31) / 32 * 32];
        System.arraycopy(all.array(), 0, bytes, 0, all.position());
        try {
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
