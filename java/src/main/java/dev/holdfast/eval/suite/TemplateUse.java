package dev.holdfast.eval.suite;

import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;

/** Whether questions are put into words by the model's chat template. */
public enum TemplateUse {
    /** Where the model has one. */
    AUTO,
    /** Always; a model without one is refused. */
    TRUE,
    /** Never: the model continues the text of the question. */
    FALSE;

    boolean applies(Tokenizer tokenizer) {
        if (this == TRUE && !tokenizer.hasChatTemplate()) {
            throw new InvalidInputException(
                    tokenizer.file() + ": the model has no chat template; set chat_template to false or auto");
        }
        return this != FALSE && tokenizer.hasChatTemplate();
    }
}
