package dev.holdfast.data;

/**
 * An example with its place in the data.
 *
 * @param index the number of the row among the data's rows, from 0
 * @param where the place for messages, for example {@code train.jsonl:318}
 * @param example what the row holds
 */
public record Row(long index, String where, Example example) {}
