package dev.holdfast.report;

import static dev.holdfast.report.Texts.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** The page of one run. */
final class RunPage {
    private final RunFiles run;
    private final Html page = new Html();

    private RunPage(RunFiles run) {
        this.run = run;
    }

    static String of(RunFiles run) {
        return new RunPage(run).write();
    }

    private String write() {
        String title = (run.isAnchored() ? "Anchored Learning" : "Supervised fine-tuning") + " of " + model();
        page.heading(title).paragraph(asked()).paragraph(cameOut());
        addState();
        page.cards(cards());
        page.section("Curves").figures(RunCharts.of(run));
        addLedger();
        addAlphas();
        addSettings();
        return page.page(title);
    }

    private String model() {
        return run.status().map(status -> status.model().name()).orElse("a model");
    }

    /** What was asked, in a sentence. */
    private String asked() {
        JsonNode config = run.config();
        String course = run.isAnchored()
                ? format(
                        "%s outer iterations of %s epochs towards %s, anchored with %s by %s interpolation",
                        config.path("outer_iterations").asText(),
                        config.path("inner_epochs").asText(),
                        run.provenance().path("reference").path("path").asText(),
                        config.path("kl_budget").asDouble() > 0
                                ? "α chosen within " + config.path("kl_budget").asText() + " nats"
                                : "α " + config.path("alpha").asText(),
                        config.path("interpolation").asText())
                : format("%s epochs", config.path("num_train_epochs").asText());
        String data = run.status()
                .map(status -> format(
                        " The model has %,d parameters (%s); there are %,d response tokens to learn in %,d rows.",
                        status.model().parameters(),
                        status.model().family(),
                        status.rows().responseTokens(),
                        status.rows().count()))
                .orElse("");
        String most = config.path("max_steps").asLong() > 0
                ? format(", at most %s steps", config.path("max_steps").asText())
                : "";
        return format(
                "Asked for: %s%s at a peak learning rate of %s.%s",
                course, most, config.path("learning_rate").asText(), data);
    }

    /** What came out, in a sentence or two. */
    private String cameOut() {
        StringBuilder text = new StringBuilder(run.status()
                .map(status -> format("%,d of %,d steps are done.", status.step(), status.totalSteps()))
                .orElse(format("%,d steps are done.", run.metrics().size())));
        appendChange(text, " The loss on held-out rows", run.evaluations(), "eval_loss");
        appendChange(text, " The loss on retention rows", run.retention(), "retention_loss");
        if (run.evaluations().isEmpty()) {
            appendChange(text, " The training loss", run.metrics(), "loss");
        }
        RunFiles.last(run.ledger(), "kl_total_retention")
                .ifPresent(drift -> text.append(format(
                        " On what should be kept the model has drifted %.4f nats per token from the base.", drift)));
        return text.toString();
    }

    private static void appendChange(StringBuilder text, String what, List<JsonNode> lines, String key) {
        OptionalDouble first = RunFiles.first(lines, key);
        OptionalDouble last = RunFiles.last(lines, key);
        if (last.isEmpty()) {
            return;
        }
        text.append(what)
                .append(
                        lines.size() < 2
                                ? format(" is %.4f.", last.getAsDouble())
                                : format(" went from %.4f to %.4f.", first.getAsDouble(), last.getAsDouble()));
    }

    private void addState() {
        run.status().ifPresent(status -> {
            String kind =
                    switch (status.state()) {
                        case FINISHED -> "good";
                        case FAILED -> "bad";
                        case RUNNING, INTERRUPTED, OVER_BUDGET -> "";
                    };
            String problem = status.problem() == null ? "" : ": " + status.problem();
            page.note(kind, format("The run %s%s. Written %s.", status.state().sentence(), problem, status.updated()));
            status.warnings().forEach(warning -> page.note("", "Warning: " + warning));
        });
    }

    private List<Html.Card> cards() {
        List<Html.Card> cards = new ArrayList<>();
        RunFiles.last(run.evaluations(), "eval_loss")
                .ifPresent(loss -> cards.add(new Html.Card(
                        "Loss on held-out rows",
                        format("%.4f", loss),
                        format("Nats per response token, a perplexity of %.3f. Less is better.", Math.exp(loss)))));
        RunFiles.last(run.evaluations(), "eval_token_accuracy")
                .ifPresent(share -> cards.add(new Html.Card(
                        "Accuracy on held-out rows",
                        Texts.percent(share),
                        "Response tokens that the model would have chosen.")));
        RunFiles.last(run.ledger(), "kl_total")
                .ifPresent(drift -> cards.add(new Html.Card(
                        "Drift on the task",
                        format("%.4f", drift),
                        "KL(base, model) in nats per token: how much else the model says than the base did.")));
        RunFiles.last(run.ledger(), "kl_total_retention")
                .ifPresent(drift -> cards.add(new Html.Card(
                        "Drift on retention rows",
                        format("%.4f", drift),
                        "The same where nothing should change. 0 is a model that has forgotten nothing.")));
        addMachineCards(cards);
        return cards;
    }

