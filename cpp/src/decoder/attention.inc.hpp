// Causal attention of one key-value head of one sequence, forward and backward. Compiled once per instruction set.
//
// Queries are taken in tiles; the scores of a tile against all keys that it may see are formed at once, so the softmax needs no running
// maximum. Keys after a tile's last query are never touched. Only the log-sum-exps are kept for the backward pass, which forms the
// probabilities anew. The rotation by position is applied while rows are read and undone while gradients are written.
#pragma once

#include "decoder/elementwise.inc.hpp"
#include "simd/gemm.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

/// (a, b) -> (a cos - b sin, b cos + a sin) on the two halves of a head, times a factor; direction -1 turns back.
void rotate(const CausalAttention &work, int64_t position, float direction, float factor, const float *source, float *target) {
    const int64_t half = work.head_size / 2;
    if (work.cos == nullptr) {
        for_vectors(work.head_size, [&](int64_t i, auto get, auto put) { put(target + i, get(source + i) * factor); });
        return;
    }
    const float *cos = work.cos + position * half, *sin = work.sin + position * half;
    for_vectors(half, [&](int64_t i, auto get, auto put) {
        const F a = get(source + i), b = get(source + half + i);
        const F c = get(cos + i) * factor, s = get(sin + i) * (direction * factor);
        put(target + i, a * c - b * s);
        put(target + half + i, b * c + a * s);
    });
}

/// One head of one sequence in a tensor [batch, length, heads * head_size].
template <class Float>
struct Head {
    Float *data;
    int64_t stride;

    Head(const CausalAttention &work, Float *tensor, int64_t heads, int64_t batch, int64_t head)
        : data(tensor + batch * work.length * heads * work.head_size + head * work.head_size), stride(heads * work.head_size) {}

    Float *row(int64_t position) const { return data + position * stride; }
};

/// Cuts the scratch memory of a task.
class Scratch {
public:
    explicit Scratch(float *memory) : next_(memory) {}

    float *take(int64_t floats) {
        float *taken = next_;
        next_ += floats;
        return taken;
    }

private:
    float *next_;
};

/// Strides of the scratch matrices.
struct Layout {
    int64_t row;     // of matrices [positions, head_size]
    int64_t column;  // of matrices [.., positions]

    explicit Layout(const CausalAttention &work) : row(work.head_size + ROW_PADDING), column(work.length + 2 * ROW_PADDING) {}
};

void transpose(const float *rows, int64_t row_stride, int64_t count, int64_t width, float *columns, int64_t column_stride) {
    for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < width; ++j) {
            columns[j * column_stride + i] = rows[i * row_stride + j];
        }
    }
}

/// Keys (rotated) and values of a head, by rows and by columns.
struct Keys {
    float *rows;
    float *columns;

    Keys(const CausalAttention &work, const Layout &layout, Scratch &scratch)
        : rows(scratch.take(work.length * layout.row)), columns(scratch.take(work.head_size * layout.column)) {}

    void load_rotated(const CausalAttention &work, const Layout &layout, const Head<const float> &head) {
        for (int64_t t = 0; t < work.length; ++t) {
            rotate(work, t, 1.0f, 1.0f, head.row(t), rows + t * layout.row);
        }
        transpose(rows, layout.row, work.length, work.head_size, columns, layout.column);
    }

    void load_plain(const CausalAttention &work, const Layout &layout, const Head<const float> &head) {
        for (int64_t t = 0; t < work.length; ++t) {
            std::memcpy(rows + t * layout.row, head.row(t), static_cast<size_t>(work.head_size) * sizeof(float));
        }
    }
};

/// Queries [begin, begin + count) and the keys [0, visible) that some of them sees.
struct Tile {
    int64_t begin;
    int64_t count;
    int64_t visible;
};

template <class Body>
void for_tiles(const CausalAttention &work, Body &&body) {
    for (int64_t begin = 0; begin < work.length; begin += work.tile()) {
        const int64_t count = begin + work.tile() < work.length ? work.tile() : work.length - begin;
        body(Tile{begin, count, begin + count});
    }
}

