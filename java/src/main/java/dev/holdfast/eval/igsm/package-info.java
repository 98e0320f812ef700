/**
 * Problems of iGSM and their solutions: what each quantity is in terms of others, and whether each step of a solution says so.
 *
 * <p>Flows in: problem and solution as text. Flows out: the first fault of a solution, if it has one. Imports nothing of Holdfast.
 * Source: Ye et al., "Physics of Language Models: Part 2.1", arXiv 2407.20311.
 */
package dev.holdfast.eval.igsm;
