package dev.holdfast.eval.suite;

import dev.holdfast.data.Examples;
import java.util.List;

/** A suite with its data, ready to be run. */
sealed interface Suite {
    SuiteName name();

    /** How many questions or rows there are. */
    int size();

    /** Questions that are answered by a response. */
    record Questions(SuiteName name, List<Question> questions) implements Suite {
        @Override
        public int size() {
            return questions.size();
        }
    }

    /** Questions whose answers a model weighs. */
    record Choices(SuiteName name, List<Choice> choices) implements Suite {
        @Override
        public int size() {
            return choices.size();
        }
    }

    /** Rows whose responses a model weighs. */
    record Rows(SuiteName name, Examples rows, int size) implements Suite {}
}
