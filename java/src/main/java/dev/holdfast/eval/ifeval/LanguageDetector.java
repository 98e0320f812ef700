package dev.holdfast.eval.ifeval;

import com.cybozu.labs.langdetect.Detector;
import com.cybozu.labs.langdetect.DetectorFactory;
import com.cybozu.labs.langdetect.LangDetectException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Tells the language of a text as the library does of which the official program uses a port.
 *
 * <p>The library draws random numbers; the seed is fixed, so that a text always has the same language. The official program fixes none: of
 * texts between two languages it says now this, now that.
 */
final class LanguageDetector {
    private static final String LANGUAGES =
            "af ar bg bn cs da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr ne nl no pa"
                    + " pl pt ro ru sk sl so sq sv sw ta te th tl tr uk ur vi zh-cn zh-tw";
    private static final long SEED = 0;

    private LanguageDetector() {}

    /** The profiles are the library's own, for the whole process; loading them twice is refused. */
    private static final class Profiles {
        static {
            try {
                DetectorFactory.loadProfile(read());
                DetectorFactory.setSeed(SEED);
            } catch (LangDetectException e) {
                throw new IllegalStateException("language profiles: " + e.getMessage(), e);
            }
        }

        private Profiles() {}

        private static List<String> read() {
            List<String> profiles = new ArrayList<>();
            for (String language : LANGUAGES.split(" ")) {
                try (InputStream stream = DetectorFactory.class.getResourceAsStream("/profiles/" + language)) {
                    profiles.add(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return profiles;
        }

        static Detector detector() throws LangDetectException {
            return DetectorFactory.create();
        }
    }

    /** The code of the likeliest language; nothing of a text without a letter of any. */
    static Optional<String> detect(String text) {
        try {
            Detector detector = Profiles.detector();
            detector.append(text);
            return Optional.of(detector.detect());
        } catch (LangDetectException nothingToGoBy) {
            return Optional.empty();
        }
    }
}
