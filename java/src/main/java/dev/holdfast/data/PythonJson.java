package dev.holdfast.data;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** JSON as Python's {@code json.dumps(value, ensure_ascii=False)} writes it, spaces included. */
final class PythonJson {
    private final int indent;
    private final StringBuilder output = new StringBuilder();

    private PythonJson(int indent) {
        this.indent = indent;
    }

    /**
     * The JSON of a value of texts, numbers, booleans, lists and maps.
     *
     * @param indent spaces a level; negative for one line
     */
    static String write(Object value, int indent) {
        PythonJson json = new PythonJson(indent);
        json.append(value, 0);
        return json.output.toString();
    }

    private void append(Object value, int depth) {
        if (value instanceof Map<?, ?> map) {
            List<Object> keys = new ArrayList<>(map.keySet());
            appendAll('{', keys, '}', depth, key -> {
                appendText(String.valueOf(key));
                output.append(": ");
                append(map.get(key), depth + 1);
            });
        } else if (value instanceof Iterable<?> || value instanceof Object[]) {
            appendAll('[', LoopTag.items(value), ']', depth, item -> append(item, depth + 1));
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            output.append(value);
        } else {
            appendText(value.toString());
        }
    }

    private interface Appender {
        void append(Object item);
    }

    private void appendAll(char open, List<?> items, char close, int depth, Appender appender) {
        output.append(open);
        for (int index = 0; index < items.size(); index++) {
            output.append(index == 0 ? "" : indent < 0 ? ", " : ",");
            appendLine(depth + 1);
            appender.append(items.get(index));
        }
        if (!items.isEmpty()) {
            appendLine(depth);
        }
        output.append(close);
    }

    private void appendLine(int depth) {
        if (indent >= 0) {
            output.append('\n').append(" ".repeat(indent * depth));
        }
    }

    private void appendText(String text) {
        output.append('"')
                .append(JsonStringEncoder.getInstance().quoteAsString(text))
                .append('"');
    }
}
