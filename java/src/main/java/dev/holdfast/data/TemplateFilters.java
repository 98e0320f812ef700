package dev.holdfast.data;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Filters that Jinjava lacks, or whose results differ from those of Jinja2. */
final class TemplateFilters {
    private TemplateFilters() {}

    private interface Function {
        Object apply(Object value, Object[] arguments, Map<String, Object> named);
    }

    static List<Filter> all() {
        return List.of(
                filter("tojson", (value, arguments, named) -> PythonJson.write(value, indent(arguments, named))),
                filter("trim", (value, arguments, named) -> PythonText.call(PythonText.of(value), "strip", arguments)),
                filter("capitalize", (value, arguments, named) -> PythonText.capitalize(PythonText.of(value))),
                filter("title", (value, arguments, named) -> PythonText.call(PythonText.of(value), "title", arguments)),
                filter("string", (value, arguments, named) -> PythonText.of(value)),
                filter("join", (value, arguments, named) -> join(value, arguments, named)),
                filter("length", (value, arguments, named) -> length(value)),
                filter("count", (value, arguments, named) -> length(value)),
                filter("list", (value, arguments, named) -> new ArrayList<>(LoopTag.items(value))),
                filter("reverse", (value, arguments, named) -> reversed(value)),
                filter(
                        "items",
                        (value, arguments, named) ->
                                value instanceof Map<?, ?> map ? TemplateValues.entries(map) : List.of()));
    }

    /** A filter that fails when it is used. */
    static Filter unknown(String name) {
        return filter(name, (value, arguments, named) -> {
            throw new TemplateRefusal("the filter " + name + " is not supported");
        });
    }

    private static Object join(Object value, Object[] arguments, Map<String, Object> named) {
        String attribute = (String) (arguments.length > 1 ? arguments[1] : named.get("attribute"));
        String separator = PythonText.of(arguments.length > 0 ? arguments[0] : named.get("d"));
        return LoopTag.items(value).stream()
                .map(item ->
                        PythonText.of(attribute != null && item instanceof Map<?, ?> map ? map.get(attribute) : item))
                .collect(Collectors.joining(separator));
    }

    private static long length(Object value) {
        return value instanceof Map<?, ?> map
                ? map.size()
                : LoopTag.items(value).size();
    }

    private static Object reversed(Object value) {
        if (value instanceof CharSequence text) {
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> items = new ArrayList<>(LoopTag.items(value));
        Collections.reverse(items);
        return items;
    }

    private static int indent(Object[] arguments, Map<String, Object> named) {
        Object value = arguments.length > 0 ? arguments[0] : named.get("indent");
        return value instanceof Number number ? number.intValue() : -1;
    }

    private static Filter filter(String name, Function function) {
        return new Filter() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
                return function.apply(value, arguments, Map.of());
            }

            @Override
            public Object filter(
                    Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
                return function.apply(value, arguments, named);
            }
        };
    }
}
