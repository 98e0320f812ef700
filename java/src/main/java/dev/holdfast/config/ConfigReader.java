package dev.holdfast.config;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.files.NewFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Puts a configuration together from a YAML file and flags; flags count more than the file. All problems are told at once.
 *
 * <pre>{@code
 * TrainingConfig config = ConfigReader.of(Job.ANCHOR).file(Path.of("anchor.yaml")).flag("alpha", "0.3").read();
 * }</pre>
 */
public final class ConfigReader {
    private static final List<ConfigKey<Path>> INPUTS = List.of(
            ConfigKeys.ARTIFACT,
            ConfigKeys.REFERENCE,
            ConfigKeys.DATA_TRAIN,
            ConfigKeys.DATA_EVAL,
            ConfigKeys.DATA_RETENTION);

    private final Optional<Job> expectedJob;
    private final List<String> problems = new ArrayList<>();
    private final List<Setting> settings = new ArrayList<>();
    private Optional<Path> source = Optional.empty();
    private boolean fileIsUnreadable;
    private Optional<Function<List<String>, HoldfastException>> pathFailure = Optional.empty();
    private boolean requiresPaths = true;

    private ConfigReader(Optional<Job> expectedJob) {
        this.expectedJob = expectedJob;
    }

    /** A reader for a job of this kind. */
    public static ConfigReader of(Job job) {
        return new ConfigReader(Optional.of(job));
    }

    /** A reader that takes the kind of job from the keys: a reference means anchor, other keys of anchor mean finetune, else sft. */
    public static ConfigReader ofAnyJob() {
        return new ConfigReader(Optional.empty());
    }

    /** Adds a YAML file. */
    public ConfigReader file(Path file) {
        source = Optional.of(file);
        int problemsBefore = problems.size();
        List<Setting> read = YamlFile.read(file, problems);
        fileIsUnreadable = read.isEmpty() && problems.size() > problemsBefore;
        settings.addAll(read);
        return this;
    }

    /** Adds YAML text; messages call it by the given name. */
    public ConfigReader yaml(String text, Path name) {
        settings.addAll(YamlFile.parse(text, name, problems));
        return this;
    }

    /** Adds one flag, its name without the leading dashes. */
    public ConfigReader flag(String name, String value) {
        settings.add(Setting.flag(name, value));
        return this;
    }

    /** Notes an argument of a command line that is neither a flag nor the value of one. */
    public ConfigReader unexpected(String argument) {
        problems.add(argument + ": unexpected argument: expected flags with two dashes, such as --learning_rate 1e-5");
        return this;
    }

    /**
     * Will also look whether what is to be read is there and the run's directory is free.
     *
     * @param failure what to throw where only paths are at fault, from one line for each of them
     */
    public ConfigReader checkingPaths(Function<List<String>, HoldfastException> failure) {
        pathFailure = Optional.of(failure);
        return this;
    }

    /** Will take what lacks a path that the job needs, such as the configuration of a run whose rows came from memory. */
    public ConfigReader allowingMissingPaths() {
        requiresPaths = false;
        return this;
    }

    /**
     * The configuration.
     *
     * @throws InvalidConfigurationException with every problem, if there is one
     * @throws HoldfastException as {@link #checkingPaths} was told, if only paths are at fault
     */
    public TrainingConfig read() {
        List<Setting> ordered = flagsLast();
        Map<ConfigKey<?>, Setting> known = lastOfEachKey(ordered);
        Job job = expectedJob.orElseGet(() -> jobOf(known));
        TrainingConfig config = TrainingConfig.of(job);
        for (Setting setting : ordered) {
            config = apply(config, setting, known);
        }
        if (requiresPaths) {
            requirePaths(job, known);
        }
        problems.addAll(config.contradictions());
        refuseProblems(config, known);
        return config;
    }

