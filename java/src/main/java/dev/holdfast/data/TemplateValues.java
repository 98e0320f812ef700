package dev.holdfast.data;

import com.hubspot.jinjava.el.ext.NamedParameter;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;

/**
 * What templates may reach: elements of lists and maps, characters of texts, the loop variable, and the methods that Python has on these.
 *
 * <p>No property or method of a Java class is looked up by name, so a template cannot leave its data. What does not exist is null, which
 * templates see as undefined.
 */
final class TemplateValues extends ELResolver {
    /** The method that {@link TemplateExpression} puts in place of slices. */
    static final String SLICE = "__slice__";

    @Override
    public Object getValue(ELContext context, Object base, Object property) {
        if (base == null) {
            return null;
        }
        context.setPropertyResolved(true);
        String name = String.valueOf(property);
        if (base instanceof Map<?, ?> map) {
            return map.get(name);
        } else if (base instanceof LoopTag.State loop) {
            return loop.property(name);
        } else if (name.matches("-?\\d{1,9}") && isSequence(base)) {
            List<?> items = LoopTag.items(base);
            int index = Integer.parseInt(name);
            index += index < 0 ? items.size() : 0;
            return index >= 0 && index < items.size() ? items.get(index) : null;
        }
        return null;
    }

    @Override
    public Object invoke(ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
        if (base == null) {
            throw new TemplateRefusal(method + "(): expected a value to call it on, got an undefined one");
        }
        context.setPropertyResolved(true);
        if (base instanceof Filter filter) {
            return applyFilter(filter, arguments);
        } else if (base instanceof ExpTest test) {
            return applyTest(test, method, arguments);
        }
        return call(
                base,
                String.valueOf(method),
                Arrays.stream(arguments).map(TemplateValues::unnamed).toArray());
    }

    @SuppressWarnings("unchecked")
    private static Object applyFilter(Filter filter, Object[] arguments) {
        return filter.filter(
                arguments[0], (JinjavaInterpreter) arguments[1], (Object[]) arguments[2], (Map<String, Object>)
                        arguments[3]);
    }

    private static Object applyTest(ExpTest test, Object method, Object[] arguments) {
        Object[] others = Arrays.copyOfRange(arguments, 2, arguments.length);
        boolean result = test.evaluate(arguments[0], (JinjavaInterpreter) arguments[1], others);
        return method.equals("evaluateNegated") != result;
    }

    private static Object unnamed(Object argument) {
        return argument instanceof NamedParameter named ? named.getValue() : argument;
    }

    private static Object call(Object base, String method, Object[] arguments) {
        if (method.equals(SLICE)) {
            return slice(base, arguments);
        } else if (base instanceof CharSequence text) {
            return PythonText.call(text.toString(), method, arguments);
        } else if (base instanceof Map<?, ?> map) {
            return callMap(map, method, arguments);
        } else if (base instanceof List<?> list) {
            return callList(list, method, arguments);
        } else if (base instanceof LoopTag.State loop && method.equals("cycle")) {
            return loop.cycle(arguments);
        }
        throw new TemplateRefusal(method + "(): expected a method of a text, a list or a map");
    }

    private static Object callMap(Map<?, ?> map, String method, Object[] arguments) {
        return switch (method) {
            case "get" -> map.containsKey(String.valueOf(arguments[0]))
                    ? map.get(String.valueOf(arguments[0]))
                    : arguments.length > 1 ? arguments[1] : null;
            case "items" -> entries(map);
            case "keys" -> new ArrayList<>(map.keySet());
            case "values" -> new ArrayList<>(map.values());
            default -> throw new TemplateRefusal(method + "(): expected get, items, keys or values on a map");
        };
    }

    /** The entries as lists of two, which loops take apart. */
    static List<List<?>> entries(Map<?, ?> map) {
        List<List<?>> entries = new ArrayList<>();
        map.forEach((key, value) -> entries.add(Arrays.asList(key, value)));
        return entries;
    }

    private static Object callList(List<?> list, String method, Object[] arguments) {
        return switch (method) {
            case "index" -> (long) list.indexOf(arguments[0]);
            case "count" -> list.stream().filter(arguments[0]::equals).count();
            default -> throw new TemplateRefusal(
                    method + "(): expected index or count on a list; templates may not change lists");
        };
    }

    /** Python's slice with start, end and step, each perhaps null. */
    private static Object slice(Object base, Object[] bounds) {
        List<?> items = LoopTag.items(base);
        int size = items.size();
        int step = bounds.length > 2 && bounds[2] instanceof Number number ? number.intValue() : 1;
        if (step == 0) {
            throw new TemplateRefusal("slice: expected a step other than 0");
        }
        int start = bound(bounds[0], size, step, step > 0 ? 0 : size - 1);
        int end = bound(bounds[1], size, step, step > 0 ? size : -1);
        List<Object> result = new ArrayList<>();
        for (int index = start; step > 0 ? index < end : index > end; index += step) {
            result.add(items.get(index));
        }
        return base instanceof CharSequence
                ? String.join("", result.stream().map(String::valueOf).toList())
                : result;
    }

    private static int bound(Object value, int size, int step, int absent) {
        if (!(value instanceof Number number)) {
            return absent;
        }
        int index = number.intValue() < 0 ? number.intValue() + size : number.intValue();
        return step > 0 ? Math.max(0, Math.min(index, size)) : Math.max(-1, Math.min(index, size - 1));
    }

    private static boolean isSequence(Object base) {
        return base instanceof List || base instanceof Object[] || base instanceof CharSequence;
    }

    @Override
    public Class<?> getType(ELContext context, Object base, Object property) {
        return Object.class;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {
        throw new TemplateRefusal("set: expected a variable or a namespace, got " + property + " of a value");
    }

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        return true;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
        return List.<FeatureDescriptor>of().iterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, Object base) {
        return Object.class;
    }
}
