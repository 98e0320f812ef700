package dev.holdfast.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.eval.grading.Grader;

/**
 * A question of a suite.
 *
 * @param key what names it in the data: a text or a number
 * @param prompt what is asked
 * @param grader judges responses
 * @param group what it is counted with besides all others; empty where the suite has no groups
 */
record Question(JsonNode key, Prompt prompt, Grader grader, String group) {}
