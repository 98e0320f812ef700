/**
 * IFEval's instructions: whether a response follows each, as the benchmark's own program judges it.
 *
 * <p>Flows in: instructions with their arguments, responses as text. Flows out: true or false. Imports {@code data} for the lines of
 * files and {@code error}. The rules are those of google-research/instruction_following_eval, quirks included; words and sentences are
 * those of
 * NLTK 3.10. Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models", arXiv 2311.07911.
 */
package dev.holdfast.eval.ifeval;
