// Causal attention for one instruction set: blocks of queries against blocks of keys, with the scores of one pair of blocks in cache.
//
// Products are cut into pieces of ROWS x COLUMNS that live in registers. Pieces wholly above the diagonal are left out, and sums end at the
// diagonal, so that nearly nothing is computed for keys that a query does not see.
#pragma once

#include "attention/attention.hpp"
#include "simd/vector.inc.hpp"

namespace holdfast::HF_VARIANT {
namespace {

constexpr int ROWS = 6;
constexpr int64_t COLUMNS = 2 * LANES;
constexpr int64_t LINE = 16;  // floats of a cache line

constexpr int64_t FORWARD_QUERIES = 96;
constexpr int64_t FORWARD_KEYS = 192;
constexpr int64_t BACKWARD_BLOCK = 96;
static_assert(FORWARD_KEYS % FORWARD_QUERIES == 0, "the first query of a block must see the first key of every block that it meets");

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// Distance of rows of at least `width` floats: whole pieces, and an odd number of cache lines so that a column spreads over the cache.
inline int64_t stride_of(int64_t width) {
    const int64_t lines = (round_up(width, COLUMNS) + LINE - 1) / LINE;
    return (lines | 1) * LINE;
}

/// Distance of rows of scores for a block of keys: room for ROWS more, and an odd number of cache lines.
constexpr int64_t score_stride(int64_t keys) { return keys + LINE; }
static_assert(score_stride(FORWARD_KEYS) / LINE % 2 == 1 && score_stride(BACKWARD_BLOCK) / LINE % 2 == 1,
              "rows of scores: expected an odd number of cache lines");

/// Cuts scratch memory into parts.
class Parts {
public:
    explicit Parts(float *start) : next_(start) {}

    float *take(int64_t count) {
        float *part = next_;
        next_ += round_up(count, LINE);
        return part;
    }

private:
    float *next_;
};

/// C[M, COLUMNS] = or += A[M, depth] B[depth, COLUMNS]; with TRANSPOSED, A is stored as [depth, M].
template <int M, bool TRANSPOSED, bool ADD>
inline void piece(int64_t depth, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *c, int64_t c_stride) {
    F left[M], right[M];
#pragma GCC unroll 6
    for (int row = 0; row < M; ++row) {
        left[row] = right[row] = F{};
    }
    for (int64_t k = 0; k < depth; ++k) {
        const F b_left = load(b), b_right = load(b + LANES);
#pragma GCC unroll 6
        for (int row = 0; row < M; ++row) {
            const F factor = broadcast(TRANSPOSED ? a[row] : a[row * a_stride]);
            left[row] = fma(factor, b_left, left[row]);
            right[row] = fma(factor, b_right, right[row]);
        }
        a += TRANSPOSED ? a_stride : 1;
        b += b_stride;
    }
#pragma GCC unroll 6
    for (int row = 0; row < M; ++row) {
        float *target = c + row * c_stride;
        store(target, ADD ? load(target) + left[row] : left[row]);
        store(target + LANES, ADD ? load(target + LANES) + right[row] : right[row]);
    }
}

template <bool TRANSPOSED, bool ADD>
inline void piece_of(int64_t rows, int64_t depth, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *c,
                     int64_t c_stride) {
    switch (rows) {
        case 1:
            return piece<1, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
        case 2:
            return piece<2, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
        case 3:
            return piece<3, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
        case 4:
            return piece<4, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
        case 5:
            return piece<5, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
        default:
            return piece<6, TRANSPOSED, ADD>(depth, a, a_stride, b, b_stride, c, c_stride);
    }
}

/// One block of queries against one block of keys.
struct Pair {
    int64_t first_query;
    int64_t queries;
    int64_t first_key;
    int64_t keys;