    private void addMachineCards(List<Html.Card> cards) {
        double[] speeds = run.metrics().stream()
                .mapToDouble(line -> RunFiles.number(line, "tokens_per_second"))
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        if (speeds.length > 0) {
            cards.add(new Html.Card(
                    "Speed",
                    format("%,.0f tok/s", speeds[speeds.length / 2]),
                    "Median over the steps, prompts included, padding not."));
        }
        RunFiles.last(run.metrics(), "peak_memory_bytes")
                .ifPresent(bytes ->
                        cards.add(new Html.Card("Memory", Texts.bytes(bytes), "The most that the process has held.")));
    }

    private static final String SHARE = "share_above_bound";

    private static final List<Map.Entry<String, String>> LEDGER_NUMBERS = List.of(
            Map.entry("KL step", "kl_step"),
            Map.entry("bound", "kl_bound"),
            Map.entry("ratio", "ratio"),
            Map.entry("tokens above", SHARE),
            Map.entry("KL total", "kl_total"),
            Map.entry("on retention", "kl_total_retention"),
            Map.entry("KL to reference", "kl_to_reference"),
            Map.entry("step reverse", "kl_step_reverse"),
            Map.entry("total reverse", "kl_total_reverse"),
            Map.entry("retention reverse", "kl_total_retention_reverse"),
            Map.entry("reference reverse", "kl_to_reference_reverse"));

    private void addLedger() {
        if (run.ledger().isEmpty()) {
            return;
        }
        // Columns of which no line has a number say nothing.
        List<Map.Entry<String, String>> numbers = LEDGER_NUMBERS.stream()
                .filter(number ->
                        RunFiles.first(run.ledger(), number.getValue()).isPresent())
                .toList();
        List<String> names = new ArrayList<>(run.isAnchored() ? List.of("step", "iteration", "α") : List.of("step"));
        numbers.forEach(number -> names.add(number.getKey()));
        List<List<String>> rows = run.ledger().stream()
                .map(line -> ledgerRow(
                        line, numbers.stream().map(Map.Entry::getValue).toList()))
                .toList();
        page.section("Drift ledger").paragraph(ledgerMeaning()).table(names, rows);
    }

    private String ledgerMeaning() {
        String step = run.isAnchored()
                ? " KL step is KL(snapshot, model) of the iteration, its bound α KL(snapshot, reference), and tokens above the share of them"
                        + " whose own step is above their own bound."
                : "";
        return "Nats per response token, on rows held fixed through the run. KL total is KL(base, model)." + step
                + " A reverse has its sides exchanged.";
    }

    private List<String> ledgerRow(JsonNode line, List<String> keys) {
        List<String> cells = new ArrayList<>(List.of(line.path("step").asText()));
        if (run.isAnchored()) {
            boolean ended = line.path("iteration_ended").asBoolean(true);
            cells.add(line.path("outer_iteration").asText() + (ended ? " (end)" : ""));
            cells.add(Texts.number("%.3f", RunFiles.number(line, "alpha")));
        }
        keys.forEach(key -> cells.add(
                key.equals(SHARE)
                        ? Texts.percent(RunFiles.number(line, key))
                        : Texts.nats(RunFiles.number(line, key))));
        return cells;
    }

    private void addAlphas() {
        if (run.alphas().isEmpty()) {
            return;
        }
        List<List<String>> rows = run.alphas().stream()
                .map(line -> List.of(
                        line.path("outer_iteration").asText(),
                        format("%.4f", RunFiles.number(line, "alpha")),
                        Texts.nats(RunFiles.number(line, "kl_snapshot_anchor")),
                        Texts.nats(RunFiles.number(line, "kl_budget")),
                        line.path("tokens").asText()))
                .toList();
        page.section("Weights that kl_budget chose")
                .paragraph(
                        "For each iteration the largest α whose anchor is within the budget from the snapshot, on training rows.")
                .table(List.of("iteration", "α", "KL(snapshot, anchor)", "kl_budget", "tokens"), rows);
    }

    private void addSettings() {
        page.section("Where it comes from").facts(provenance());
        page.section("Settings").preformatted(run.settings().strip());
    }

    private List<List<String>> provenance() {
        JsonNode from = run.provenance();
        List<List<String>> facts = new ArrayList<>();
        fact(facts, "run", run.folder().toAbsolutePath().normalize().toString());
        fact(facts, "reproduce with", from.path("command").asText());
        fact(facts, "started", from.path("started").asText());
        fact(facts, "seed", from.path("seed").asText());
        fact(
                facts,
                "machine",
                from.path("host").path("name").asText() + ", "
                        + from.path("host").path("processors").asText() + " processors");
        from.path("versions")
                .properties()
                .forEach(version ->
                        fact(facts, version.getKey(), version.getValue().asText()));
        input(facts, "artifact", from.path("artifact"));
        input(facts, "reference", from.path("reference"));
        from.path("data").properties().forEach(data -> input(facts, "data." + data.getKey(), data.getValue()));
        return facts;
    }

    private static void input(List<List<String>> facts, String name, JsonNode input) {
        if (input.isObject()) {
            fact(
                    facts,
                    name,
                    input.path("path").asText() + "  (SHA-256 "
                            + input.path("sha256").asText() + ")");
        }
    }

    private static void fact(List<List<String>> facts, String name, String value) {
        if (!value.isBlank()) {
            facts.add(List.of(name, value));
        }
    }
}
