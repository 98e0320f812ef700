package dev.holdfast.artifact;

/** The names of inputs and outputs of the graphs in an artifact. B sequences of T tokens, N response tokens, hidden size H, vocabulary V. */
public final class GraphNames {
    /** Token ids, right-padded, INT64[B, T]. */
    public static final String INPUT_IDS = "input_ids";
    /** Flat indices b·T + t of the tokens whose logits predict a response token, INT64[N]. */
    public static final String RESPONSE_POSITIONS = "response_positions";
    /** The response tokens, INT64[N]. */
    public static final String LABELS = "labels";
    /** The weight of each response token in the loss, FLOAT[N]: one over the response tokens of the global batch. */
    public static final String WEIGHTS = "weights";
    /** Temperature, weight of the distillation, weight of the cross-entropy, β of the generalised JSD, FLOAT[4]. */
    public static final String LOSS_COEFFICIENTS = "loss_coefficients";
    /** Divergence, interpolation and label weighting by their codes, INT64[3]. */
    public static final String LOSS_MODES = "loss_modes";
    /** The weight of the reference in the anchor for each response token, FLOAT[N], in [0, 1]. */
    public static final String ALPHAS = "alphas";
    /** What dropout's masks follow from: seed, step and micro-batch, INT64[3]; an input of training models with dropout alone. */
    public static final String DROPOUT_KEY = "dropout_key";
    /** Hidden states of the student at the response positions, FLOAT[N, S], of the drift model. */
    public static final String STUDENT_HIDDEN = "student_hidden";
    /** The student's head, FLOAT[V, S], of the drift model. */
    public static final String STUDENT_HEAD = "student_head";
    /** Hidden states of the snapshot at the response positions, FLOAT[N, H]. */
    public static final String SNAPSHOT_HIDDEN = "snapshot_hidden";
    /** The snapshot's head, FLOAT[V, H]. */
    public static final String SNAPSHOT_HEAD = "snapshot_head";
    /** Hidden states of the reference at the response positions, FLOAT[N, R]; R is the reference's own hidden size. */
    public static final String REFERENCE_HIDDEN = "reference_hidden";
    /** The reference's head, FLOAT[U, R]; U is the reference's own vocabulary. */
    public static final String REFERENCE_HEAD = "reference_head";

    /** Σ of weight times loss over the response tokens, FLOAT[]. */
    public static final String LOSS = "loss";
    /** The loss of each response token, unweighted, FLOAT[N]. */
    public static final String TOKEN_LOSS = "token_loss";
    /** Statistics of each response token, FLOAT[N, 11]. */
    public static final String STATISTICS = "statistics";

    /** Addresses of each parameter and of its accumulated gradient, INT64[parameters, 2]. */
    public static final String GRADIENT_PORT = "gradient_port";

    /** What ONNX Runtime's training API appends to a parameter's name for the sum of its gradients, an input of the training model. */
    public static final String GRADIENT_BUFFER_SUFFIX = "_grad.accumulation.buffer";
    /** What it appends for the output that tells that a gradient was added, BOOL[1]. */
    public static final String GRADIENT_ADDED_SUFFIX = "_grad.accumulation.out";
    /** Whether gradients overwrite what the buffers hold, BOOL[1], an input of the training model that the training API feeds. */
    public static final String LAZY_RESET_GRAD = "lazy_reset_grad";

    /** Final hidden states, FLOAT[B, T, H] of the forward model, FLOAT[N, H] of the hidden-state model. */
    public static final String HIDDEN_STATES = "hidden_states";
    /** Logits, FLOAT[B, T, V]. */
    public static final String LOGITS = "logits";

    private GraphNames() {}
}
