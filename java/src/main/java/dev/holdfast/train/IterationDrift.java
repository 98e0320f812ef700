package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How far an outer iteration has moved the student from its snapshot p_t, in nats, means over tokens.
 *
 * <p>Where the inner problem is solved exactly, {@code klStep <= klBound}: KL(p_t ‖ q) ≤ α·KL(p_t ‖ p_ref) for both interpolations.
 * Source: arXiv 2605.04468.
 *
 * @param outerIteration from 1
 * @param ended whether this was measured at the iteration's end
 * @param alpha α, the weight of the reference in the iteration's anchor q
 * @param klStep KL(p_t ‖ p), snapshot against student
 * @param klStepReverse KL(p ‖ p_t)
 * @param klBound α·KL(p_t ‖ p_ref)
 * @param ratio klStep / klBound; null where the bound is 0, as with α = 0
 * @param shareAboveBound share of tokens whose own step exceeds their own bound, in [0, 1]
 * @param klToReference KL(p ‖ p_ref), student against reference
 * @param klToReferenceReverse KL(p_ref ‖ p)
 */
public record IterationDrift(
        @JsonProperty("outer_iteration") int outerIteration,
        @JsonProperty("iteration_ended") boolean ended,
        double alpha,
        @JsonProperty("kl_step") double klStep,
        @JsonProperty("kl_step_reverse") double klStepReverse,
        @JsonProperty("kl_bound") double klBound,
        @JsonInclude(JsonInclude.Include.NON_NULL) Double ratio,
        @JsonProperty("share_above_bound") double shareAboveBound,
        @JsonProperty("kl_to_reference") double klToReference,
        @JsonProperty("kl_to_reference_reverse") double klToReferenceReverse) {}
