package dev.holdfast.data;

import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import dev.holdfast.error.InvalidInputException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model's chat template: turns a conversation into the text that the model was trained on.
 *
 * <p>Renders as {@code apply_chat_template} of Hugging Face does: blocks trimmed, {@code bos_token}, {@code eos_token}, {@code
 * raise_exception}, {@code strftime_now}, {@code tojson}, Python's methods on strings and maps, and no tools. Templates come with models
 * and are not trusted: they reach no Java object, only texts, numbers, lists and maps. Thread safety: renderings wait for one another.
 */
public final class ChatTemplate {
    private final String template;
    private final Map<String, Object> tokens;
    private final TemplateEngine engine;

    private ChatTemplate(String template, Map<String, Object> tokens, TemplateEngine engine) {
        this.template = template;
        this.tokens = tokens;
        this.engine = engine;
    }

    /** A template in Jinja, with the texts of the beginning and end of sequence tokens; an absent token is an empty text. */
    public static ChatTemplate of(String source, String bosToken, String eosToken) {
        return of(source, bosToken, eosToken, Clock.systemDefaultZone());
    }

    /** As {@link #of(String, String, String)}; templates that write today's date take it from the clock. */
    public static ChatTemplate of(String source, String bosToken, String eosToken, Clock clock) {
        String template = new TemplateText(source).normalised();
        TemplateEngine engine = new TemplateEngine(clock);
        engine.refuseUnknownNames(template);
        return new ChatTemplate(template, Map.of("bos_token", bosToken, "eos_token", eosToken), engine);
    }

    /**
     * The text of a conversation.
     *
     * @param addGenerationPrompt whether the text ends with what introduces the assistant's next turn
     * @throws InvalidInputException if the template refuses the conversation, or is faulty
     */
    public String render(List<Message> messages, boolean addGenerationPrompt) {
        return render(Map.of("messages", toMaps(messages), "add_generation_prompt", addGenerationPrompt));
    }

    /** The text that the template makes of any variables. */
    synchronized String render(Map<String, Object> variables) {
        Map<String, Object> all = new HashMap<>(tokens);
        all.putAll(variables);
        RenderResult result = engine.renderConversation(template, all);
        if (!result.getErrors().isEmpty()) {
            TemplateError error = result.getErrors().get(0);
            throw new InvalidInputException("chat template: " + describe(error), error.getException());
        }
        return result.getOutput();
    }

    private static List<Map<String, Object>> toMaps(List<Message> messages) {
        List<Map<String, Object>> maps = new ArrayList<>();
        for (Message message : messages) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("role", message.role());
            map.put("content", message.content());
            maps.add(map);
        }
        return maps;
    }

    private static String describe(TemplateError error) {
        for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
            if (cause instanceof TemplateRefusal) {
                return cause.getMessage();
            }
        }
        return String.valueOf(error.getMessage()).lines().findFirst().orElse("") + " (line " + error.getLineno() + ")";
    }
}
