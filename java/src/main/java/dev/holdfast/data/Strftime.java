package dev.holdfast.data;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Dates in the format language of C and Python, the directives that chat templates use, in English. */
final class Strftime {
    private Strftime() {}

    static String format(ZonedDateTime date, String format) {
        StringBuilder output = new StringBuilder();
        for (int index = 0; index < format.length(); index++) {
            char character = format.charAt(index);
            if (character == '%' && index + 1 < format.length()) {
                output.append(directive(date, format.charAt(++index)));
            } else {
                output.append(character);
            }
        }
        return output.toString();
    }

    private static String directive(ZonedDateTime date, char directive) {
        String pattern =
                switch (directive) {
                    case 'Y' -> "uuuu";
                    case 'y' -> "uu";
                    case 'm' -> "MM";
                    case 'B' -> "MMMM";
                    case 'b', 'h' -> "MMM";
                    case 'd' -> "dd";
                    case 'j' -> "DDD";
                    case 'A' -> "EEEE";
                    case 'a' -> "EEE";
                    case 'H' -> "HH";
                    case 'I' -> "hh";
                    case 'M' -> "mm";
                    case 'S' -> "ss";
                    case 'p' -> "a";
                    case 'z' -> "xx";
                    case 'F' -> "uuuu-MM-dd";
                    case 'T' -> "HH:mm:ss";
                    case '%' -> "'%'";
                    default -> throw new TemplateRefusal("strftime_now: unsupported directive %" + directive);
                };
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(date);
    }
}
