package dev.holdfast.config;

import java.util.Locale;

/** The kinds of training job; each takes its own set of keys. */
public enum Job {
    /** Ordinary supervised fine-tuning. */
    SFT,
    /** Anchored distillation towards a reference that exists already. */
    ANCHOR,
    /** Supervised fine-tuning, whose result is the reference of the anchored distillation that follows. */
    FINETUNE;

    /** The command that runs the job. */
    public String command() {
        return name().toLowerCase(Locale.ROOT);
    }
}
