package dev.holdfast.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.StagesFolder;
import dev.holdfast.chart.ScatterChart;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The page of a job of both stages: what each gained and what it cost, with the pages of its runs. */
final class StagesPage {
    private static final String BASE = "base";

    private StagesPage() {}

    static String of(StagesFolder folder) {
        Html page = new Html();
        page.heading("Fine-tuning in two stages")
                .paragraph("First supervised fine-tuning, then Anchored Learning with its result as reference.");
        Path file = folder.comparison();
        if (Files.exists(file)) {
            addComparison(page, JsonFiles.read(file, JsonNode.class));
        } else {
            page.note("", "No comparison: the job is not finished, or has neither data.eval nor data.retention.");
        }
        page.section("The runs");
        for (Path run : List.of(folder.sft(), folder.anchor())) {
            if (Files.isDirectory(run)) {
                String name = run.getFileName().toString();
                page.link(name + "/report.html", name + ": curves, drift, settings");
            }
        }
        return page.page("Fine-tuning in two stages");
    }

    private static void addComparison(Html page, JsonNode models) {
        List<List<String>> rows = new ArrayList<>();
        models.properties().forEach(model -> rows.add(row(model.getKey(), model.getValue())));
        page.section("Gain and forgetting")
                .table(
                        List.of(
                                "",
                                "task loss",
                                "task exact",
                                "kept loss",
                                "kept exact",
                                "KL from base, task",
                                "KL from base, kept"),
                        rows);
        ScatterChart chart = chart(models);
        if (!chart.isEmpty()) {
            page.figures(List.of(new Html.Figure(
                    chart.svg(),
                    "Gain: exact answers on held-out rows more than the base. Forgetting: share of the base's exact answers on retention rows"
                            + " that are lost. Bars are a standard error of the counts.")));
        }
    }

    private static List<String> row(String name, JsonNode scores) {
        JsonNode task = scores.path("task");
        JsonNode kept = scores.path("retention");
        return List.of(
                name,
                Texts.nats(RunFiles.number(task, "loss")),
                Texts.percent(RunFiles.number(task, "exact_rows")),
                Texts.nats(RunFiles.number(kept, "loss")),
                Texts.percent(RunFiles.number(kept, "exact_rows")),
                Texts.nats(RunFiles.number(task, "kl_from_base")),
                Texts.nats(RunFiles.number(kept, "kl_from_base")));
    }

    /** Needs both kinds of rows, and a base that knows something to forget. */
    private static ScatterChart chart(JsonNode models) {
        ScatterChart chart = new ScatterChart(
                "Gain against forgetting", "forgetting, share of the kept that is lost", "gain, share of the task");
        Exact taskBefore = Exact.of(models.path(BASE).path("task"));
        Exact keptBefore = Exact.of(models.path(BASE).path("retention"));
        models.properties().forEach(model -> {
            Exact task = Exact.of(model.getValue().path("task"));
            Exact kept = Exact.of(model.getValue().path("retention"));
            double forgetting = Math.max(0, (keptBefore.share - kept.share) / keptBefore.share);
            chart.add(new ScatterChart.Entry(
                    model.getKey(),
                    model.getKey(),
                    forgetting,
                    task.share - taskBefore.share,
                    model.getKey().equals(BASE) ? 0 : kept.error() / keptBefore.share,
                    model.getKey().equals(BASE) ? 0 : task.error()));
        });
        return chart;
    }

    /** A share of rows, counted on so many. */
    private record Exact(double share, double rows) {
        static Exact of(JsonNode scores) {
            return new Exact(RunFiles.number(scores, "exact_rows"), RunFiles.number(scores, "rows"));
        }

        /** The standard error of a share of independent rows. */
        double error() {
            return Math.sqrt(share * (1 - share) / rows);
        }
    }
}
