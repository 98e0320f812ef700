package dev.holdfast.runtime;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoraAdapter;
import ai.onnxruntime.OrtSession;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a session is run: with an adapter that ONNX Runtime feeds to the model's optional inputs, or without.
 *
 * <p>Ownership: the caller closes it after the last run.
 */
final class ActiveAdapter implements AutoCloseable {
    private final Optional<OrtLoraAdapter> adapter;
    private final OrtSession.RunOptions options;

    private ActiveAdapter(Optional<OrtLoraAdapter> adapter, OrtSession.RunOptions options) {
        this.adapter = adapter;
        this.options = options;
    }

    static ActiveAdapter none() throws OrtException {
        return new ActiveAdapter(Optional.empty(), new OrtSession.RunOptions());
    }

    /** The adapter of a file {@code .onnx_adapter}, which is mapped. */
    static ActiveAdapter read(Path file) throws OrtException {
        OrtLoraAdapter adapter = OrtLoraAdapter.create(file.toString());
        ActiveAdapter active = new ActiveAdapter(Optional.of(adapter), new OrtSession.RunOptions());
        try {
            active.options.addActiveLoraAdapter(adapter);
            return active;
        } catch (OrtException e) {
            active.close();
            throw e;
        }
    }

    OrtSession.RunOptions options() {
        return options;
    }

    @Override
    public void close() {
        options.close();
        adapter.ifPresent(OrtLoraAdapter::close);
    }
}
