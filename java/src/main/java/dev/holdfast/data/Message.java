package dev.holdfast.data;

/**
 * One turn of a conversation.
 *
 * @param role who speaks, for example {@code system}, {@code user} or {@code assistant}
 * @param content what is said
 */
public record Message(String role, String content) {
    /** Whether the turn is the model's, and therefore a response. */
    public boolean isResponse() {
        return role.equals("assistant");
    }
}
