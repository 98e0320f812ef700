package dev.holdfast.weights;

import java.nio.file.Path;

/** The slots of the tables in an ONNX Runtime training checkpoint. */
final class CheckpointFormat {
    static final String IDENTIFIER = "ODTC";
    static final int VERSION = 2;

    static final int ROOT_VERSION = 0;
    static final int ROOT_MODULE = 1;
    static final int ROOT_GROUPS = 2;
    static final int ROOT_PROPERTIES = 3;

    static final int MODULE_TRAINABLE = 0;
    static final int MODULE_FROZEN = 1;
    static final int MODULE_HAS_EXTERNAL_DATA = 3;

    static final int TENSOR_NAME = 0;
    static final int TENSOR_DIMENSIONS = 2;
    static final int TENSOR_TYPE = 3;
    static final int TENSOR_RAW_DATA = 4;
    static final int TENSOR_EXTERNAL_OFFSET = 6;

    static final int GROUP_NAME = 0;
    static final int GROUP_STEP = 1;
    static final int GROUP_LEARNING_RATE = 2;
    static final int GROUP_STATES = 3;

    static final int STATE_PARAMETER = 0;
    static final int STATE_MOMENTS = 1;

    static final int BAG_INTEGERS = 0;
    static final int BAG_FLOATS = 1;
    static final int BAG_STRINGS = 2;

    static final int PROPERTY_NAME = 0;
    static final int PROPERTY_VALUE = 1;

    private CheckpointFormat() {}

    /** Where a checkpoint over 2 GiB keeps its tensors' bytes. */
    static Path dataPath(Path checkpoint) {
        return checkpoint.resolveSibling(checkpoint.getFileName() + ".data");
    }
}