    /// How many keys of the block this query of the block sees.
    int64_t visible(int64_t query) const { return smaller(keys, larger(0, first_query + query + 1 - first_key)); }
    /// The first query of the block that sees this key of the block.
    int64_t first_seeing(int64_t key) const { return larger(0, first_key + key - first_query); }
};

/// scores[queries, keys] = rows[queries, d] columns[d, keys], where `columns` is stored in panels of [d, COLUMNS].
void multiply_scores(const Pair &pair, int64_t head_size, const float *rows, int64_t row_stride, const float *panels, float *scores,
                     int64_t stride) {
    for (int64_t key = 0; key < pair.keys; key += COLUMNS) {
        const float *panel = panels + key * head_size;
        for (int64_t query = larger(0, pair.first_seeing(key) / ROWS * ROWS); query < pair.queries; query += ROWS) {
            piece_of<false, false>(smaller(ROWS, pair.queries - query), head_size, rows + query * row_stride, row_stride, panel, COLUMNS,
                                   scores + query * stride + key, stride);
        }
    }
}

/// sums[queries, d] += weights[queries, keys] rows[keys, d]
void add_per_query(const Pair &pair, int64_t head_size, const float *weights, int64_t weight_stride, const float *rows, float *sums,
                   int64_t stride) {
    for (int64_t column = 0; column < head_size; column += COLUMNS) {
        for (int64_t query = 0; query < pair.queries; query += ROWS) {
            const int64_t count = smaller(ROWS, pair.queries - query);
            piece_of<false, true>(count, pair.visible(query + count - 1), weights + query * weight_stride, weight_stride, rows + column,
                                  stride, sums + query * stride + column, stride);
        }
    }
}

/// sums[keys, d] += weights[queries, keys]^T rows[queries, d]
void add_per_key(const Pair &pair, int64_t head_size, const float *weights, int64_t weight_stride, const float *rows, float *sums,
                 int64_t stride) {
    for (int64_t column = 0; column < head_size; column += COLUMNS) {
        for (int64_t key = 0; key < pair.keys; key += ROWS) {
            const int64_t query = pair.first_seeing(key);
            if (query < pair.queries) {
                piece_of<true, true>(smaller(ROWS, pair.keys - key), pair.queries - query, weights + query * weight_stride + key,
                                     weight_stride, rows + query * stride + column, stride, sums + key * stride + column, stride);
            }
        }
    }
}

/// target = factor R source for the rotation R with these cosines and `sign` times these sines (NULL: no rotation).
void rotate(const float *source, const float *cosines, const float *sines, float sign, float factor, int64_t head_size, float *target) {
    if (cosines == nullptr) {
        for (int64_t i = 0; i < head_size; ++i) {
            target[i] = factor * source[i];
        }
        return;
    }
    const int64_t half = head_size / 2;
    int64_t i = 0;
    for (; i + LANES <= half; i += LANES) {
        const F x1 = load(source + i), x2 = load(source + half + i), c = load(cosines + i), s = sign * load(sines + i);
        store(target + i, factor * (x1 * c - x2 * s));
        store(target + half + i, factor * (x2 * c + x1 * s));
    }
    for (; i < half; ++i) {
        const float x1 = source[i], x2 = source[half + i], c = cosines[i], s = sign * sines[i];
        target[i] = factor * (x1 * c - x2 * s);
        target[half + i] = factor * (x2 * c + x1 * s);
    }
}

/// Rows of one head lie too far apart for the processor to foresee which comes next.
inline void prefetch(const float *row, int64_t head_size) {
    for (int64_t i = 0; i < head_size; i += LINE) {
        __builtin_prefetch(row + i);
    }
}

/// Where the head's vectors lie in a tensor [B, T, heads d], and the rotation of each position.
class Rows {
public:
    Rows(const Attention &attention, int64_t batch, int64_t head, int64_t heads)
        : attention_(attention),
          stride_(heads * attention.head_size),
          start_(batch * attention.sequence_length * stride_ + head * attention.head_size) {}

    int64_t at(int64_t position) const { return start_ + position * stride_; }

    /// Asks for the vector of a position a little ahead of this one.
    void ask_ahead(const float *tensor, int64_t position) const {
        constexpr int64_t AHEAD = 4;
        if (position + AHEAD < attention_.sequence_length) {
            prefetch(tensor + at(position + AHEAD), attention_.head_size);
        }
    }

    /// Reads the vector of a position, rotated.
    void read(const float *tensor, int64_t position, float factor, float *target) const {
        rotate(tensor + at(position), angles(attention_.cosines, position), angles(attention_.sines, position), 1, factor,
               attention_.head_size, target);
    }

    /// Writes the vector of a position, rotated back.
    void write(const float *source, int64_t position, float factor, float *tensor) const {
        rotate(source, angles(attention_.cosines, position), angles(attention_.sines, position), -1, factor, attention_.head_size,
               tensor + at(position));
    }

private:
    const float *angles(const float *table, int64_t position) const {
        return table == nullptr ? nullptr : table + position * (attention_.head_size / 2);
    }

