package dev.holdfast.weights;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** How a stored FLOAT tensor becomes the one that Hugging Face's models have. */
sealed interface Rearrangement {
    /** The shape afterwards. */
    Shape shape(Shape stored);

    /** The rearranged values. */
    HostTensor apply(HostTensor stored);

    /** Leaves a tensor as it is. */
    record Identity() implements Rearrangement {
        @Override
        public Shape shape(Shape stored) {
            return stored;
        }

        @Override
        public HostTensor apply(HostTensor stored) {
            return stored;
        }
    }

    /** Swaps the axes of a matrix. */
    record Transpose() implements Rearrangement {
        @Override
        public Shape shape(Shape stored) {
            return Shape.of(stored.dimension(1), stored.dimension(0));
        }

        @Override
        public HostTensor apply(HostTensor stored) {
            HostTensor result = HostTensor.allocate(ElementType.FLOAT, shape(stored.shape()));
            FloatBuffer target = result.floats();
            int rows = (int) stored.shape().dimension(0);
            int columns = (int) stored.shape().dimension(1);
            float[] row = new float[columns];
            FloatBuffer source = stored.floats();
            for (int i = 0; i < rows; i++) {
                source.get(row);
                for (int j = 0; j < columns; j++) {
                    target.put(j * rows + i, row[j]);
                }
            }
            return result;
        }
    }

    /**
     * Takes the rows of each attention head from the order in which llama.cpp rotates them (pairs of neighbours) to Hugging Face's
     * (halves).
     *
     * <p>Row {@code 2 i + half} of a head becomes row {@code half · headSize / 2 + i}. Source: llama.cpp, {@code convert_hf_to_gguf.py},
     * {@code LlamaModel.permute}, whose inverse this is.
     */
    record HeadRows(int headCount) implements Rearrangement {
        @Override
        public Shape shape(Shape stored) {
            return stored;
        }

        @Override
        public HostTensor apply(HostTensor stored) {
            HostTensor result = HostTensor.allocate(ElementType.FLOAT, stored.shape());
            int rows = (int) stored.shape().dimension(0);
            int rowBytes = rows == 0 ? 0 : stored.sizeBytes() / rows;
            int halfHead = rows / headCount / 2;
            ByteBuffer source = stored.bytes();
            ByteBuffer target = result.bytes();
            for (int row = 0; row < rows; row++) {
                int head = row / (2 * halfHead);
                int inHead = row % (2 * halfHead);
                int targetRow = head * 2 * halfHead + inHead % 2 * halfHead + inHead / 2;
                target.put(targetRow * rowBytes, source, row * rowBytes, rowBytes);
            }
            return result;
        }
    }
}
