package dev.holdfast.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * A question with answers to choose from, of which a model finds one the likeliest.
 *
 * @param key what names it in the data
 * @param prompt what is asked, up to the place of the answer
 * @param letters the answers, a token each
 * @param right the index of the right one
 * @param group what it is counted with besides all others
 */
record Choice(JsonNode key, Prompt prompt, List<String> letters, int right, String group) {}
