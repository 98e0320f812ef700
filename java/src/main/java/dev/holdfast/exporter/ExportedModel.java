package dev.holdfast.exporter;

import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.Parameter;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A decoder and what of it is trained.
 *
 * @param decoder the model
 * @param adapters low-rank adapters, which alone are trained then; none where all parameters are
 */
record ExportedModel(Decoder decoder, Optional<LowRankAdapters> adapters) {
    /** A decoder without adapters. */
    static ExportedModel of(Decoder decoder) {
        return new ExportedModel(decoder, Optional.empty());
    }

    /** The parameters that are trained, in the order of the model. */
    List<Parameter> trained() {
        return adapters.map(LowRankAdapters::parameters).orElseGet(decoder::parameters);
    }

    /** The parameters that are not, in the order of the model. */
    List<Parameter> frozen() {
        return adapters.isPresent() ? decoder.parameters() : List.of();
    }

    /** All of them, trained ones first. */
    List<Parameter> parameters() {
        return Stream.concat(trained().stream(), frozen().stream()).toList();
    }

    /** Whether training leaves out some of what goes into the adapters. */
    boolean hasDropout() {
        return adapters.map(all -> all.config().dropout() > 0).orElse(false);
    }
}
