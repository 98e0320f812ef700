package dev.holdfast.cache;

/**
 * What storing hidden states in fewer bits lost.
 *
 * @param squaredError Σ (stored − exact)²
 * @param squaredNorm Σ exact²
 */
record StorageError(double squaredError, double squaredNorm) {
    static final StorageError NONE = new StorageError(0, 0);

    StorageError plus(StorageError other) {
        return new StorageError(squaredError + other.squaredError, squaredNorm + other.squaredNorm);
    }

    /** ‖stored − exact‖ / ‖exact‖. */
    double relative() {
        return squaredError == 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
    }
}
