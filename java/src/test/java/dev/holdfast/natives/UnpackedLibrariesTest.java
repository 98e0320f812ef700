package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedLibrariesTest {
    private static final String CLASS_FILE = "dev/holdfast/natives/UnpackedLibraries.class";

    @TempDir
    Path folder;

    @Test
    void usesLibrariesInAFolderOfClassesWhereTheyLie() throws IOException {
        Path found = UnpackedLibraries.folder("linux-x86_64", List.of("libholdfast.so"), folder);
        assertThat(found.resolve("libholdfast.so")).isRegularFile();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void unpacksEveryVersionOfAJarIntoAFolderOfItsOwn() throws Exception {
        Path first = unpackFrom(jar("first.jar", "one"));
        assertThat(first.resolve("libsome.so")).hasContent("one");
        assertThat(unpackFrom(jar("same.jar", "one"))).isEqualTo(first);
        Path second = unpackFrom(jar("second.jar", "two"));
        assertThat(second).isNotEqualTo(first);
        assertThat(second.resolve("libsome.so")).hasContent("two");
        try (var files = Files.list(second)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void mendsATruncatedCopy() throws Exception {
        Path unpacked = unpackFrom(jar("a.jar", "whole"));
        Files.writeString(unpacked.resolve("libsome.so"), "who");
        assertThat(unpackFrom(jar("b.jar", "whole")).resolve("libsome.so")).hasContent("whole");
    }

    @Test
    void namesTheLibraryThatIsMissing() {
        assertThatThrownBy(() -> UnpackedLibraries.folder("plan9-mips", List.of("libholdfast.so"), folder))
                .isInstanceOf(IOException.class)
                .hasMessage("dev/holdfast/natives/plan9-mips/libholdfast.so is not on the class path");
    }

    private Path jar(String name, String content) throws IOException {
        Path jar = folder.resolve(name);
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(CLASS_FILE));
            out.write(UnpackedLibraries.class
                    .getResourceAsStream("UnpackedLibraries.class")
                    .readAllBytes());
            out.putNextEntry(new JarEntry("dev/holdfast/natives/here/libsome.so"));
            out.write(content.getBytes());
        }
        return jar;
    }

    /** As the class in the jar sees it. */
    private Path unpackFrom(Path jar) throws ReflectiveOperationException, IOException {
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            var method = loader.loadClass(UnpackedLibraries.class.getName())
                    .getDeclaredMethod("folder", String.class, List.class, Path.class);
            method.setAccessible(true);
            return (Path) method.invoke(null, "here", List.of("libsome.so"), folder.resolve("cache"));
        } catch (InvocationTargetException e) {
            throw new AssertionError(e.getCause());
        }
    }
}
