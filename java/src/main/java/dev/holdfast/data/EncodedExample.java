package dev.holdfast.data;

/**
 * A row as token ids, of which some are learnt.
 *
 * @param row the number of the row in its data, from 0
 * @param ids the token ids; the last one is a response token, for what comes after it teaches nothing
 * @param response as long as {@code ids}; whether a token is learnt, that is, predicted from the tokens before it. Never the first. Neither
 *     array is copied.
 */
public record EncodedExample(long row, int[] ids, boolean[] response) {
    /** How many tokens there are. */
    public int length() {
        return ids.length;
    }

    /** How many of the tokens are learnt. */
    public int responseTokens() {
        int count = 0;
        for (boolean learnt : response) {
            count += learnt ? 1 : 0;
        }
        return count;
    }
}
