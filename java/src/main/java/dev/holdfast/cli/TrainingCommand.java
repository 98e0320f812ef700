package dev.holdfast.cli;

import dev.holdfast.config.Job;
import java.util.Set;

/** A command that takes the keys of the configuration as flags. */
interface TrainingCommand {
    /** The jobs whose keys it takes. */
    Set<Job> jobs();
}