    const Attention &attention_;
    int64_t stride_;
    int64_t start_;
};

inline void clear(float *values, int64_t count) { std::memset(values, 0, static_cast<size_t>(count) * sizeof(float)); }
inline void copy(const float *source, int64_t count, float *target) {
    std::memcpy(target, source, static_cast<size_t>(count) * sizeof(float));
}

/// Floats of the panels of all keys.
inline int64_t panel_floats(const Attention &a) { return round_up(a.sequence_length, COLUMNS) * a.head_size; }

/// Puts the vector of one key into its column of the panels.
inline void put_column(const float *vector, int64_t key, int64_t head_size, float *panels) {
    float *column = panels + key / COLUMNS * COLUMNS * head_size + key % COLUMNS;
    for (int64_t i = 0; i < head_size; ++i) {
        column[i * COLUMNS] = vector[i];
    }
}

/// Columns behind the last key belong to no key; they must hold numbers, for what is computed from them is thrown away.
inline void clear_last_panel(const Attention &a, float *panels) {
    const int64_t last = (a.sequence_length - 1) / COLUMNS * COLUMNS;
    clear(panels + last * a.head_size, COLUMNS * a.head_size);
}

inline F lane_numbers() {
    F numbers;
    for (int lane = 0; lane < LANES; ++lane) {
        numbers[lane] = static_cast<float>(lane);
    }
    return numbers;
}

/// The lanes of the first `count` elements.
inline I first_lanes(int64_t count) { return lane_numbers() < broadcast(static_cast<float>(count)); }

inline float largest_of(const float *values, int64_t count) {
    const F lowest = broadcast(-__builtin_inff());
    F result = lowest;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        result = max(load(values + i), result);
    }
    return largest(i < count ? max(select(first_lanes(count - i), load(values + i), lowest), result) : result);
}

/// values = exp(values - shift) for the first `count`, 0 for the ROWS behind them; returns the sum.
inline float exponentials(float *values, int64_t count, float shift) {
    F sum = F{};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const F value = exp(load(values + i) - shift);
        store(values + i, value);
        sum += value;
    }
    if (i < count) {
        const F value = select(first_lanes(count - i), exp(load(values + i) - shift), F{});
        store(values + i, value);
        sum += value;
    }
    clear(values + count, ROWS);
    return sum_of(sum);
}

/// The softmax of rows whose scores come block by block: the largest score so far, and the sum of the exponentials relative to it.
struct RunningSoftmax {
    float largest[FORWARD_QUERIES];
    float sum[FORWARD_QUERIES];

    /// Turns scores into weights relative to the largest score so far; `outputs` are adapted when that has grown.
    void add(const Pair &pair, float *scores, float *outputs, int64_t output_stride) {
        for (int64_t query = 0; query < pair.queries; ++query) {
            float *row = scores + query * score_stride(FORWARD_KEYS);
            const int64_t count = pair.visible(query);
            const float largest_here = largest_of(row, count);
            if (pair.first_key == 0) {
                largest[query] = largest_here;
                sum[query] = exponentials(row, count, largest_here);
                continue;
            }
            if (largest_here > largest[query]) {
                const float shrink = __builtin_expf(largest[query] - largest_here);
                largest[query] = largest_here;
                sum[query] *= shrink;
                float *output = outputs + query * output_stride;
                for (int64_t i = 0; i < output_stride; i += LANES) {
                    store(output + i, load(output + i) * shrink);
                }
            }
            sum[query] += exponentials(row, count, largest[query]);
        }
    }
};

int64_t forward_scratch(const Attention &a) {
    return round_up(panel_floats(a), LINE) + (a.sequence_length + 2 * FORWARD_QUERIES) * stride_of(a.head_size) +
           FORWARD_QUERIES * score_stride(FORWARD_KEYS);
}

