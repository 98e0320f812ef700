package dev.holdfast.eval.grading;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Answers in LaTeX, brought into one way of writing: as graders of MATH do since Hendrycks et al. (arXiv 2103.03874), by their text alone.
 *
 * <p>Without spaces, {@code \left} and {@code \right}, units in {@code \text}, degrees, dollars and percent; fractions and roots with
 * braces; a leading zero before a decimal point; no variable before an equals sign; 0.5 and a/b as fractions; no comma between thousands.
 */
final class LatexAnswer {
    private record Rule(Pattern pattern, String replacement) {
        static Rule of(String pattern, String replacement) {
            return new Rule(Pattern.compile(pattern), replacement);
        }
    }

    private static final List<Rule> RULES = List.of(
            Rule.of("\\n|\\\\!|\\\\,|\\\\;|\\\\ |~", ""),
            Rule.of("\\\\\\\\", "\\\\"),
            Rule.of("\\\\[td]frac", "\\\\frac"),
            Rule.of("\\\\left(?![a-z])|\\\\right(?![a-z])", ""),
            Rule.of("\\^\\{?\\\\circ\\}?|\\\\degree", ""),
            Rule.of("\\\\\\$|\\$", ""),
            Rule.of("\\\\%|%", ""),
            Rule.of("\\\\(?:text|mbox)\\{\\s[^{}]*\\}(?:\\^\\{?\\d\\}?)?$", ""),
            Rule.of("\\\\(?:text|mbox|textbf|mathrm)\\{([^{}]*)\\}", "$1"),
            Rule.of("(?<=\\d),(?=\\d{3}(?!\\d))", ""),
            Rule.of("(^|[ {])\\.(?=\\d)", "$10."),
            Rule.of("^[a-zA-Z]{1,2}\\s*=\\s*", ""),
            Rule.of("\\\\sqrt\\s*([^{\\s\\[])", "\\\\sqrt{$1}"),
            Rule.of("\\\\frac\\s*(\\d)\\s*(\\d)", "\\\\frac{$1}{$2}"),
            Rule.of("\\\\frac\\s*(\\d)\\s*\\{", "\\\\frac{$1}{"),
            Rule.of("(\\\\frac\\{[^{}]*\\})\\s*(\\w)", "$1{$2}"),
            Rule.of("\\s", ""),
            Rule.of("\\.$", ""),
            Rule.of("^(-?\\d+)\\.0+$", "$1"),
            Rule.of("^(-?)0?\\.5$", "$1\\\\frac{1}{2}"),
            Rule.of("^(-?\\d+)/(-?\\d+)$", "\\\\frac{$1}{$2}"),
            Rule.of("^\\\\frac\\{-(\\d+)\\}", "-\\\\frac{$1}"));

    private LatexAnswer() {}

    /** One text for all ways of writing an answer that count as equal. */
    static String normalised(String answer) {
        String text = answer.strip();
        for (Rule rule : RULES) {
            Matcher matcher = rule.pattern().matcher(text);
            text = matcher.replaceAll(rule.replacement());
        }
        return text;
    }
}
