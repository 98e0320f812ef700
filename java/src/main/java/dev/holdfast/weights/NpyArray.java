package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One array of an archive: magic, version, a header that is a Python dictionary, and the elements.
 *
 * <p>Source: numpy, {@code numpy.lib.format}, versions 1.0 and 2.0.
 */
final class NpyArray {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAXIMUM_HEADER_BYTES = 1 << 16;
    private static final int COPY_BYTES = 1 << 16;
    private static final Pattern DESCRIPTION = Pattern.compile("'descr': *('[^']{1,16}'|\\[)");
    private static final Pattern ORDER = Pattern.compile("'fortran_order': *(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape': *\\(([0-9, ]*)\\)");
    private static final Map<String, ElementType> TYPES = Map.of(
            "<f2", ElementType.FLOAT16,
            "<f4", ElementType.FLOAT,
            "<f8", ElementType.DOUBLE,
            "<i4", ElementType.INT32,
            "<i8", ElementType.INT64,
            "|u1", ElementType.UINT8,
            "|b1", ElementType.BOOL);

    private final Path path;
    private final String name;
    private final InputStream content;
    private long remaining;

    private NpyArray(Path path, String name, InputStream content, long size) {
        this.path = path;
        this.name = name;
        this.content = content;
        this.remaining = size;
    }

    static HostTensor read(Path path, String name, InputStream content, long size) throws IOException {
        return new NpyArray(path, name, content, size).readArray();
    }

    private HostTensor readArray() throws IOException {
        String header = readHeader();
        ElementType type = readType(header);
        Shape shape = readShape(header);
        if (!match(ORDER, header, "fortran_order").equals("False")) {
            throw malformed("expected C order, got Fortran order; save numpy.ascontiguousarray(" + name + ")");
        }
        if (shape.elementCount() > remaining || shape.elementCount() * type.sizeBytes() != remaining) {
            throw malformed("expected the bytes of " + type + shape + ", got " + remaining);
        }
        if (remaining > Integer.MAX_VALUE) {
            throw malformed("expected at most 2 GiB, got " + remaining + " bytes");
        }
        return readElements(type, shape);
    }

    private String readHeader() throws IOException {
        byte[] start = readBytes(MAGIC.length + 2);
        int version = start[MAGIC.length];
        if (!Arrays.equals(MAGIC, Arrays.copyOf(start, MAGIC.length)) || version != 1 && version != 2) {
            throw malformed("expected a .npy array of version 1 or 2, got something else");
        }
        byte[] lengthBytes = readBytes(version == 1 ? 2 : 4);
        long length = 0;
        for (int i = lengthBytes.length - 1; i >= 0; i--) {
            length = length << 8 | lengthBytes[i] & 0xff;
        }
        if (length > MAXIMUM_HEADER_BYTES) {
            throw malformed("header: expected at most " + MAXIMUM_HEADER_BYTES + " bytes, got " + length);
        }
        return new String(readBytes((int) length), StandardCharsets.ISO_8859_1);
    }

    private ElementType readType(String header) {
        String description = match(DESCRIPTION, header, "descr").replace("'", "");
        ElementType type = TYPES.get(description);
        if (type == null) {
            throw malformed(
                    "expected one of float16, float32, float64, int32, int64, uint8, bool (little-endian), got descr "
                            + (description.equals("[") ? "of a structure" : description));
        }
        return type;
    }

    private Shape readShape(String header) {
        String[] parts = match(SHAPE, header, "shape").strip().split(" *, *");
        try {
            return Shape.of(Arrays.stream(parts)
                    .filter(part -> !part.isEmpty())
                    .mapToLong(Long::parseLong)
                    .toArray());
        } catch (IllegalArgumentException e) {
            throw malformed("shape: expected whole numbers, got " + String.join(", ", parts));
        }
    }

    private String match(Pattern pattern, String header, String key) {
        Matcher matcher = pattern.matcher(header);
        if (!matcher.find()) {
            throw malformed("header: expected the key " + key + ", got " + header.strip());
        }
        return matcher.group(1);
    }

    private HostTensor readElements(ElementType type, Shape shape) throws IOException {
        HostTensor tensor = HostTensor.allocate(type, shape);
        ByteBuffer target = tensor.bytes();
        while (target.hasRemaining()) {
            target.put(readBytes(Math.min(COPY_BYTES, target.remaining())));
        }
        if (content.read() >= 0) {
            throw malformed("expected to end after its elements, got more bytes");
        }
        return tensor;
    }

    private byte[] readBytes(int count) throws IOException {
        byte[] bytes = content.readNBytes(count);
        remaining -= bytes.length;
        if (bytes.length < count) {
            throw malformed("truncated: expected " + count + " more bytes, got " + bytes.length);
        }
        return bytes;
    }

    private MalformedFileException malformed(String problem) {
        return MalformedFileException.of(path, "array " + name + ": " + problem);
    }
}
