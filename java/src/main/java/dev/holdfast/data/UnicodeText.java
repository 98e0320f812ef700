package dev.holdfast.data;

/** What a Java string may hold that is not Unicode text. */
final class UnicodeText {
    private UnicodeText() {}

    /** The index of the first half of a surrogate pair that stands alone; -1 if there is none. */
    static int firstUnpairedSurrogate(String text) {
        for (int index = 0; index < text.length(); index += Character.charCount(text.codePointAt(index))) {
            if (Character.getType(text.codePointAt(index)) == Character.SURROGATE) {
                return index;
            }
        }
        return -1;
    }
}