void forward(const Attention &a, const AttentionHeads &heads, float *scratch) {
    const int64_t T = a.sequence_length, d = a.head_size, stride = stride_of(d);
    Parts parts(scratch);
    float *key_panels = parts.take(panel_floats(a));
    float *values = parts.take(T * stride);
    float *queries = parts.take(FORWARD_QUERIES * stride);
    float *outputs = parts.take(FORWARD_QUERIES * stride);
    float *scores = parts.take(FORWARD_QUERIES * score_stride(FORWARD_KEYS));

    const Rows key_rows(a, heads.batch, heads.first / a.group_size(), a.key_value_head_count);
    clear(values, T * stride);
    clear_last_panel(a, key_panels);
    for (int64_t key = 0; key < T; ++key) {
        key_rows.ask_ahead(a.key, key);
        key_rows.ask_ahead(a.value, key);
        key_rows.read(a.key, key, 1, queries);
        put_column(queries, key, d, key_panels);
        copy(a.value + key_rows.at(key), d, values + key * stride);
    }
    for (int64_t head = heads.first; head < heads.first + heads.count; ++head) {
        const Rows rows(a, heads.batch, head, a.head_count);
        float *log_sum_exp = a.log_sum_exp + (heads.batch * a.head_count + head) * T;
        for (int64_t first = 0; first < T; first += FORWARD_QUERIES) {
            Pair pair{first, smaller(FORWARD_QUERIES, T - first), 0, 0};
            for (int64_t query = 0; query < pair.queries; ++query) {
                rows.ask_ahead(a.query, first + query);
                rows.read(a.query, first + query, a.scale, queries + query * stride);
            }
            clear(outputs, pair.queries * stride);
            RunningSoftmax softmax;
            for (; pair.first_key < first + pair.queries; pair.first_key += FORWARD_KEYS) {
                pair.keys = smaller(FORWARD_KEYS, first + pair.queries - pair.first_key);
                multiply_scores(pair, d, queries, stride, key_panels + pair.first_key * d, scores, score_stride(FORWARD_KEYS));
                softmax.add(pair, scores, outputs, stride);
                add_per_query(pair, d, scores, score_stride(FORWARD_KEYS), values + pair.first_key * stride, outputs, stride);
            }
            for (int64_t query = 0; query < pair.queries; ++query) {
                const float factor = 1 / softmax.sum[query];
                float *target = a.output + rows.at(first + query);
                for (int64_t i = 0; i < d; ++i) {
                    target[i] = outputs[query * stride + i] * factor;
                }
                log_sum_exp[first + query] = softmax.largest[query] + __builtin_logf(softmax.sum[query]);
            }
        }
    }
}

int64_t key_value_sum(const Attention &a) { return a.sequence_length * stride_of(a.head_size); }

int64_t backward_scratch(const Attention &a) {
    return 2 * round_up(panel_floats(a), LINE) + (a.sequence_length + 3 * BACKWARD_BLOCK) * stride_of(a.head_size) +
           2 * BACKWARD_BLOCK * score_stride(BACKWARD_BLOCK);
}

/// probabilities: scores -> p = exp(s - lse); gradients: dp -> ds = p (dp - delta). 0 for ROWS columns behind what the query sees.
void differentiate_softmax(int64_t count, float log_sum_exp, float delta, float *probabilities, float *gradients) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const F p = exp(load(probabilities + i) - log_sum_exp);
        store(probabilities + i, p);
        store(gradients + i, p * (load(gradients + i) - delta));
    }
    if (i < count) {
        const I seen = first_lanes(count - i);
        const F p = exp(load(probabilities + i) - log_sum_exp);
        store(probabilities + i, select(seen, p, F{}));
        store(gradients + i, select(seen, p * (load(gradients + i) - delta), F{}));
    }
    clear(probabilities + count, ROWS);
    clear(gradients + count, ROWS);
}

float dot(const float *a, const float *b, int64_t count) {
    F sum = F{};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        sum = fma(load(a + i), load(b + i), sum);
    }
    float total = sum_of(sum);
    for (; i < count; ++i) {
        total += a[i] * b[i];
    }
    return total;
}

