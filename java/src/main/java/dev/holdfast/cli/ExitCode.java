package dev.holdfast.cli;

/** The codes that the process exits with. */
final class ExitCode {
    static final int OK = 0;

    /** Something failed, or the input is bad. */
    static final int FAILURE = 1;

    /** The command line or the configuration is wrong. */
    static final int USAGE = 2;

    static final int NON_FINITE_LOSS = 3;

    /** A budget of drift ended the run; its last checkpoint is within. */
    static final int DRIFT_BUDGET = 4;

    /** Stopped on request; the run can be resumed. */
    static final int INTERRUPTED = 5;

    private ExitCode() {}
}
