package dev.holdfast.runtime;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A declared input or output of a model.
 *
 * @param name its name
 * @param elementType the type of its elements, or empty where ONNX has a type that {@link ElementType} has not
 * @param dimensions its dimensions, outermost first, or empty where the model does not declare a rank
 */
public record ValueInfo(String name, Optional<ElementType> elementType, Optional<List<DeclaredDimension>> dimensions) {
    public ValueInfo {
        dimensions = dimensions.map(List::copyOf);
    }

    /** Whether a tensor of this type and shape fits the declaration. */
    public boolean accepts(ElementType type, Shape shape) {
        return elementType.filter(type::equals).isPresent()
                && dimensions.map(declared -> fits(declared, shape)).orElse(true);
    }

    private static boolean fits(List<DeclaredDimension> declared, Shape shape) {
        if (declared.size() != shape.rank()) {
            return false;
        }
        for (int axis = 0; axis < declared.size(); axis++) {
            if (declared.get(axis).isFixed() && declared.get(axis).size() != shape.dimension(axis)) {
                return false;
            }
        }
        return true;
    }

    /** The shape where every dimension is fixed or its name is in the map. */
    Optional<Shape> shapeWith(Map<String, Long> sizes) {
        if (dimensions.isEmpty()) {
            return Optional.empty();
        }
        List<DeclaredDimension> declared = dimensions.get();
        long[] shape = new long[declared.size()];
        for (int axis = 0; axis < shape.length; axis++) {
            DeclaredDimension dimension = declared.get(axis);
            Long size = dimension.isFixed() ? Long.valueOf(dimension.size()) : sizes.get(dimension.symbol());
            if (size == null) {
                return Optional.empty();
            }
            shape[axis] = size;
        }
        return Optional.of(Shape.of(shape));
    }

    /** Adds the sizes that a tensor gives to named dimensions. */
    void collectSizes(Shape shape, Map<String, Long> sizes) {
        List<DeclaredDimension> declared = dimensions.orElse(List.of());
        for (int axis = 0; axis < declared.size(); axis++) {
            if (!declared.get(axis).symbol().isEmpty()) {
                sizes.put(declared.get(axis).symbol(), shape.dimension(axis));
            }
        }
    }

    /** For example {@code input_ids INT64[batch, sequence]}. */
    @Override
    public String toString() {
        return name + " " + description();
    }

    /** Type and dimensions, for example {@code INT64[batch, sequence]}. */
    public String description() {
        String type = elementType.map(ElementType::toString).orElse("unsupported type");
        return type + dimensions.map(ValueInfo::join).orElse("[...]");
    }

    private static String join(List<DeclaredDimension> dimensions) {
        return dimensions.stream().map(DeclaredDimension::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
