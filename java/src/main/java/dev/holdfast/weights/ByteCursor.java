package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads little-endian values one after another; every read is checked against the end of the file. */
final class ByteCursor {
    private static final int BUFFER_BYTES = 1 << 16;

    private final InputFile file;
    private final ByteBuffer buffer =
            ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long bufferStart;

    ByteCursor(InputFile file, long position) {
        this.file = file;
        this.bufferStart = position;
    }

    long position() {
        return bufferStart + buffer.position();
    }

    long remaining() {
        return file.size() - position();
    }

    byte readByte() {
        return ensure(1).get();
    }

    short readShort() {
        return ensure(2).getShort();
    }

    int readInt() {
        return ensure(4).getInt();
    }

    long readLong() {
        return ensure(8).getLong();
    }

    float readFloat() {
        return ensure(4).getFloat();
    }

    double readDouble() {
        return ensure(8).getDouble();
    }

    /** A string of UTF-8 with its length in bytes before it. */
    String readString(int maximumBytes) {
        long start = position();
        long length = readLong();
        if (length < 0 || length > maximumBytes) {
            throw malformed(
                    start,
                    "string length: expected at most " + maximumBytes + ", got " + Long.toUnsignedString(length));
        }
        return new String(readBytes((int) length), StandardCharsets.UTF_8);
    }

    byte[] readBytes(int length) {
        require(length);
        byte[] bytes = new byte[length];
        int buffered = Math.min(length, buffer.remaining());
        buffer.get(bytes, 0, buffered);
        if (buffered < length) {
            long position = position();
            file.read(position, ByteBuffer.wrap(bytes, buffered, length - buffered));
            bufferStart = position + length - buffered;
            buffer.position(0).limit(0);
        }
        return bytes;
    }

    MalformedFileException malformed(long offset, String problem) {
        return file.malformed(offset, problem);
    }

    private void require(long count) {
        if (count > remaining()) {
            throw file.truncated(position(), count, remaining());
        }
    }

    private ByteBuffer ensure(int count) {
        if (buffer.remaining() < count) {
            require(count);
            refill();
        }
        return buffer;
    }

    private void refill() {
        long position = position();
        buffer.clear().limit((int) Math.min(BUFFER_BYTES, file.size() - position));
        file.read(position, buffer);
        buffer.flip();
        bufferStart = position;
    }
}
