package dev.holdfast.data;

import java.util.Arrays;

/** Token ids with their response mask, growing to the right. */
final class TokenRow {
    private int[] ids = new int[0];
    private boolean[] response = new boolean[0];

    void append(int[] more, boolean isResponse) {
        int start = ids.length;
        ids = Arrays.copyOf(ids, start + more.length);
        response = Arrays.copyOf(response, ids.length);
        System.arraycopy(more, 0, ids, start, more.length);
        Arrays.fill(response, start, ids.length, isResponse);
    }

    int length() {
        return ids.length;
    }

    int id(int index) {
        return ids[index];
    }

    int[] ids(int start, int end) {
        return Arrays.copyOfRange(ids, start, end);
    }

    boolean isResponse(int index) {
        return response[index];
    }

    /** The tokens from start to end become context. */
    void exclude(int start, int end) {
        Arrays.fill(response, start, end, false);
    }

    void truncate(int length) {
        ids = Arrays.copyOf(ids, length);
        response = Arrays.copyOf(response, length);
    }

    /** Removes the tokens behind the last response token: nothing is predicted from them. */
    void truncateBehindLastResponse() {
        int end = ids.length;
        while (end > 0 && !response[end - 1]) {
            end--;
        }
        truncate(end);
    }

    EncodedExample toExample(long row) {
        return new EncodedExample(row, ids.clone(), response.clone());
    }
}
