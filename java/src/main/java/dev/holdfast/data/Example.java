package dev.holdfast.data;

import java.util.List;

/** One training example as text; which part of it is response, and thus learnt, depends on the kind. */
public sealed interface Example {
    /** A prompt and the completion to learn. */
    record PromptCompletion(String prompt, String completion) implements Example {}

    /**
     * A conversation; the assistant's turns are learnt.
     *
     * @param messages the turns, in order
     * @param firstResponse the index of the first turn that may be learnt; assistant turns before it are context
     */
    record Messages(List<Message> messages, int firstResponse) implements Example {
        public Messages {
            messages = List.copyOf(messages);
        }

        /** A conversation in which every assistant turn is learnt. */
        public Messages(List<Message> messages) {
            this(messages, 0);
        }
    }

    /** A text of which every token but the first is learnt. */
    record Text(String text) implements Example {}

    /**
     * An instruction, an input to it that may be empty, and the output to learn, put into the Alpaca wording.
     */
    record Instruction(String instruction, String input, String output) implements Example {
        /** The prompt in the Alpaca wording; what follows it is the output. */
        public String prompt() {
            if (input.isEmpty()) {
                return "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                        + "### Instruction:\n" + instruction + "\n\n### Response:\n";
            }
            return "Below is an instruction that describes a task, paired with an input that provides further context. "
                    + "Write a response that appropriately completes the request.\n\n### Instruction:\n" + instruction
                    + "\n\n### Input:\n" + input + "\n\n### Response:\n";
        }
    }
}