void backward(const Attention &a, const AttentionHeads &heads, const KeyValueSums &sums, float *scratch) {
    const int64_t T = a.sequence_length, d = a.head_size, stride = stride_of(d);
    constexpr int64_t STRIDE = score_stride(BACKWARD_BLOCK);
    Parts parts(scratch);
    float *key_panels = parts.take(panel_floats(a));
    float *value_panels = parts.take(panel_floats(a));
    float *keys = parts.take(T * stride);
    float *queries = parts.take(BACKWARD_BLOCK * stride);
    float *output_gradients = parts.take(BACKWARD_BLOCK * stride);
    float *query_gradients = parts.take(BACKWARD_BLOCK * stride);
    float *probabilities = parts.take(BACKWARD_BLOCK * STRIDE);
    float *score_gradients = parts.take(BACKWARD_BLOCK * STRIDE);
    float deltas[BACKWARD_BLOCK];

    const Rows key_rows(a, heads.batch, heads.first / a.group_size(), a.key_value_head_count);
    clear(sums.keys, T * stride);
    clear(sums.values, T * stride);
    clear(keys, T * stride);
    clear(queries, BACKWARD_BLOCK * stride);
    clear(output_gradients, BACKWARD_BLOCK * stride);
    clear_last_panel(a, key_panels);
    clear_last_panel(a, value_panels);
    for (int64_t key = 0; key < T; ++key) {
        key_rows.ask_ahead(a.key, key);
        key_rows.ask_ahead(a.value, key);
        key_rows.read(a.key, key, 1, keys + key * stride);
        put_column(keys + key * stride, key, d, key_panels);
        put_column(a.value + key_rows.at(key), key, d, value_panels);
    }
    for (int64_t head = heads.first; head < heads.first + heads.count; ++head) {
        const Rows rows(a, heads.batch, head, a.head_count);
        const float *log_sum_exp = a.given_log_sum_exp + (heads.batch * a.head_count + head) * T;
        for (int64_t first = 0; first < T; first += BACKWARD_BLOCK) {
            Pair pair{first, smaller(BACKWARD_BLOCK, T - first), 0, 0};
            for (int64_t query = 0; query < pair.queries; ++query) {
                const int64_t at = rows.at(first + query);
                rows.ask_ahead(a.query, first + query);
                rows.ask_ahead(a.output_gradient, first + query);
                rows.ask_ahead(a.given_output, first + query);
                rows.read(a.query, first + query, a.scale, queries + query * stride);
                copy(a.output_gradient + at, d, output_gradients + query * stride);
                deltas[query] = dot(a.output_gradient + at, a.given_output + at, d);
            }
            clear(query_gradients, pair.queries * stride);
            for (; pair.first_key <= first; pair.first_key += BACKWARD_BLOCK) {
                pair.keys = smaller(BACKWARD_BLOCK, T - pair.first_key);
                multiply_scores(pair, d, queries, stride, key_panels + pair.first_key * d, probabilities, STRIDE);
                multiply_scores(pair, d, output_gradients, stride, value_panels + pair.first_key * d, score_gradients, STRIDE);
                for (int64_t query = 0; query < pair.queries; ++query) {
                    differentiate_softmax(pair.visible(query), log_sum_exp[first + query], deltas[query], probabilities + query * STRIDE,
                                          score_gradients + query * STRIDE);
                }
                const int64_t offset = pair.first_key * stride;
                add_per_key(pair, d, probabilities, STRIDE, output_gradients, sums.values + offset, stride);
                add_per_key(pair, d, score_gradients, STRIDE, queries, sums.keys + offset, stride);
                add_per_query(pair, d, score_gradients, STRIDE, keys + offset, query_gradients, stride);
            }
            for (int64_t query = 0; query < pair.queries; ++query) {
                rows.write(query_gradients + query * stride, first + query, a.scale, a.query_gradient);
            }
        }
    }
}

void finish(const Attention &a, int64_t batch, int64_t key_value_head, const KeyValueSums &sums, int64_t count, int64_t distance) {
    const int64_t stride = stride_of(a.head_size);
    const Rows rows(a, batch, key_value_head, a.key_value_head_count);
    for (int64_t key = 0; key < a.sequence_length; ++key) {
        float *keys = sums.keys + key * stride, *values = sums.values + key * stride;
        for (int64_t other = 1; other < count; ++other) {
            for (int64_t i = 0; i < a.head_size; ++i) {
                keys[i] += keys[other * distance + i];
                values[i] += values[other * distance + i];
            }
        }
        rows.write(keys, key, 1, a.key_gradient);  // the queries in the sums carry the scale
        copy(values, a.head_size, a.value_gradient + rows.at(key));
    }
}

}  // namespace

const AttentionKernel attention_kernel = {forward_scratch, forward, backward_scratch, key_value_sum, backward, finish};

}  // namespace holdfast::HF_VARIANT
