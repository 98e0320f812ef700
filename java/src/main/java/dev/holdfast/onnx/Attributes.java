package dev.holdfast.onnx;

import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The attributes of a node: names with values of type Long, Float, String, List of Long, List of Float, or {@link HostTensor}. */
public final class Attributes {
    /** No attributes. */
    public static final Attributes NONE = new Attributes(Map.of());

    private final Map<String, Object> values;

    private Attributes(Map<String, Object> values) {
        this.values = Collections.unmodifiableMap(values);
    }

    /**
     * Attributes from names and values in turn. Integers become Long, arrays of long become lists.
     *
     * @throws IllegalArgumentException if a value is of a type that attributes cannot have
     */
    public static Attributes of(Object... namesAndValues) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            values.put((String) namesAndValues[i], normalise(namesAndValues[i + 1]));
        }
        return new Attributes(values);
    }

    static Attributes of(Map<String, Object> values) {
        return new Attributes(new LinkedHashMap<>(values));
    }

    private static Object normalise(Object value) {
        if (value instanceof Integer number) {
            return number.longValue();
        }
        if (value instanceof Double number) {
            return number.floatValue();
        }
        if (value instanceof Boolean flag) {
            return flag ? 1L : 0L;
        }
        if (value instanceof long[] numbers) {
            return Arrays.stream(numbers).boxed().toList();
        }
        if (value instanceof Long
                || value instanceof Float
                || value instanceof String
                || value instanceof List
                || value instanceof HostTensor) {
            return value;
        }
        throw new IllegalArgumentException("attribute: expected a number, text, list or tensor, got "
                + value.getClass().getName());
    }

    /** All names and values, in the order given. */
    public Map<String, Object> asMap() {
        return values;
    }

    /** An integer attribute, or the operator's default where it is absent. */
    public long integer(String name, long otherwise) {
        return values.get(name) instanceof Long value ? value : otherwise;
    }

    /** A real attribute, or the operator's default where it is absent. */
    public float real(String name, float otherwise) {
        return values.get(name) instanceof Float value ? value : otherwise;
    }

    /** A text attribute, or the operator's default where it is absent. */
    public String text(String name, String otherwise) {
        return values.get(name) instanceof String value ? value : otherwise;
    }

    /**
     * A list of integers.
     *
     * @throws IllegalArgumentException if it is absent
     */
    public long[] integers(String name) {
        if (values.get(name) instanceof List<?> list) {
            return list.stream().mapToLong(item -> (Long) item).toArray();
        }
        throw new IllegalArgumentException(
                "attribute " + name + ": expected a list of integers, got " + values.get(name));
    }

    /** Whether the attribute is given. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** These attributes with one added or replaced. */
    public Attributes with(String name, Object value) {
        Map<String, Object> changed = new LinkedHashMap<>(values);
        changed.put(name, normalise(value));
        return new Attributes(changed);
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
