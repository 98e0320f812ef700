package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;

/** Native libraries of other projects that lie in jars on the class path, unpacked once into JavaCPP's cache folder. */
public final class PackagedLibrary {
    private PackagedLibrary() {}

    /** The name under which JavaCPP files the libraries of this platform, for example {@code linux-x86_64}. */
    public static String platform() {
        return Loader.getPlatform();
    }

    /**
     * The file that holds a class path resource; it is written the first time and found again afterwards, also by other processes.
     *
     * @param resource absolute name of the resource, for example {@code /org/bytedeco/onnxruntime/linux-x86_64/libonnxruntime.so.1}
     * @throws RuntimeFailureException if the resource is not on the class path or the cache folder cannot be written
     */
    public static Path unpack(String resource) {
        try {
            File file = Loader.cacheResource(PackagedLibrary.class, resource);
            if (file == null) {
                throw new RuntimeFailureException(
                        resource + ": expected a native library on the class path, found none; "
                                + "add the jar with the classifier of this platform (" + platform() + ")");
            }
            return file.toPath();
        } catch (IOException e) {
            throw new RuntimeFailureException(
                    resource + ": cannot be unpacked: " + e.getMessage()
                            + "; make JavaCPP's cache folder writable or choose another with -Dorg.bytedeco.javacpp.cachedir=DIR",
                    e);
        }
    }
}
