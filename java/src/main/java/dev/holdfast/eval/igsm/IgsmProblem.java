package dev.holdfast.eval.igsm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A problem: quantities that it gives, each by a formula, and one that it asks for.
 *
 * <p>Quantities of a category are not given: how much of it an owner has is the sum over what it owns. Where the category is one step down
 * that is the sum of the owner's quantities, further down the sum of each of them times what that has of the category. The problem does not
 * say how far down a category is; a reference solution shows it.
 */
public final class IgsmProblem {
    private static final Pattern SENTENCE_END = Pattern.compile("(?<=\\.) (?=The number of each |How many )");
    private static final Pattern GIVEN = Pattern.compile("The number of each (.+?) equals (.+)\\.");
    private static final Pattern ASKED = Pattern.compile("How many (.+) does (.+) have\\?");
    private static final Pattern FACTOR = Pattern.compile("(\\d+) (more than|times as much as) (.+)");
    private static final Pattern PLACE_BETWEEN = Pattern.compile("(?:, | and )(?=each )");
    private static final String EACH = "each ";
    private static final String SUM = "the sum of ";
    private static final String DIFFERENCE = "the difference of ";

    private final Set<String> mentioned = new LinkedHashSet<>();
    private final Map<String, Polynomial> given = new LinkedHashMap<>();
    private final Map<String, List<String>> owned = new LinkedHashMap<>();
    private final Map<String, Place> places = new HashMap<>();

    /** Where the owners are whose quantities of a category are sums of what they own, by category. */
    private final Map<String, Set<Place>> above = new HashMap<>();

    private String asked = "";

