package dev.holdfast.artifact;

import java.nio.file.Path;
import java.util.Locale;

/**
 * The forms of the training graph that an artifact holds, each with a training and an evaluation model of the same parameters.
 *
 * <p>All lie in the artifact's folder, for ONNX Runtime takes external data from a model's own folder alone.
 */
public enum TrainingForm {
    /** Cross-entropy on the labels alone. */
    SFT(""),
    /** Distillation to an anchor between a snapshot and a reference, both given as hidden states and heads. */
    ANCHOR("anchor_"),
    /** As {@link #ANCHOR}, with the student's own logits of the step, detached, as the snapshot. */
    ANCHOR_CURRENT("anchor_current_");

    private static final int FIRST_FLAT_VERSION = 2;

    private final String prefix;

    TrainingForm(String prefix) {
        this.prefix = prefix;
    }

    /** Where an artifact of the present version has one of the form's models. */
    public Path in(Path artifact, String model) {
        return artifact.resolve(prefix + model);
    }

    /** Where an artifact of a format version has it: the first version gave each form a folder. */
    Path in(Path artifact, String model, int formatVersion) {
        return formatVersion >= FIRST_FLAT_VERSION || prefix.isEmpty()
                ? in(artifact, model)
                : artifact.resolve(name().toLowerCase(Locale.ROOT).replace('_', '-'))
                        .resolve(model);
    }

    /** Whether a reference is among the graph's inputs. */
    public boolean hasReference() {
        return this != SFT;
    }

    /** Whether a snapshot is among the graph's inputs. */
    public boolean hasSnapshot() {
        return this == ANCHOR;
    }
}
