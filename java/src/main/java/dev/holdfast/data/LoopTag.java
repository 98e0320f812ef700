package dev.holdfast.data;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.ForTag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.util.ForLoop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * {@code for} as Jinja2 has it: a scope for each turn, {@code previtem} and {@code nextitem}, a filtering {@code if}, and {@code else} for
 * an empty list.
 */
final class LoopTag extends ForTag {
    private record Header(List<String> names, String items, String condition) {}

    @Override
    public String interpret(TagNode node, JinjavaInterpreter interpreter) {
        Header header = header(node.getHelpers());
        List<Object> items = new ArrayList<>();
        for (Object item : items(interpreter.resolveELExpression(header.items(), node.getLineNumber()))) {
            if (header.condition() == null || isWanted(header, item, node, interpreter)) {
                items.add(item);
            }
        }
        StringBuilder output = new StringBuilder();
        List<Node> body = body(node, items.isEmpty());
        if (items.isEmpty()) {
            body.forEach(child -> output.append(child.render(interpreter)));
        }
        State loop = new State(items);
        while (loop.hasNext()) {
            Object item = loop.next();
            renderTurn(header, loop, item, body, interpreter, output);
        }
        return output.toString();
    }

    private static void renderTurn(
            Header header,
            State loop,
            Object item,
            List<Node> body,
            JinjavaInterpreter interpreter,
            StringBuilder output) {
        interpreter.enterScope();
        try {
            interpreter.getContext().put(LOOP, loop);
            assign(header.names(), item, interpreter);
            for (Node child : body) {
                output.append(child.render(interpreter));
                if (loop.isContinued()) {
                    break;
                }
            }
        } finally {
            interpreter.leaveScope();
        }
    }

    private static boolean isWanted(Header header, Object item, TagNode node, JinjavaInterpreter interpreter) {
        interpreter.enterScope();
        try {
            assign(header.names(), item, interpreter);
            return ConditionTag.isTrue(interpreter.resolveELExpression(header.condition(), node.getLineNumber()));
        } finally {
            interpreter.leaveScope();
        }
    }

    private static void assign(List<String> names, Object item, JinjavaInterpreter interpreter) {
        List<?> values = names.size() == 1 ? Arrays.asList(item) : items(item);
        if (values.size() != names.size()) {
            throw new TemplateRefusal("for: expected " + names.size() + " values to assign, got " + values.size());
        }
        for (int index = 0; index < names.size(); index++) {
            interpreter.getContext().put(names.get(index), interpreter.wrap(values.get(index)));
        }
    }

    /** What Python iterates over: elements, keys of a map, characters of a text. */
    static List<?> items(Object value) {
        if (value == null) {
            return List.of();
        } else if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        } else if (value instanceof Iterable<?> iterable) {
            List<Object> items = new ArrayList<>();
            iterable.forEach(items::add);
            return items;
        } else if (value instanceof Object[] array) {
            return Arrays.asList(array);
        } else if (value instanceof CharSequence text) {
            return text.codePoints().mapToObj(Character::toString).toList();
        }
        throw new TemplateRefusal("for: expected a list, a map or a text, got " + value);
    }

    /** The children before {@code else}, or those behind it. */
    private static List<Node> body(TagNode node, boolean empty) {
        List<Node> children = new ArrayList<>(node.getChildren());
        int otherwise = 0;
        while (otherwise < children.size()
                && !(children.get(otherwise) instanceof TagNode tag
                        && tag.getName().equals("else"))) {
            otherwise++;
        }
        if (empty) {
            return otherwise == children.size() ? List.of() : children.subList(otherwise + 1, children.size());
        }
        return children.subList(0, otherwise);
    }

    private static Header header(String helpers) {
        List<String> tokens = TemplateTokens.of(helpers);
        int in = TemplateTokens.indexAtTopLevel(tokens, "in", 0);
        if (in < 0) {
            throw new TemplateRefusal("for: expected names in list, got" + helpers);
        }
        int condition = TemplateTokens.indexAtTopLevel(tokens, "if", in);
        List<String> names = Arrays.stream(String.join("", tokens.subList(0, in))
                        .replaceAll("[()\\s]", "")
                        .split(","))
                .toList();
        String items = String.join("", tokens.subList(in + 1, condition < 0 ? tokens.size() : condition));
        return new Header(
                names, items, condition < 0 ? null : String.join("", tokens.subList(condition + 1, tokens.size())));
    }

    /** The {@code loop} variable; {@code break} and {@code continue} of Jinjava act on it. */
    static final class State extends ForLoop {
        private final List<Object> items;

        State(List<Object> items) {
            super(items.iterator(), items.size());
            this.items = items;
        }

        /** A property by its name in templates; null if there is none. */
        Object property(String name) {
            return switch (name) {
                case "index" -> (long) getIndex();
                case "index0" -> (long) getIndex0();
                case "revindex" -> (long) items.size() - getIndex0();
                case "revindex0" -> (long) items.size() - getIndex();
                case "first" -> getIndex0() == 0;
                case "last" -> getIndex() == items.size();
                case "length" -> (long) items.size();
                case "previtem" -> getIndex0() > 0 ? items.get(getIndex0() - 1) : null;
                case "nextitem" -> getIndex() < items.size() ? items.get(getIndex()) : null;
                default -> null;
            };
        }
    }
}
