package dev.holdfast.data;

import java.util.Arrays;
import java.util.List;

/**
 * Turns context and response segments into one sequence of ids in which every segment starts at a token of its own.
 *
 * <p>A model that generates sees the context tokenised by itself, so training must too: the ids of the text up to a boundary must be the
 * beginning of the row's ids. Mostly they are when the whole text is tokenised at once, and then those ids are taken, as a tokenizer
 * gives them for the running text. Where a token would span a boundary, the segments are tokenised one by one instead.
 */
final class SegmentEncoder {
    private final Tokenizer tokenizer;

    SegmentEncoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Appends the segments' ids to the row. */
    void encode(List<Segment> segments, TokenRow row) {
        StringBuilder text = new StringBuilder();
        segments.forEach(segment -> text.append(segment.text()));
        int[] joint = tokenizer.encode(text.toString(), false);
        int[] ends = ends(segments, text, joint);
        for (int index = 0, start = 0; index < segments.size(); index++) {
            Segment segment = segments.get(index);
            int[] ids = ends == null
                    ? tokenizer.encode(segment.text(), false)
                    : Arrays.copyOfRange(joint, start, ends[index]);
            row.append(ids, segment.response());
            start = ends == null ? 0 : ends[index];
        }
    }

    /** Where each segment's ids end in the joint ids; null if a token spans a boundary. */
    private int[] ends(List<Segment> segments, CharSequence text, int[] joint) {
        int[] ends = new int[segments.size()];
        int position = 0;
        for (int index = 0; index < ends.length; index++) {
            position += segments.get(index).text().length();
            int[] prefix = index == ends.length - 1
                    ? joint
                    : tokenizer.encode(text.subSequence(0, position).toString(), false);
            boolean stable =
                    prefix.length <= joint.length && Arrays.equals(prefix, 0, prefix.length, joint, 0, prefix.length);
            if (!stable) {
                return null;
            }
            ends[index] = prefix.length;
        }
        return ends;
    }
}
