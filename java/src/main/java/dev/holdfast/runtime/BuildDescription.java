package dev.holdfast.runtime;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The build description that ONNX Runtime's library carries as a string; the Java API has no call for it. */
final class BuildDescription {
    private static final byte[] MARK = "ORT Build Info: ".getBytes(StandardCharsets.US_ASCII);
    private static final int LONGEST = 512;

    private BuildDescription() {}

    /** The description, or an empty string where the file has none or cannot be read. */
    static String of(Path library) {
        try (FileChannel channel = FileChannel.open(library)) {
            MappedByteBuffer bytes =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), Integer.MAX_VALUE));
            for (int start = 0; start + MARK.length + LONGEST < bytes.limit(); start++) {
                if (isMark(bytes, start)) {
                    return textAt(bytes, start + MARK.length);
                }
            }
            return "";
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean isMark(MappedByteBuffer bytes, int start) {
        for (int i = 0; i < MARK.length; i++) {
            if (bytes.get(start + i) != MARK[i]) {
                return false;
            }
        }
        return true;
    }

    private static String textAt(MappedByteBuffer bytes, int start) {
        int end = start;
        while (end < start + LONGEST && bytes.get(end) >= ' ') {
            end++;
        }
        byte[] text = new byte[end - start];
        bytes.get(start, text);
        return new String(text, StandardCharsets.US_ASCII);
    }
}
