package dev.holdfast.artifact;

/** The forms of the training graph that an artifact holds, each with a training and an evaluation model of the same parameters. */
public enum TrainingForm {
    /** Cross-entropy on the labels alone. */
    SFT(""),
    /** Distillation to an anchor between a snapshot and a reference, both given as hidden states and heads. */
    ANCHOR("anchor"),
    /** As {@link #ANCHOR}, with the student's own logits of the step, detached, as the snapshot. */
    ANCHOR_CURRENT("anchor-current");

    private final String folder;

    TrainingForm(String folder) {
        this.folder = folder;
    }

    /** The folder of the form's models in the artifact directory; empty for the directory itself. */
    public String folder() {
        return folder;
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
