package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;

/** A program that loads the native library. */
final class LibraryVersion {
    private LibraryVersion() {}

    public static void main(String[] arguments) {
        try {
            System.out.println("loaded version " + NativeLibrary.load().version());
        } catch (RuntimeFailureException e) {
            System.out.println(e.getMessage());
        }
    }
}
