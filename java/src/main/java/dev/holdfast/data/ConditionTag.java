package dev.holdfast.data;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.IfTag;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.util.ObjectTruthValue;

/** {@code if} with Python's truth: a text is true unless it is empty, even the text "false". */
final class ConditionTag extends IfTag {
    @Override
    public boolean isPositiveIfElseNode(TagNode node, JinjavaInterpreter interpreter) {
        return isTrue(
                interpreter.resolveELExpression(node.getHelpers(), node.getLineNumber(), node.getStartPosition()));
    }

    static boolean isTrue(Object value) {
        return value instanceof CharSequence text ? text.length() > 0 : ObjectTruthValue.evaluate(value);
    }
}
