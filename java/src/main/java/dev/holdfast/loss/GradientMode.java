package dev.holdfast.loss;

/** What happens to the memory that the gradient goes to. */
public enum GradientMode {
    /** It is overwritten, whatever it held. */
    OVERWRITE(1),
    /** The gradient is added to it; what lies there for tokens that take no part stays. */
    ACCUMULATE(2);

    private final int code;

    GradientMode(int code) {
        this.code = code;
    }

    /** The code of {@code holdfast.h}. */
    public int code() {
        return code;
    }
}
