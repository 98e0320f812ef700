package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.error.InvalidInputException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ChatTemplateTest {
    private static final Clock TODAY = Clock.fixed(Instant.parse("2025-03-07T14:05:09Z"), ZoneOffset.UTC);
    private static final Map<String, ChatTemplate> TEMPLATES = new ConcurrentHashMap<>();
    private static final JsonNode GOLDEN = Golden.read("templates.json");

    @TestFactory
    List<DynamicTest> conversationsRenderAsWithJinja2() {
        Map<String, List<JsonNode>> byTemplate = new TreeMap<>();
        GOLDEN.path("cases").forEach(row -> byTemplate
                .computeIfAbsent(row.path("template").textValue(), name -> new ArrayList<>())
                .add(row));
        return byTemplate.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(), () -> entry.getValue().forEach(ChatTemplateTest::check)))
                .toList();
    }

    private static void check(JsonNode row) {
        ChatTemplate template = template(
                GOLDEN.path("templates").path(row.path("template").textValue()).textValue());
        List<Message> messages = conversation(row.path("conversation").textValue());
        boolean prompt = row.path("prompt").booleanValue();
        String where = row.path("template") + " " + row.path("conversation") + " " + prompt;
        if (row.has("refused")) {
            assertThatThrownBy(() -> template.render(messages, prompt))
                    .as(where)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage("chat template: " + row.path("refused").textValue());
        } else {
            assertThat(template.render(messages, prompt))
                    .as(where)
                    .isEqualTo(row.path("text").textValue());
        }
    }

    @TestFactory
    Stream<DynamicTest> eachFeatureRendersAsWithJinja2() {
        return StreamSupport.stream(GOLDEN.path("features").spliterator(), false)
                .map(row -> DynamicTest.dynamicTest(row.path("template").textValue(), () -> assertThat(
                                renderFeature(row.path("template").textValue()))
                        .isEqualTo(row.path("text").textValue())));
    }

    @TestFactory
    Stream<DynamicTest> faultyAndForbiddenTemplatesAreRefused() {
        return StreamSupport.stream(GOLDEN.path("refusals").spliterator(), false)
                .map(JsonNode::textValue)
                .map(template ->
                        DynamicTest.dynamicTest(template, () -> assertThatThrownBy(() -> renderFeature(template))
                                .isInstanceOf(InvalidInputException.class)
                                .hasMessageStartingWith("chat template: ")));
    }

    private static String renderFeature(String template) {
        Map<String, Object> variables = new LinkedHashMap<>();
        GOLDEN.path("variables")
                .fields()
                .forEachRemaining(entry ->
                        variables.put(entry.getKey(), new ObjectMapper().convertValue(entry.getValue(), Object.class)));
        return template(template).render(variables);
    }

    private static ChatTemplate template(String source) {
        return TEMPLATES.computeIfAbsent(source, text -> ChatTemplate.of(text, "<s>", "</s>", TODAY));
    }

    private static List<Message> conversation(String name) {
        return StreamSupport.stream(GOLDEN.path("conversations").path(name).spliterator(), false)
                .map(message -> new Message(
                        message.path("role").textValue(),
                        message.path("content").textValue()))
                .toList();
    }

    @Test
    void whatAMessageSaysIsNeverRunAsATemplate() {
        ChatTemplate template = template("{% for m in messages %}{{ m.content }}{% endfor %}");
        String content = "{{ bos_token }}{% if true %}{{ raise_exception('run') }}{% endif %}{# c #}";
        assertThat(template.render(List.of(new Message("user", content)), false))
                .isEqualTo(content);
    }

    @Test
    void templatesReachNoJavaObject() {
        for (String attempt : List.of(
                "messages.getClass()",
                "messages.class",
                "bos_token.getBytes()",
                "bos_token.class.forName('x')",
                "strftime_now.clock",
                "loop.getClass()",
                "____int3rpr3t3r____.getContext()",
                "''.class.classLoader",
                "messages[0].getClass()")) {
            ChatTemplate template = template("{% for m in messages %}{{ " + attempt + " }}{% endfor %}");
            String result;
            try {
                result = template.render(List.of(new Message("user", "x")), false);
            } catch (InvalidInputException e) {
                result = "";
            }
            assertThat(result).as(attempt).isEmpty();
        }
    }

    @Test
    void renderingsFromSeveralThreadsDoNotMix() {
        ChatTemplate template =
                template(GOLDEN.path("templates").path("thoughts").textValue());
        List<String> results = IntStream.range(0, 64)
                .parallel()
                .mapToObj(index -> template.render(List.of(new Message("user", "m" + index)), false))
                .toList();
        for (int index = 0; index < results.size(); index++) {
            assertThat(results.get(index)).isEqualTo("<|im_start|>user\nm" + index + "<|im_end|>\n");
        }
    }
}
