package dev.holdfast.data;

import dev.holdfast.error.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Splits a conversation, rendered by the chat template, into context and response segments.
 *
 * <p>The response of an assistant turn is what the template adds between the generation prompt for that turn and the end of the turn. That
 * is exact where the template renders the beginning of a conversation as the beginning of the whole. Some templates do not (they strip
 * the reasoning from earlier turns, for example); then only the last assistant turn is response, and it starts where the whole
 * conversation departs from the generation prompt. A conversation's first turn has no context and is never response.
 */
final class Conversation {
    private final ChatTemplate template;

    Conversation(ChatTemplate template) {
        this.template = template;
    }

    /** Segments of alternating kind, and whether turns before the last could not be told apart. */
    record Split(List<Segment> segments, boolean lastTurnOnly) {}

    /** Splits up to the last assistant turn; without one that may be learnt there is no response segment. */
    Split split(Example.Messages example) {
        List<Integer> turns = responseTurns(example);
        if (turns.isEmpty()) {
            return new Split(List.of(new Segment(template.render(example.messages(), false), false)), false);
        }
        List<Message> messages = example.messages().subList(0, turns.get(turns.size() - 1) + 1);
        String whole = template.render(messages, false);
        return everyTurn(messages, turns, whole)
                .map(segments -> new Split(segments, false))
                .orElseGet(() -> new Split(lastTurn(messages, whole), turns.size() > 1));
    }

    private static List<Integer> responseTurns(Example.Messages example) {
        List<Integer> turns = new ArrayList<>();
        for (int index = Math.max(1, example.firstResponse());
                index < example.messages().size();
                index++) {
            if (example.messages().get(index).isResponse()) {
                turns.add(index);
            }
        }
        return turns;
    }

    private Optional<List<Segment>> everyTurn(List<Message> messages, List<Integer> turns, String whole) {
        List<Segment> segments = new ArrayList<>();
        int position = 0;
        for (int turn : turns) {
            String before = renderPrefix(messages.subList(0, turn), true);
            String after = turn == messages.size() - 1 ? whole : renderPrefix(messages.subList(0, turn + 1), false);
            boolean stable = whole.startsWith(before)
                    && whole.startsWith(after)
                    && position <= before.length()
                    && before.length() <= after.length();
            if (!stable || before.isEmpty()) {
                return Optional.empty();
            }
            segments.add(new Segment(whole.substring(position, before.length()), false));
            segments.add(new Segment(whole.substring(before.length(), after.length()), true));
            position = after.length();
        }
        return Optional.of(segments);
    }

    private List<Segment> lastTurn(List<Message> messages, String whole) {
        String before = renderPrefix(messages.subList(0, messages.size() - 1), true);
        int start = commonPrefixLength(before, whole);
        return List.of(new Segment(whole.substring(0, start), false), new Segment(whole.substring(start), true));
    }

    /** A beginning that the template refuses, for example because no user has spoken yet, counts as empty. */
    private String renderPrefix(List<Message> messages, boolean addGenerationPrompt) {
        try {
            return template.render(messages, addGenerationPrompt);
        } catch (InvalidInputException e) {
            return "";
        }
    }

    private static int commonPrefixLength(String one, String other) {
        int length = 0;
        while (length < Math.min(one.length(), other.length()) && one.charAt(length) == other.charAt(length)) {
            length++;
        }
        boolean splitsPair = length > 0 && Character.isHighSurrogate(other.charAt(length - 1));
        return splitsPair ? length - 1 : length;
    }
}
