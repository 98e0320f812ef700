package dev.holdfast.runtime;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The artifacts that ONNX Runtime's own tool wrote, with the arrays beside them. */
public final class Goldens {
    private static final Pattern HEADER = Pattern.compile("'descr': '<([fi][48])'.*'shape': \\(([^)]*)\\)");

    private Goldens() {}

    public static Path artifact(String name) {
        try {
            return Path.of(Goldens.class.getResource("/golden/ort-artifacts/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tensors of one step, by input name. */
    public static Map<String, HostTensor> batch(Map<String, HostTensor> arrays, int step, String... inputs) {
        Map<String, HostTensor> batch = new LinkedHashMap<>();
        for (String input : inputs) {
            batch.put(input, arrays.get(input + step));
        }
        return batch;
    }

    /** All arrays of a file that numpy.savez wrote. */
    public static Map<String, HostTensor> arrays(Path file) {
        Map<String, HostTensor> arrays = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(file))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                arrays.put(entry.getName().replaceAll("\\.npy$", ""), array(zip.readAllBytes()));
            }
            return arrays;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HostTensor array(byte[] npy) {
        ByteBuffer bytes = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN);
        int dataStart = 10 + bytes.getShort(8);
        Matcher header = HEADER.matcher(new String(npy, 10, dataStart - 10, StandardCharsets.US_ASCII));
        if (!header.find()) {
            throw new IllegalArgumentException("unexpected header");
        }
        long[] dimensions = Arrays.stream(header.group(2).split(","))
                .map(String::strip)
                .filter(dimension -> !dimension.isEmpty())
                .mapToLong(Long::parseLong)
                .toArray();
        ElementType type = header.group(1).equals("f4") ? ElementType.FLOAT : ElementType.INT64;
        ByteBuffer data = ByteBuffer.allocateDirect(npy.length - dataStart);
        data.put(npy, dataStart, npy.length - dataStart).flip();
        return HostTensor.wrap(type, Shape.of(dimensions), data);
    }
}