/// scores = scale q k^T, q rotated
void form_scores(const CausalAttention &work, const Layout &layout, const Tile &tile, const Head<const float> &q, const Keys &k, float *queries,
                 float *scores) {
    for (int64_t i = 0; i < tile.count; ++i) {
        rotate(work, tile.begin + i, 1.0f, work.scale, q.row(tile.begin + i), queries + i * layout.row);
    }
    gemm(tile.count, tile.visible, work.head_size, Matrix{queries, layout.row, 1}, k.columns, layout.column, scores, layout.column, false);
}

float largest_of(const float *values, int64_t count) {
    F result = broadcast(values[0]);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        result = max(result, load(values + i));
    }
    float largest_value = largest(result);
    for (; i < count; ++i) {
        largest_value = values[i] > largest_value ? values[i] : largest_value;
    }
    return largest_value;
}

/// Replaces scores by e^(score - shift) and returns their sum; what the query does not see becomes 0.
double exponentiate(float *scores, int64_t seen, int64_t visible, float shift) {
    F sum = F{};
    for_vectors(seen, [&](int64_t i, auto get, auto put) {
        put(scores + i, exp(get(scores + i) - shift));
        sum += get(scores + i);
    });
    std::memset(scores + seen, 0, static_cast<size_t>(visible - seen) * sizeof(float));
    return sum_of(sum);
}

void attend_tile(const CausalAttention &work, const Layout &layout, const Tile &tile, const Keys &v, float *scores, float *outputs,
                 const Head<float> &o, float *lse) {
    float inverse[64];
    for (int64_t i = 0; i < tile.count; ++i) {
        float *row = scores + i * layout.column;
        const int64_t seen = tile.begin + i + 1;
        const float shift = largest_of(row, seen);
        const double sum = exponentiate(row, seen, tile.visible, shift);
        inverse[i] = static_cast<float>(1 / sum);
        lse[tile.begin + i] = static_cast<float>(shift + std::log(sum));
    }
    gemm(tile.count, work.head_size, tile.visible, Matrix{scores, layout.column, 1}, v.rows, layout.row, outputs, layout.row, false);
    for (int64_t i = 0; i < tile.count; ++i) {
        float *target = o.row(tile.begin + i);
        for_vectors(work.head_size,
                    [&](int64_t j, auto get, auto put) { put(target + j, get(outputs + i * layout.row + j) * inverse[i]); });
    }
}

void attention(const CausalAttention &work, int64_t batch, int64_t kv_head, float *memory) {
    const Layout layout(work);
    Scratch scratch(memory);
    Keys k(work, layout, scratch), v(work, layout, scratch);
    k.load_rotated(work, layout, Head<const float>(work, work.k, work.kv_heads, batch, kv_head));
    v.load_plain(work, layout, Head<const float>(work, work.v, work.kv_heads, batch, kv_head));
    float *queries = scratch.take(work.tile() * layout.row), *outputs = scratch.take(work.tile() * layout.row);
    float *scores = scratch.take(work.tile() * layout.column);
    for (int64_t head = kv_head * work.group(); head < (kv_head + 1) * work.group(); ++head) {
        const Head<const float> q(work, work.q, work.heads, batch, head);
        const Head<float> o(work, work.o, work.heads, batch, head);
        float *lse = work.lse + (batch * work.heads + head) * work.length;
        for_tiles(work, [&](const Tile &tile) {
            form_scores(work, layout, tile, q, k, queries, scores);
            attend_tile(work, layout, tile, v, scores, outputs, o, lse);
        });
    }
}

/// sum over the head of d_o o
float row_product(const CausalAttention &work, const float *d_o, const float *o) {
    F sum = F{};
    for_vectors(work.head_size, [&](int64_t i, auto get, auto) { sum = fma(get(d_o + i), get(o + i), sum); });
    return static_cast<float>(sum_of(sum));
}

/// Scores become probabilities p, and dp becomes ds = p (dp - row_product).
void differentiate_softmax(float *scores, float *dp, int64_t seen, int64_t visible, float lse, float product) {
    for_vectors(seen, [&](int64_t i, auto get, auto put) {
        const F p = exp(min(get(scores + i) - lse, F{}));
        put(dp + i, p * (get(dp + i) - product));
        put(scores + i, p);
    });
    const size_t hidden = static_cast<size_t>(visible - seen) * sizeof(float);
    std::memset(scores + seen, 0, hidden);
    std::memset(dp + seen, 0, hidden);
}

/// What the backward pass of one key-value head works on.
struct Backward {
    const CausalAttention &work;
    Layout layout;
    Keys k, v;
    float *dk, *dv, *queries, *d_outputs, *d_queries, *scores, *d_scores;

