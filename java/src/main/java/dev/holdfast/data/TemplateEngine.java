package dev.holdfast.data;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.ExtendedSyntaxBuilder;
import com.hubspot.jinjava.el.TruthyTypeConverter;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.Context.Library;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.mode.ExecutionMode;
import com.hubspot.jinjava.tree.output.RenderedOutputNode;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import jinjava.de.odysseus.el.ExpressionFactoryImpl;
import jinjava.de.odysseus.el.tree.TreeBuilder;
import jinjava.javax.el.ExpressionFactory;

/**
 * Jinjava with Python's rules where chat templates depend on them.
 *
 * <p>Values are reached through {@link TemplateValues} alone; loops, conditions, truth, tests and filters that differ from Jinja2 are
 * replaced through Jinjava's own extension points. Tags that read other templates are switched off.
 */
final class TemplateEngine extends Jinjava {
    private static final String NOW = "strftime_now";
    private static final Pattern FILTER = Pattern.compile("\\|\\s*([A-Za-z_]\\w*)");
    private static final Pattern TEST = Pattern.compile("\\bis\\s+(?:not\\s+)?([A-Za-z_]\\w*)");
    private static final long MAX_OUTPUT_CHARACTERS = 64L << 20;
    private final ExpressionFactory expressions = pythonExpressions();
    private final Clock clock;

    TemplateEngine(Clock clock) {
        super(JinjavaConfig.newBuilder()
                .withNestedInterpretationEnabled(false)
                .withExecutionMode(new PythonMode())
                .withElResolver(new TemplateValues())
                .withMaxOutputSize(MAX_OUTPUT_CHARACTERS)
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withIterateOverMapKeys(true)
                        .withEvaluateMapKeys(true)
                        .withAllowAdjacentTextNodes(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .withDisabled(Map.of(Library.TAG, Set.of("include", "import", "from", "extends")))
                .build());
        this.clock = clock;
        registerTag(new LoopTag());
        registerTag(new ConditionTag());
        TemplateFilters.all().forEach(this::registerFilter);
        TemplateTests.all().forEach(this::registerExpTest);
        registerFunction(function("raise_exception", "raiseException"));
        registerFunction(function(NOW, "formatNow"));
    }

    /** Jinjava asks for its expressions here. */
    @Override
    public ExpressionFactory getExpressionFactory() {
        return expressions;
    }

    /** Lets every filter and test of the template that does not exist fail when it is used; Jinjava would pass over it. */
    void refuseUnknownNames(String template) {
        FILTER.matcher(template)
                .results()
                .map(match -> match.group(1))
                .distinct()
                .filter(name -> getGlobalContext().getFilter(name) == null)
                .forEach(name -> registerFilter(TemplateFilters.unknown(name)));
        TEST.matcher(template)
                .results()
                .map(match -> match.group(1))
                .distinct()
                .filter(name -> getGlobalContext().getExpTest(name) == null)
                .forEach(name -> registerExpTest(TemplateTests.unknown(name)));
    }

    RenderResult renderConversation(String template, Map<String, Object> variables) {
        Map<String, Object> all = new HashMap<>(variables);
        // Templates ask whether the function is defined before they call it, and Jinjava looks among the variables for
        // that.
        all.put(NOW, new Now(clock));
        return renderForResult(template, all);
    }

    private record Now(Clock clock) {}

    /** Called by templates. */
    static Object raiseException(Object message) {
        throw new TemplateRefusal(String.valueOf(message));
    }

    /** Called by templates. */
    static Object formatNow(Object format) {
        Object now = JinjavaInterpreter.getCurrent().getContext().get(NOW);
        Clock clock = now instanceof Now set ? set.clock() : Clock.systemDefaultZone();
        return Strftime.format(ZonedDateTime.now(clock), String.valueOf(format));
    }

    private static ELFunctionDefinition function(String name, String method) {
        return new ELFunctionDefinition("", name, TemplateEngine.class, method, Object.class);
    }

    private static ExpressionFactory pythonExpressions() {
        Properties properties = new Properties();
        properties.setProperty(TreeBuilder.class.getName(), ExtendedSyntaxBuilder.class.getName());
        return new ExpressionFactoryImpl(properties, new PythonConversions());
    }

    /** Jinjava takes the text "false" for false, and writes true where Python writes True. */
    private static final class PythonConversions extends TruthyTypeConverter {
        @Override
        protected Boolean coerceToBoolean(Object value) {
            return ConditionTag.isTrue(value);
        }

        @Override
        protected String coerceToString(Object value) {
            return PythonText.of(value);
        }
    }

    /** Values are written as Python writes them; nothing in them is taken for a template. */
    private static final class PythonMode implements ExecutionMode {
        @Override
        public void prepareContext(Context context) {
            context.setExpressionStrategy((token, interpreter) -> new RenderedOutputNode(
                    PythonText.of(interpreter.resolveELExpression(token.getExpr(), token.getLineNumber()))));
        }
    }
}
