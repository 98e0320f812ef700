package dev.holdfast.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long a model file and the files of its external data must be at least, which tells a truncated copy before a runtime stumbles over it.
 *
 * <p>Reads any ONNX model, in memory that does not depend on its size.
 */
public final class ModelExtents {
    private static final String HINT = "; write it again or copy it whole";

    private final Path file;
    private final long size;
    private final CodedInputStream in;
    private final Map<Path, Long> extents = new LinkedHashMap<>();
    private boolean hasGraph;

    private ModelExtents(Path file, long size, CodedInputStream in) {
        this.file = file;
        this.size = size;
        this.in = in;
        in.setSizeLimit(Integer.MAX_VALUE);
    }

    /**
     * Checks that a model file and the files of its external data are there and long enough.
     *
     * @throws MalformedFileException if one is missing, too short, or no ONNX model
     * @throws FileAccessException if one cannot be read
     */
    public static void check(Path model) {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(model))) {
            ModelExtents extents = new ModelExtents(model, Files.size(model), CodedInputStream.newInstance(stream));
            extents.readWhole();
            extents.checkExternalData();
        } catch (IOException e) {
            throw FileAccessException.reading(model, e);
        }
    }

    private void readWhole() throws IOException {
        try {
            readModel();
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            throw MalformedFileException.of(
                    file, "not an ONNX model: damaged before byte " + in.getTotalBytesRead() + HINT, e);
        }
    }

    private void readModel() throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            readModelField(tag);
        }
        if (!hasGraph) {
            throw MalformedFileException.of(
                    file, "not an ONNX model: expected a graph, got none in " + size + " bytes" + HINT);
        }
    }

    private void readModelField(int tag) throws IOException {
        if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
            in.skipField(tag);
            return;
        }
        int length = in.readRawVarint32();
        long end = in.getTotalBytesRead() + (long) length;
        if (length >= 0 && end > size) {
            throw MalformedFileException.of(file, "truncated: expected " + end + " bytes or more, got " + size + HINT);
        }
        if (WireFormat.getTagFieldNumber(tag) == ModelProto.GRAPH_FIELD_NUMBER) {
            hasGraph = true;
            readFields(length, GraphProto.INITIALIZER_FIELD_NUMBER, this::readInitializer);
        } else {
            in.skipRawBytes(length);
        }
    }

    private interface Field {
        void read() throws IOException;
    }

    /** Reads a message of so many bytes: the fields of one number by the given reader, the others not at all. */
    private void readFields(int length, int wanted, Field reader) throws IOException {
        int outer = in.pushLimit(length);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == wanted
                    && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                reader.read();
            } else {
                in.skipField(tag);
            }
        }
        in.popLimit(outer);
    }

    private void readInitializer() throws IOException {
        Map<String, String> entries = new HashMap<>();
        readFields(in.readRawVarint32(), TensorProto.EXTERNAL_DATA_FIELD_NUMBER, () -> {
            StringStringEntryProto entry = StringStringEntryProto.parseFrom(in.readByteArray());
            entries.put(entry.getKey(), entry.getValue());
        });
        if (entries.containsKey("location")) {
            long end = Long.parseLong(entries.getOrDefault("offset", "0"))
                    + Long.parseLong(entries.getOrDefault("length", "0"));
            extents.merge(file.resolveSibling(entries.get("location")), end, Math::max);
        }
    }

    private void checkExternalData() throws IOException {
        for (Map.Entry<Path, Long> extent : extents.entrySet()) {
            Path data = extent.getKey();
            if (!Files.isRegularFile(data)) {
                throw MalformedFileException.of(data, "missing: expected the weights of " + file + HINT);
            }
            if (Files.size(data) < extent.getValue()) {
                throw MalformedFileException.of(
                        data, "truncated: expected " + extent.getValue() + " bytes, got " + Files.size(data) + HINT);
            }
        }
    }
}