    Backward(const CausalAttention &work_, Scratch &scratch)
        : work(work_),
          layout(work_),
          k(work_, layout, scratch),
          v(work_, layout, scratch),
          dk(scratch.take(work_.length * layout.row)),
          dv(scratch.take(work_.length * layout.row)),
          queries(scratch.take(work_.tile() * layout.row)),
          d_outputs(scratch.take(work_.tile() * layout.row)),
          d_queries(scratch.take(work_.tile() * layout.row)),
          scores(scratch.take(work_.tile() * layout.column)),
          d_scores(scratch.take(work_.tile() * layout.column)) {}
};

void attend_tile_backward(const Backward &b, const Tile &tile, const Head<const float> &q, const Head<const float> &o,
                          const Head<const float> &d_o, const Head<float> &dq, const float *lse) {
    const CausalAttention &work = b.work;
    const int64_t row = b.layout.row, column = b.layout.column;
    form_scores(work, b.layout, tile, q, b.k, b.queries, b.scores);
    for (int64_t i = 0; i < tile.count; ++i) {
        std::memcpy(b.d_outputs + i * row, d_o.row(tile.begin + i), static_cast<size_t>(work.head_size) * sizeof(float));
    }
    // dp = d_o v^T
    gemm(tile.count, tile.visible, work.head_size, Matrix{b.d_outputs, row, 1}, b.v.columns, column, b.d_scores, column, false);
    for (int64_t i = 0; i < tile.count; ++i) {
        const int64_t position = tile.begin + i;
        differentiate_softmax(b.scores + i * column, b.d_scores + i * column, position + 1, tile.visible, lse[position],
                              row_product(work, d_o.row(position), o.row(position)));
    }
    // dv += p^T d_o, dk += ds^T q, dq = ds k
    gemm(tile.visible, work.head_size, tile.count, Matrix{b.scores, 1, column}, b.d_outputs, row, b.dv, row, true);
    gemm(tile.visible, work.head_size, tile.count, Matrix{b.d_scores, 1, column}, b.queries, row, b.dk, row, true);
    gemm(tile.count, work.head_size, tile.visible, Matrix{b.d_scores, column, 1}, b.k.rows, row, b.d_queries, row, false);
    for (int64_t i = 0; i < tile.count; ++i) {
        rotate(work, tile.begin + i, -1.0f, work.scale, b.d_queries + i * row, dq.row(tile.begin + i));
    }
}

void attention_grad(const CausalAttention &work, int64_t batch, int64_t kv_head, float *memory) {
    Scratch scratch(memory);
    Backward b(work, scratch);
    b.k.load_rotated(work, b.layout, Head<const float>(work, work.k, work.kv_heads, batch, kv_head));
    b.v.load_plain(work, b.layout, Head<const float>(work, work.v, work.kv_heads, batch, kv_head));
    transpose(b.v.rows, b.layout.row, work.length, work.head_size, b.v.columns, b.layout.column);
    std::memset(b.dk, 0, static_cast<size_t>(work.length * b.layout.row) * sizeof(float));
    std::memset(b.dv, 0, static_cast<size_t>(work.length * b.layout.row) * sizeof(float));
    for (int64_t head = kv_head * work.group(); head < (kv_head + 1) * work.group(); ++head) {
        const Head<const float> q(work, work.q, work.heads, batch, head), d_o(work, work.d_o, work.heads, batch, head);
        const Head<const float> o(work, work.o, work.heads, batch, head);
        const Head<float> dq(work, work.dq, work.heads, batch, head);
        const float *lse = work.lse + (batch * work.heads + head) * work.length;
        for_tiles(work, [&](const Tile &tile) { attend_tile_backward(b, tile, q, o, d_o, dq, lse); });
    }
    const Head<float> dk(work, work.dk, work.kv_heads, batch, kv_head), dv(work, work.dv, work.kv_heads, batch, kv_head);
    for (int64_t t = 0; t < work.length; ++t) {
        rotate(work, t, -1.0f, 1.0f, b.dk + t * b.layout.row, dk.row(t));
        std::memcpy(dv.row(t), b.dv + t * b.layout.row, static_cast<size_t>(work.head_size) * sizeof(float));
    }
}

}  // namespace
}  // namespace holdfast::HF_VARIANT