    /** A layer of the things of a problem that are connected by owning one another. */
    private record Place(int part, int layer) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            return part != other.part ? Integer.compare(part, other.part) : Integer.compare(layer, other.layer);
        }
    }

    private IgsmProblem() {}

    /**
     * Reads a problem.
     *
     * @param text the problem as the generator words it
     * @param reference a solution that is known to be right
     * @return nothing if a sentence is worded otherwise
     */
    public static Optional<IgsmProblem> of(String text, String reference) {
        IgsmProblem problem = new IgsmProblem();
        boolean whole = Stream.of(SENTENCE_END.split(text.strip())).allMatch(problem::read);
        if (!whole || problem.asked.isEmpty()) {
            return Optional.empty();
        }
        problem.findOwned();
        problem.findPlaces();
        new IgsmSolution(reference).formulas().forEach(problem::learn);
        return Optional.of(problem);
    }

    private boolean read(String sentence) {
        Matcher question = ASKED.matcher(sentence);
        if (question.matches()) {
            asked = new Quantity(question.group(2), question.group(1)).name();
            mentioned.add(asked);
            return true;
        }
        Matcher statement = GIVEN.matcher(sentence);
        if (!statement.matches()) {
            return false;
        }
        mentioned.add(statement.group(1));
        Optional<Polynomial> formula = formula(statement.group(2));
        formula.ifPresent(value -> given.put(statement.group(1), value));
        return formula.isPresent();
    }

    private Optional<Polynomial> formula(String words) {
        Matcher factor = FACTOR.matcher(words);
        if (factor.matches()) {
            Polynomial number = Polynomial.constant(Integer.parseInt(factor.group(1)) % Polynomial.MODULUS);
            return formula(factor.group(3))
                    .map(rest -> factor.group(2).startsWith("more") ? number.plus(rest) : number.times(rest));
        }
        if (words.matches("\\d{1,9}")) {
            return Optional.of(Polynomial.constant(Integer.parseInt(words)));
        }
        if (words.startsWith(SUM)) {
            return Optional.of(Polynomial.sum(quantities(words.substring(SUM.length()))));
        }
        List<Polynomial> parts =
                quantities(words.startsWith(DIFFERENCE) ? words.substring(DIFFERENCE.length()) : words);
        return switch (parts.size()) {
            case 1 -> Optional.of(parts.get(0));
            case 2 -> Optional.of(parts.get(0).minus(parts.get(1)));
            default -> Optional.empty();
        };
    }

    private List<Polynomial> quantities(String words) {
        List<String> names = Stream.of(PLACE_BETWEEN.split(words))
                .filter(part -> part.startsWith(EACH))
                .map(part -> part.substring(EACH.length()))
                .toList();
        mentioned.addAll(names);
        return names.stream().map(Polynomial::quantity).toList();
    }

    /** All readings count: a wrong one leads to the same sums or to names that do not occur. */
    private void findOwned() {
        given.keySet().stream()
                .flatMap(name -> Quantity.readings(name).stream())
                .forEach(quantity -> owned.computeIfAbsent(quantity.owner(), owner -> new ArrayList<>())
                        .add(quantity.thing()));
    }

    private void findPlaces() {
        int part = 0;
        for (String owner : owned.keySet()) {
            if (!places.containsKey(owner)) {
                spread(owner, part++);
            }
        }
    }

    private void spread(String first, int part) {
        Deque<String> open = new ArrayDeque<>(List.of(first));
        places.put(first, new Place(part, 0));
        while (!open.isEmpty()) {
            String thing = open.remove();
            int layer = places.get(thing).layer();
            for (String below : owned.getOrDefault(thing, List.of())) {
                visit(below, new Place(part, layer + 1), open);
            }
            for (Map.Entry<String, List<String>> entry : owned.entrySet()) {
                if (entry.getValue().contains(thing)) {
                    visit(entry.getKey(), new Place(part, layer - 1), open);
                }
            }
        }
    }

    private void visit(String thing, Place place, Deque<String> open) {
        if (places.putIfAbsent(thing, place) == null) {
            open.add(thing);
        }
    }

    /** What the reference's formula of a quantity of a category shows about the category. */
    private void learn(String name, Polynomial formula) {
        if (given.containsKey(name)) {
            return;
        }
        for (Quantity quantity : Quantity.readings(name)) {
            if (owned.containsKey(quantity.owner()) && formula.equals(sumOfOwned(quantity.owner()))) {
                above.computeIfAbsent(quantity.thing(), category -> new TreeSet<>())
                        .add(places.get(quantity.owner()));
            }
        }
    }

    /** The quantity that is asked for. */
    String asked() {
        return asked;
    }

    /**
     * The formulas that define a quantity rightly: one; two where nothing shows how far down a category is; none if it has no meaning
     * here.
     */
    List<Polynomial> formulas(String name) {
        Polynomial formula = given.get(name);
        if (formula != null) {
            return List.of(formula);
        }
        List<Quantity> readings = Quantity.readings(name);
        List<Quantity> sums = readings.stream()
                .filter(quantity -> owned.containsKey(quantity.owner()))
                .toList();
        if (!sums.isEmpty()) {
            return sums.stream()
                    .flatMap(quantity -> ofCategory(quantity).stream())
                    .toList();
        }
        return readings.stream().anyMatch(this::isMentioned) ? List.of(Polynomial.ZERO) : List.of();
    }

    /** Whether the problem speaks of the owner, who may own nothing. */
    private boolean isMentioned(Quantity quantity) {
        String prefix = quantity.owner() + Quantity.POSSESSIVE;
        String suffix = Quantity.POSSESSIVE + quantity.owner();
        return mentioned.stream().anyMatch(name -> name.startsWith(prefix) || name.endsWith(suffix));
    }

    private List<Polynomial> ofCategory(Quantity quantity) {
        Place place = places.get(quantity.owner());
        Polynomial next = sumOfOwned(quantity.owner());
        Polynomial further = sumThroughOwned(quantity);
        List<Place> known = above.getOrDefault(quantity.thing(), Set.of()).stream()
                .filter(other -> other.part() == place.part())
                .toList();
        if (known.isEmpty()) {
            return List.of(next, further);
        }
        return List.of(known.contains(place) ? next : further);
    }

    private Polynomial sumOfOwned(String owner) {
        return Polynomial.sum(owned.getOrDefault(owner, List.of()).stream()
                .map(thing -> Polynomial.quantity(new Quantity(owner, thing).name()))
                .toList());
    }

    private Polynomial sumThroughOwned(Quantity quantity) {
        return Polynomial.sum(owned.getOrDefault(quantity.owner(), List.of()).stream()
                .map(thing -> Polynomial.quantity(new Quantity(quantity.owner(), thing).name())
                        .times(Polynomial.quantity(new Quantity(thing, quantity.thing()).name())))
                .toList());
    }
}
