package dev.holdfast.eval.suite;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Settings by the names of the command's flags, for the scorecard. */
final class SettingsSummary {
    private SettingsSummary() {}

    static Map<String, Object> of(EvaluationSettings settings) {
        Map<String, Object> summary = new LinkedHashMap<>();
        settings.model().ifPresent(model -> summary.put("model", model.toString()));
        settings.responses().ifPresent(responses -> summary.put("responses", responses.toString()));
        settings.data().ifPresent(data -> summary.put("data", data.toString()));
        settings.limit().ifPresent(limit -> summary.put("limit", limit));
        summary.put("few_shot", settings.shots().count());
        settings.shots().file().ifPresent(file -> summary.put("few_shot_data", file.toString()));
        summary.put("chat_template", settings.shots().template().name().toLowerCase(Locale.ROOT));
        settings.generation().maxNewTokens().ifPresent(most -> summary.put("max_new_tokens", most));
        summary.put("temperature", settings.generation().temperature());
        summary.put("seed", settings.generation().seed());
        summary.put("batch_size", settings.generation().batchSize());
        settings.code().ifPresent(time -> summary.put("code_seconds", time.toSeconds()));
        return summary;
    }
}
