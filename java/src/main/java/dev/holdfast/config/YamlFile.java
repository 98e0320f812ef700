package dev.holdfast.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads a configuration file into settings that know their line; what is wrong with the file goes to the problems. */
final class YamlFile {
    /** Far above any configuration; keeps a wrong file, such as a model, from being read into memory. */
    private static final long MAXIMUM_BYTES = 1 << 20;

    private static final YAMLFactory YAML = new YAMLFactory();

    private final Path file;
    private final List<String> problems;
    private final List<Setting> settings = new ArrayList<>();
    private final Map<String, Integer> lineOfKey = new HashMap<>();

    private YamlFile(Path file, List<String> problems) {
        this.file = file;
        this.problems = problems;
    }

    static List<Setting> read(Path file, List<String> problems) {
        YamlFile yaml = new YamlFile(file, problems);
        yaml.content().ifPresent(yaml::parse);
        return yaml.settings;
    }

    static List<Setting> parse(String text, Path name, List<String> problems) {
        YamlFile yaml = new YamlFile(name, problems);
        yaml.parse(text);
        return yaml.settings;
    }

    private Optional<String> content() {
        try {
            if (Files.isRegularFile(file) && Files.size(file) > MAXIMUM_BYTES) {
                return fault("expected a configuration, got a file of " + Files.size(file) + " bytes");
            }
            return Optional.of(Files.readString(file));
        } catch (NoSuchFileException missing) {
            return fault("no such file");
        } catch (CharacterCodingException notText) {
            return fault("not YAML: expected UTF-8 text");
        } catch (IOException unreadable) {
            return fault(
                    "cannot be read: " + (Files.isDirectory(file) ? "it is a directory" : unreadable.getMessage()));
        }
    }

    private Optional<String> fault(String problem) {
        problems.add(file + ": " + problem);
        return Optional.empty();
    }

    private void parse(String text) {
        try (YAMLParser parser = YAML.createParser(new StringReader(text))) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                fault("empty: expected keys and values, such as learning_rate: 1e-5");
            } else if (first == JsonToken.START_OBJECT) {
                parseMap(parser, "");
                refuseSecondDocument(parser);
            } else {
                problems.add(
                        place(parser) + ": expected keys and values, such as learning_rate: 1e-5, got " + what(first));
            }
        } catch (JsonProcessingException notYaml) {
            problems.add(YamlFault.describe(file, text, notYaml));
        } catch (IOException impossible) {
            fault("cannot be read: " + impossible.getMessage());
        }
    }

    private void refuseSecondDocument(YAMLParser parser) throws IOException {
        if (parser.nextToken() != null) {
            problems.add(place(parser) + ": expected one YAML document, got a second one");
        }
    }

    private void parseMap(YAMLParser parser, String prefix) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = prefix + parser.currentName();
            String place = place(parser);
            Integer earlier = lineOfKey.putIfAbsent(ConfigKeys.canonical(name), line(parser));
            if (earlier != null) {
                problems.add(place + ": " + name + ": set twice, first in line " + earlier);
            }
            parseValue(parser, name, place);
        }
    }

    private void parseValue(YAMLParser parser, String name, String place) throws IOException {
        JsonToken token = parser.nextToken();
        if (token == JsonToken.START_OBJECT && ConfigKeys.isSection(name)) {
            lineOfKey.remove(ConfigKeys.canonical(name));
            parseMap(parser, name + ".");
        } else if (token == JsonToken.START_ARRAY && takesNames(name)) {
            parseNames(parser, name, place);
        } else if (token.isStructStart()) {
            parser.skipChildren();
            refuse(name, place, what(token));
        } else if (parser.isCurrentAlias()) {
            refuse(name, place, "the alias *" + parser.getText());
        } else {
            boolean nothing = token == JsonToken.VALUE_NULL || parser.getText().isEmpty();
            settings.add(new Setting(name, nothing ? Optional.empty() : Optional.of(parser.getText()), place));
        }
    }

    private static boolean takesNames(String name) {
        return ConfigKeys.find(name)
                .filter(key -> key.type() instanceof NamesType)
                .isPresent();
    }

    private void parseNames(YAMLParser parser, String name, String place) throws IOException {
        List<String> names = new ArrayList<>();
        for (JsonToken item = parser.nextToken(); item != JsonToken.END_ARRAY; item = parser.nextToken()) {
            if (item.isStructStart()) {
                parser.skipChildren();
                refuse(name, place, "a list of lists or keys");
            } else {
                names.add(parser.getText());
            }
        }
        settings.add(new Setting(name, Optional.of(String.join(",", names)), place));
    }

    /** Notes a value that no key takes; a key that nobody knows is the greater fault and is told instead. */
    private void refuse(String name, String place, String got) {
        Optional<ConfigKey<?>> key = ConfigKeys.find(name);
        if (key.isEmpty()) {
            settings.add(new Setting(name, Optional.empty(), place));
        } else {
            problems.add(place + ": " + name + ": expected " + key.get().type().expectation() + ", got " + got);
        }
    }

    private String place(YAMLParser parser) {
        return file + ":" + line(parser);
    }

    private static int line(YAMLParser parser) {
        return parser.currentTokenLocation().getLineNr();
    }

    private static String what(JsonToken token) {
        return switch (token) {
            case START_ARRAY -> "a list";
            case START_OBJECT -> "keys below it";
            default -> "plain text";
        };
    }
}
