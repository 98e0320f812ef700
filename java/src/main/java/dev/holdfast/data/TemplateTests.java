package dev.holdfast.data;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Tests behind {@code is} that Jinjava lacks, or that differ from those of Jinja2: in Python a text is a sequence too. */
final class TemplateTests {
    private TemplateTests() {}

    static List<ExpTest> all() {
        return List.of(
                test(
                        "iterable",
                        value -> value instanceof Iterable || value instanceof Map || value instanceof CharSequence),
                test(
                        "sequence",
                        value -> value instanceof Iterable || value instanceof Map || value instanceof CharSequence),
                test("true", Boolean.TRUE::equals),
                test("false", Boolean.FALSE::equals),
                test("callable", value -> false),
                test("none", value -> value == null));
    }

    /** A test that fails when it is used. */
    static ExpTest unknown(String name) {
        return test(name, value -> {
            throw new TemplateRefusal("the test " + name + " is not supported");
        });
    }

    private static ExpTest test(String name, Predicate<Object> predicate) {
        return new ExpTest() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public boolean evaluate(Object value, JinjavaInterpreter interpreter, Object... arguments) {
                return predicate.test(value);
            }
        };
    }
}
