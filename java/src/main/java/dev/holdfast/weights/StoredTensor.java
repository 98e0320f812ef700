package dev.holdfast.weights;

import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A tensor's place in a file whose bounds have been checked. */
record StoredTensor(String name, StorageFormat format, Shape shape, long offset) implements TableEntry {
    private static final int CHUNK_BYTES = 1 << 18;

    long sizeBytes() {
        return format.sizeBytes(shape.elementCount());
    }

    @Override
    public WeightInfo info() {
        return new WeightInfo(name, format.name(), shape);
    }

    @Override
    public HostTensor readFloat(InputFile file) {
        HostTensor result = allocate(file);
        if (format == StorageFormat.F32) {
            file.read(offset, result.bytes());
        } else {
            decode(file, result.floats());
        }
        return result;
    }

    private HostTensor allocate(InputFile file) {
        if (shape.elementCount() > Integer.MAX_VALUE / ElementType.FLOAT.sizeBytes()) {
            throw new UnsupportedModelException(
                    file.path() + ": tensor " + name + ": expected at most 2 GiB as FLOAT, got shape " + shape);
        }
        return HostTensor.allocate(ElementType.FLOAT, shape);
    }

    private void decode(InputFile file, FloatBuffer target) {
        int chunkBlocks = Math.min(CHUNK_BYTES / format.blockBytes(), target.remaining() / format.blockLength());
        byte[] blocks = new byte[chunkBlocks * format.blockBytes()];
        float[] values = new float[chunkBlocks * format.blockLength()];
        long position = offset;
        while (target.hasRemaining()) {
            int count = Math.min(chunkBlocks, target.remaining() / format.blockLength());
            file.read(position, ByteBuffer.wrap(blocks, 0, count * format.blockBytes()));
            format.decode(blocks, values, count);
            target.put(values, 0, count * format.blockLength());
            position += (long) count * format.blockBytes();
        }
    }
}