    private void refuseProblems(TrainingConfig config, Map<ConfigKey<?>, Setting> known) {
        List<String> ofPaths = pathFailure.isPresent() ? problemsOfPaths(config, known) : List.of();
        if (!problems.isEmpty()) {
            problems.addAll(ofPaths);
            throw new InvalidConfigurationException(problems);
        }
        if (!ofPaths.isEmpty()) {
            throw pathFailure.get().apply(ofPaths);
        }
    }

    private List<Setting> flagsLast() {
        List<Setting> ordered = new ArrayList<>(settings);
        ordered.sort((first, second) -> Boolean.compare(first.isFlag(), second.isFlag()));
        return ordered;
    }

    private static Map<ConfigKey<?>, Setting> lastOfEachKey(List<Setting> ordered) {
        Map<ConfigKey<?>, Setting> known = new HashMap<>();
        for (Setting setting : ordered) {
            ConfigKeys.find(setting.name()).ifPresent(key -> known.put(key, setting));
        }
        return known;
    }

    private static Job jobOf(Map<ConfigKey<?>, Setting> known) {
        if (known.containsKey(ConfigKeys.REFERENCE)) {
            return Job.ANCHOR;
        }
        return known.keySet().stream().allMatch(key -> key.jobs().contains(Job.SFT)) ? Job.SFT : Job.FINETUNE;
    }

    private TrainingConfig apply(TrainingConfig config, Setting setting, Map<ConfigKey<?>, Setting> known) {
        Optional<ConfigKey<?>> key = ConfigKeys.find(setting.name());
        if (key.isEmpty()) {
            problems.add(setting.unknown());
            return config;
        }
        boolean overridden = known.get(key.get()) != setting;
        return overridden ? config : apply(config, key.get(), setting);
    }

    private <T> TrainingConfig apply(TrainingConfig config, ConfigKey<T> key, Setting setting) {
        if (!key.jobs().contains(config.job())) {
            problems.add(setting.where() + ": not a key of " + config.job().command() + ", but of " + commandsOf(key)
                    + "; remove it, or run `holdfast " + lastJobOf(key).command() + "`");
            return config;
        }
        Optional<T> value = setting.text().flatMap(key.type()::parse);
        if (value.isEmpty()) {
            problems.add(setting.where() + ": expected " + key.type().expectation() + ", got " + setting.got());
            return config;
        }
        return config.with(key, value.get());
    }

    private static String commandsOf(ConfigKey<?> key) {
        return key.jobs().stream().sorted().map(Job::command).collect(Collectors.joining(" and "));
    }

    /** Both stages, where they take it: they do what the other commands do. */
    private static Job lastJobOf(ConfigKey<?> key) {
        return Collections.max(key.jobs());
    }

    private void requirePaths(Job job, Map<ConfigKey<?>, Setting> known) {
        if (fileIsUnreadable) {
            // What the file would have set is not known.
            return;
        }
        for (ConfigKey<?> key : ConfigKeys.of(job)) {
            if (key.requiredBy().contains(job) && !known.containsKey(key)) {
                problems.add(key.flagName() + ": missing: " + job.command() + " needs it"
                        + source.map(file -> ", as a flag or in " + file)
                                .orElse(", as a flag or in the file of --config"));
            }
        }
    }

    private static List<String> problemsOfPaths(TrainingConfig config, Map<ConfigKey<?>, Setting> known) {
        List<String> found = new ArrayList<>();
        for (ConfigKey<Path> key : INPUTS) {
            Optional<Path> path = known.containsKey(key) ? config.find(key) : Optional.empty();
            path.filter(Files::notExists)
                    .ifPresent(missing -> found.add(known.get(key).where() + ": no such file or folder: " + missing));
        }
        boolean isFree = config.find(ConfigKeys.OUT).map(NewFolder::isFree).orElse(true);
        if (!isFree && !config.resume()) {
            found.add(known.get(ConfigKeys.OUT).where() + ": " + NewFolder.taken(config.out())
                    + "; add --resume to continue a run, or name another folder");
        }
        return found;
    }
}
