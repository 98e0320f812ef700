package dev.holdfast.eval.igsm;

import java.util.ArrayList;
import java.util.List;

/**
 * How many of something each of an owner has: {@code Condominium's Supermarket}.
 *
 * @param owner who has them
 * @param thing what is counted
 */
record Quantity(String owner, String thing) {
    static final String POSSESSIVE = "'s ";

    /** The ways to read a name: more than one where owner or thing has a possessive of its own ({@code Sam's Club's Cookies}). */
    static List<Quantity> readings(String name) {
        List<Quantity> readings = new ArrayList<>();
        for (int place = name.indexOf(POSSESSIVE, 1); place > 0; place = name.indexOf(POSSESSIVE, place + 1)) {
            readings.add(new Quantity(name.substring(0, place), name.substring(place + POSSESSIVE.length())));
        }
        return readings;
    }

    String name() {
        return owner + POSSESSIVE + thing;
    }
}
