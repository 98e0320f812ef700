package dev.holdfast.cli;

import java.lang.reflect.Proxy;

/**
 * Handlers for the signals of the operating system.
 *
 * <p>The Java runtime offers them only in {@code sun.misc}, which the module {@code jdk.unsupported} exports on every Java but which the
 * compiler warns of; hence the reflection. Where they are missing, signals keep their usual effect.
 */
final class Signals {
    private Signals() {}

    /** A handler in place; closing it puts the former one back. */
    interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    /** Calls the action whenever the signal comes, on a thread of its own; the name lacks the {@code SIG}. */
    static Registration handle(String name, Runnable action) {
        try {
            Class<?> signalType = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            Object signal = signalType.getConstructor(String.class).newInstance(name);
            Object former = register(signalType, handlerType, signal, handler(handlerType, action));
            return () -> restore(signalType, handlerType, signal, former);
        } catch (ReflectiveOperationException | IllegalArgumentException unavailable) {
            return () -> {};
        }
    }

    private static Object handler(Class<?> handlerType, Runnable action) {
        return Proxy.newProxyInstance(
                Signals.class.getClassLoader(), new Class<?>[] {handlerType}, (proxy, method, arguments) -> {
                    return switch (method.getName()) {
                        case "handle" -> {
                            action.run();
                            yield null;
                        }
                        case "equals" -> proxy == arguments[0];
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> "signal handler";
                    };
                });
    }

    private static Object register(Class<?> signalType, Class<?> handlerType, Object signal, Object handler)
            throws ReflectiveOperationException {
        return signalType.getMethod("handle", signalType, handlerType).invoke(null, signal, handler);
    }

    private static void restore(Class<?> signalType, Class<?> handlerType, Object signal, Object former) {
        try {
            register(signalType, handlerType, signal, former);
        } catch (ReflectiveOperationException unavailable) {
            throw new IllegalStateException(
                    "signal handlers: a handler that was replaced cannot be put back", unavailable);
        }
    }
}
