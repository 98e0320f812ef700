package dev.holdfast;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds the packages to their layers; a package may use what stands beside it in the table, and nothing else of Holdfast. */
class LayersTest {
    private static final String ROOT = "dev.holdfast";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(location -> !location.contains("/test-classes/"))
            .importPackages(ROOT);

    private static final Map<String, List<String>> MAY_USE = new TreeMap<>();

    static {
        layer("error", "");
        layer("tensor", "");
        layer("files", "error");
        layer("natives", "error");
        layer("cache", "tensor error");
        layer("config", "files error");
        layer("weights", "files tensor error");
        layer("onnx", "files tensor error");
        layer("data", "config tensor error");
        layer("artifact", "weights onnx files tensor error");
        layer("gradient", "onnx tensor error");
        layer("model", "weights onnx tensor error");
        layer("loss", "natives config tensor error");
        layer("exporter", "model gradient weights onnx artifact data files tensor error");
        layer("chart", "");
        layer("report", "chart artifact files error");
        layer("runtime", "artifact onnx weights natives tensor error");
        layer("train", "report runtime loss data artifact cache config weights onnx natives files tensor error");
        layer("bench", "train runtime loss artifact config onnx natives tensor error");
        layer("eval", "runtime data artifact config weights onnx natives files tensor error");
    }

    private static void layer(String name, String used) {
        MAY_USE.put(name, used.isEmpty() ? List.of() : List.of(used.split(" ")));
    }

    @TestFactory
    List<DynamicTest> eachPackageUsesOnlyTheLayersBelowIt() {
        return MAY_USE.entrySet().stream()
                .map(layer -> DynamicTest.dynamicTest(
                        layer.getKey(), () -> check(usesOnly(layer.getKey(), layer.getValue()))))
                .toList();
    }

    private static ArchRule usesOnly(String name, List<String> used) {
        String[] allowed = used.stream().map(LayersTest::packages).toArray(String[]::new);
        DescribedPredicate<JavaClass> forbidden = resideInAPackage(ROOT + "..")
                .and(DescribedPredicate.not(resideInAPackage(packages(name))))
                .and(DescribedPredicate.not(resideInAnyPackage(allowed)));
        return noClasses().that().resideInAPackage(packages(name)).should().dependOnClassesThat(forbidden);
    }

    @Test
    void everyPackageHasItsPlaceInTheTable() {
        TreeSet<String> unknown = new TreeSet<>();
        for (JavaClass type : CLASSES) {
            String[] parts = type.getPackageName().substring(ROOT.length()).split("\\.");
            if (parts.length > 1 && !MAY_USE.containsKey(parts[1]) && !parts[1].equals("cli")) {
                unknown.add(type.getPackageName());
            }
        }
        assertThat(unknown).isEmpty();
    }

    @Test
    void packagesFormNoCircle() {
        check(slices().matching(ROOT + ".(*)..").should().beFreeOfCycles());
    }

    @Test
    void everyNameMeansOneThing() {
        Map<String, List<String>> placesByName = CLASSES.stream()
                .filter(JavaClass::isTopLevelClass)
                .filter(type -> !type.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(
                        JavaClass::getSimpleName, Collectors.mapping(JavaClass::getName, Collectors.toList())));
        placesByName.values().removeIf(places -> places.size() == 1);
        assertThat(placesByName).isEmpty();
    }

    @Test
    void theCommandsAreUsedByNobody() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(packages("cli"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(packages("cli")));
    }

    @Test
    void onlyTheRuntimeSeesOnnxRuntime() {
        check(onlyOneSees("runtime", "ai.onnxruntime.."));
    }

    @Test
    void onlyTheNativesSeeJavaCpp() {
        check(onlyOneSees("natives", "org.bytedeco.."));
    }

    private static ArchRule onlyOneSees(String name, String library) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(packages(name))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library);
    }

    @Test
    void onlyTheCommandsWriteToTheConsole() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(packages("cli"))
                .should()
                .accessField(System.class, "out"));
        check(noClasses()
                .that()
                .resideOutsideOfPackage(packages("cli"))
                .should()
                .accessField(System.class, "err"));
    }

    @Test
    void onlyMainEndsTheProcess() {
        DescribedPredicate<JavaClass> allButMain = DescribedPredicate.not(
                resideInAPackage(packages("cli")).and(simpleName("Main").or(simpleName("Interruption"))));
        check(noClasses().that(allButMain).should().callMethod(System.class, "exit", int.class));
        check(noClasses().that(allButMain).should().callMethod(Runtime.class, "exit", int.class));
        check(noClasses().that(allButMain).should().callMethod(Runtime.class, "halt", int.class));
    }

    @Test
    void everyPackageSaysWhatItIsFor() {
        Path sources = Path.of("java/src/main/java");
        assertThat(CLASSES.stream().map(JavaClass::getPackageName).distinct()).allSatisfy(name -> assertThat(
                        sources.resolve(name.replace('.', '/')).resolve("package-info.java"))
                .exists());
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(CLASSES);
    }

    private static String packages(String name) {
        return ROOT + "." + name + "..";
    }
}
