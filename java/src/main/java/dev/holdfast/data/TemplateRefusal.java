package dev.holdfast.data;

/** A template called {@code raise_exception}, or asked for something that templates may not have. */
final class TemplateRefusal extends RuntimeException {
    TemplateRefusal(String message) {
        super(message);
    }
}
