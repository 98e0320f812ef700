package dev.holdfast.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tensors of several safetensors files that an index ({@code model.safetensors.index.json}) names. */
public final class ShardedSafetensors implements WeightSource {
    private final Path index;
    private final Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> shardOfTensor = new LinkedHashMap<>();

    private ShardedSafetensors(Path index) {
        this.index = index;
    }

    /**
     * Opens the index and every file that it names.
     *
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read
     * @throws dev.holdfast.error.MalformedFileException if the index or a file is corrupt, a file is missing or lacks a tensor
     * @throws dev.holdfast.error.UnsupportedModelException if a tensor's type is unknown
     */
    public static ShardedSafetensors open(Path index) {
        ShardedSafetensors source = new ShardedSafetensors(index);
        try {
            source.openShards();
            return source;
        } catch (HoldfastException e) {
            source.close();
            throw e;
        }
    }

    private void openShards() {
        if (!(StrictJson.readFile(index).get("weight_map") instanceof ObjectNode weightMap)) {
            throw MalformedFileException.of(
                    index, "weight_map: expected an object of tensor names and file names, got none");
        }
        for (Map.Entry<String, JsonNode> entry : weightMap.properties()) {
            String shardName = shardName(entry.getKey(), entry.getValue());
            SafetensorsFile shard = shards.computeIfAbsent(shardName, this::openShard);
            if (!shard.contains(entry.getKey())) {
                throw MalformedFileException.of(
                        index, "tensor " + entry.getKey() + ": expected in " + shardName + ", got none there");
            }
            shardOfTensor.put(entry.getKey(), shard);
        }
    }

    /** A plain file name: an index must not lead out of its folder. */
    private String shardName(String tensor, JsonNode node) {
        String name = node.asText();
        if (!node.isTextual()
                || name.isEmpty()
                || name.contains("/")
                || name.contains("\\")
                || name.indexOf('\0') >= 0) {
            throw MalformedFileException.of(
                    index, "weight_map: tensor " + tensor + ": expected the name of a file beside it, got " + node);
        }
        return name;
    }

    private SafetensorsFile openShard(String name) {
        Path path = index.resolveSibling(name);
        if (!Files.exists(path)) {
            throw MalformedFileException.of(
                    index, "weight_map: expected the file " + name + " beside it, got none; download it too");
        }
        return SafetensorsFile.open(path);
    }

    private SafetensorsFile shardOf(String name) {
        SafetensorsFile shard = shardOfTensor.get(name);
        if (shard == null) {
            throw MalformedFileException.of(
                    index, "tensor " + name + ": expected in the index, got none; is this the whole model?");
        }
        return shard;
    }

    @Override
    public List<String> names() {
        return List.copyOf(shardOfTensor.keySet());
    }

    @Override
    public WeightInfo info(String name) {
        return shardOf(name).info(name);
    }

    @Override
    public HostTensor readFloat(String name) {
        return shardOf(name).readFloat(name);
    }

    @Override
    public boolean contains(String name) {
        return shardOfTensor.containsKey(name);
    }

    @Override
    public void close() {
        shards.values().forEach(SafetensorsFile::close);
    }
}
