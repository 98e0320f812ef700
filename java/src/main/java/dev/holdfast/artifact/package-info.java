/**
 * The artifact directory, the contract between exporting and training: file names, graph inputs and outputs, the manifest with its
 * digests, and the binding of graphs to the checkpoint that holds their weights.
 *
 * <p>Flows in: what an exporter made. Flows out: {@link dev.holdfast.artifact.ArtifactDirectory}. Imports {@code onnx},
 * {@code weights}, {@code files}, {@code tensor} and {@code error}; knows nothing of models or of training.
 */
package dev.holdfast.artifact;
