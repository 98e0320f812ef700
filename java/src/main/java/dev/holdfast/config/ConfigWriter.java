package dev.holdfast.config;

import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Optional;

/** Writes a configuration as YAML, in the order of the table. */
final class ConfigWriter {
    private static final YAMLFactory YAML = YAMLFactory.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
            .build();

    private final TrainingConfig config;
    private final YAMLGenerator generator;
    private String section = "";

    private ConfigWriter(TrainingConfig config, YAMLGenerator generator) {
        this.config = config;
        this.generator = generator;
    }

    static String yaml(TrainingConfig config) {
        StringWriter text = new StringWriter();
        try (YAMLGenerator generator = YAML.createGenerator(text)) {
            new ConfigWriter(config, generator).write();
        } catch (IOException impossible) {
            throw new UncheckedIOException("a string cannot fail to be written", impossible);
        }
        return text.toString();
    }

    private void write() throws IOException {
        generator.writeStartObject();
        for (ConfigKey<?> key : ConfigKeys.of(config.job())) {
            write(key);
        }
        enter("");
        generator.writeEndObject();
    }

    private <T> void write(ConfigKey<T> key) throws IOException {
        Optional<T> value = config.find(key);
        if (value.isPresent()) {
            enter(key.section());
            generator.writeFieldName(key.leaf());
            writeValue(key.type(), value.get());
        }
    }

    private void enter(String next) throws IOException {
        if (next.equals(section)) {
            return;
        }
        if (!section.isEmpty()) {
            generator.writeEndObject();
        }
        if (!next.isEmpty()) {
            generator.writeObjectFieldStart(next);
        }
        section = next;
    }

    private <T> void writeValue(KeyType<T> type, T value) throws IOException {
        String text = type.format(value);
        if (type instanceof PathType || type instanceof ChoiceType || type instanceof NamesType) {
            generator.writeString(text);
        } else {
            generator.writeNumber(text);
        }
    }
}
