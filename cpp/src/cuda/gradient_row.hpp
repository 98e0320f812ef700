// Where a token's gradient goes.
#pragma once

#include "cuda/element.hpp"

namespace holdfast::cuda {

/// One token's row of the gradient, written group by group: as whole groups where it lies like the student's row, else column by column.
template <class Element>
class GradientRow {
public:
    HF_DEVICE GradientRow(const GradientRows &rows, int64_t token)
        : data_(static_cast<char *>(rows.data) + (rows.data == nullptr ? 0 : token * rows.stride_bytes)),
          columns_(rows.columns),
          type_(rows.type),
          accumulates_(rows.accumulates),
          takes_groups_(Element::IS_ALIGNED && rows.is_like_student) {}

    HF_DEVICE void write(int64_t first_column, float (&values)[Element::COLUMNS]) const {
        if (takes_groups_ && first_column >= 0 && first_column + Element::COLUMNS <= columns_) {
            write_group(reinterpret_cast<Bytes16 *>(data_ + first_column * Element::BYTES), values);
            return;
        }
        HF_KEEP_LOOP for (int i = 0; i < Element::COLUMNS; ++i) {
            const int64_t column = first_column + i;
            if (column >= 0 && column < columns_) {
                const float before = accumulates_ ? load_element(data_, type_, column) : 0.0f;
                store_element(data_, type_, column, before + pick(values, i));
            }
        }
    }

private:
    HF_DEVICE void write_group(Bytes16 *target, float (&values)[Element::COLUMNS]) const {
        if (accumulates_) {
            float before[Element::COLUMNS];
            Element::widen(device::load_streaming(target), before);
            HF_UNROLL for (int i = 0; i < Element::COLUMNS; ++i) { values[i] += before[i]; }
        }
        device::store_streaming(target, Element::narrow(values));
    }

    char *data_;
    int64_t columns_;
    int32_t type_;
    bool accumulates_;
    bool takes_groups_;
};

}  // namespace holdfast::cuda
