// Where the walks over a token's rows find them: in global memory each time, or in shared memory, whither they were copied once.
#pragma once

#include <cstdint>

#include "cuda/board.hpp"
#include "cuda/element.hpp"

namespace holdfast::cuda {

/// One group of every side that is read.
template <class Element>
struct Groups {
    Bytes16 student, snapshot, reference;
};

/// Groups [begin, end) of a block.
struct Range {
    int begin, end;

    HF_DEVICE bool has(int group) const { return group >= begin && group < end; }
    HF_DEVICE Range within(int least, int most) const {
        const int clipped = begin < least ? least : begin;
        const int limit = end < most ? end : most;
        return {clipped, limit > clipped ? limit : clipped};
    }
};

/// A token's rows, cut into groups, of which every block of the cluster has as many and counts its own from 0. Where rows do not begin at a
/// multiple of 16 bytes the first group begins before column 0; groups reach to the end of the widest side, and what a side lacks is -inf.
template <class Element, bool SNAPSHOT, bool REFERENCE>
struct TokenRows {
    Row student, snapshot, reference;
    int64_t lead = 0;  // columns by which the row's first group begins before column 0
    int64_t begin;     // the block's first group in the row
    int count;         // groups of the block
    Range whole;       // groups that all sides have wholly

    HF_DEVICE TokenRows(const LossArguments &loss, int64_t token) {
        student = row_of(loss.student, token);
        if (Element::IS_ALIGNED) {
            lead = static_cast<int64_t>(reinterpret_cast<uintptr_t>(student.data) % sizeof(Bytes16)) / Element::BYTES;
        }
        const int64_t groups = (loss.width + lead + Element::COLUMNS - 1) / Element::COLUMNS;
        begin = static_cast<int64_t>(device::cluster_rank()) * loss.groups_per_block;
        const int64_t left = groups > begin ? groups - begin : 0;
        count = left < loss.groups_per_block ? static_cast<int>(left) : loss.groups_per_block;
        whole = whole_of(student);
        if (SNAPSHOT) {
            snapshot = loss.snapshot.data == nullptr ? student : row_of(loss.snapshot, token);
            const Range other = whole_of(snapshot);
            whole = whole.within(other.begin, other.end);
        }
        if (REFERENCE) {
            reference = row_of(loss.reference, token);
            const Range other = whole_of(reference);
            whole = whole.within(other.begin, other.end);
        }
    }

    HF_DEVICE int64_t first_column(int group) const { return (begin + group) * Element::COLUMNS - lead; }

    /// Groups of the block that the row has wholly.
    HF_DEVICE Range whole_of(const Row &row) const {
        const int64_t first = (lead > 0 ? 1 : 0) - begin, last = (row.columns + lead) / Element::COLUMNS - begin;
        const int begin_here = first > 0 ? 1 : 0;
        const int end_here = last < begin_here ? begin_here : last < count ? static_cast<int>(last) : count;
        return Range{begin_here, end_here}.within(0, count);
    }

private:
    HF_DEVICE static Row row_of(const Rows &rows, int64_t token) {
        return {static_cast<const char *>(rows.data) + token * rows.stride_bytes, rows.columns, rows.type};
    }
};

/// Rows that every walk reads from global memory.
template <class Element, bool SNAPSHOT, bool REFERENCE>
class Streamed {
public:
    static constexpr bool KEEPS_ROW = false;
    static constexpr int HEADER_BYTES = 0;
    const TokenRows<Element, SNAPSHOT, REFERENCE> rows;

    HF_DEVICE Streamed(const LossArguments &loss, int64_t token, unsigned char *)
        : rows(loss, token), snapshot_is_student_(loss.snapshot.data == nullptr) {}

    /// Nothing has to be fetched first.
    HF_DEVICE void fetch() {}

    /// Calls visit(group, raw) for the thread's first group alone.
    template <class Visit>
    HF_DEVICE void survey(Visit &&visit) {
        if (device::thread_index() < rows.count) {
            visit(device::thread_index(), load<false>(device::thread_index()));
        }
    }

    /// Calls visit(group, raw) for the thread's groups; the next group is on its way while one is visited. In the last walk the rows need
    /// not stay in the cache.
    template <bool LAST, class Visit>
    HF_DEVICE void walk(Visit &&visit) const {
        int group = device::thread_index();
        if (group >= rows.count) {
            return;
        }
        Groups<Element> raw = load<LAST>(group);
        for (;;) {
            const bool has_next = rows.count - group > device::block_size();
            const Groups<Element> coming = has_next ? load<LAST>(group + device::block_size()) : raw;
            visit(group, raw);
            if (!has_next) {
                return;
            }
            raw = coming;
            group += device::block_size();
        }
    }

    /// A logit of the student, in whatever block; to be read before the gradient may overwrite it.
    HF_DEVICE float student_at(int64_t column) const { return Element::load(rows.student, column); }

private:
    template <bool LAST>
    HF_DEVICE Bytes16 load(const Row &row, int group) const {
        const int64_t column = rows.first_column(group);
        if (!Element::IS_ALIGNED || column < 0 || column + Element::COLUMNS > row.columns) {
            return gather<Element>(row, column);
        }
        const Bytes16 *source = reinterpret_cast<const Bytes16 *>(row.data + column * Element::BYTES);
        return LAST ? device::load_streaming(source) : device::load_cached(source);
    }

    template <bool LAST>
    HF_DEVICE Groups<Element> load(int group) const {
        Groups<Element> raw;
        raw.student = load<LAST>(rows.student, group);
        raw.snapshot = SNAPSHOT && !snapshot_is_student_ ? load<LAST>(rows.snapshot, group) : raw.student;
        raw.reference = REFERENCE ? load<LAST>(rows.reference, group) : raw.student;
        return raw;
    }

    const bool snapshot_is_student_;
};

/// Rows that are copied to shared memory once, in pieces, so that the survey of one overlaps with the copy of the next. Every block of the
/// cluster holds its part.
template <class Element, bool SNAPSHOT, bool REFERENCE>
class OnChip {
public:
    static constexpr bool KEEPS_ROW = true;
    static constexpr int PIECES = 4;
    static constexpr int HEADER_BYTES = PIECES * sizeof(device::TransactionBarrier);
    const TokenRows<Element, SNAPSHOT, REFERENCE> rows;

    /// The memory, a multiple of 16, holds a header and then as many groups per side as a block has at most.
    HF_DEVICE OnChip(const LossArguments &loss, int64_t token, unsigned char *memory)
        : rows(loss, token),
          landed_(reinterpret_cast<device::TransactionBarrier *>(memory)),
          student_(reinterpret_cast<Bytes16 *>(memory + HEADER_BYTES)),
          snapshot_(!SNAPSHOT || loss.snapshot.data == nullptr ? student_ : student_ + loss.groups_per_block),
          reference_(REFERENCE ? snapshot_ + loss.groups_per_block : student_),
          groups_per_block_(loss.groups_per_block) {}

    /// Starts the copies. What a side does not have as whole groups the threads store.
    HF_DEVICE void fetch() {
        if (device::thread_index() == 0) {
            for (int piece = 0; piece < PIECES; ++piece) {
                device::barrier_init(landed_ + piece, 1);
            }
            device::fence_async();
        }
        device::sync_block();
        if (device::thread_index() == 0) {
            for (int piece = 0; piece < PIECES; ++piece) {
                start(piece);
            }
        }
        store_edges(rows.student, student_);
        if (snapshot_ != student_) {
            store_edges(rows.snapshot, snapshot_);
        }
        if (REFERENCE) {
            store_edges(rows.reference, reference_);
        }
        device::sync_block();
    }

    /// Calls visit(group, raw) for the thread's groups, as soon as they have arrived.
    template <class Visit>
    HF_DEVICE void survey(Visit &&visit) {
        for (int piece = 0; piece < PIECES; ++piece) {
            device::barrier_wait(landed_ + piece, 0);
            const Range range = piece_of(piece);
            for (int group = range.begin + device::thread_index(); group < range.end; group += device::block_size()) {
                visit(group, raw(group));
            }
        }
    }

    template <bool LAST, class Visit>
    HF_DEVICE void walk(Visit &&visit) const {
        for (int group = device::thread_index(); group < rows.count; group += device::block_size()) {
            visit(group, raw(group));
        }
    }

    /// A logit of the student, in whatever block.
    HF_DEVICE float student_at(int64_t column) const {
        const int64_t group = (column + rows.lead) / Element::COLUMNS;
        const int rank = static_cast<int>(group / groups_per_block_);
        const Bytes16 *place = device::peer_shared(student_ + (group - static_cast<int64_t>(rank) * groups_per_block_), rank);
        const int element = static_cast<int>((column + rows.lead) % Element::COLUMNS);
        float z[Element::COLUMNS];
        Element::widen(*place, z);
        return pick(z, element);
    }

private:
    HF_DEVICE Range piece_of(int piece) const {
        const int step = (rows.count + PIECES - 1) / PIECES;
        return Range{piece * step, (piece + 1) * step}.within(0, rows.count);
    }

    HF_DEVICE void store_edges(const Row &row, Bytes16 *target) {
        const Range whole = rows.whole_of(row);
        for (int edge = device::thread_index(); edge < rows.count - (whole.end - whole.begin); edge += device::block_size()) {
            const int group = edge < whole.begin ? edge : edge + (whole.end - whole.begin);
            target[group] = gather<Element>(row, rows.first_column(group));
        }
    }

    HF_DEVICE Range whole_part(const Row &row, int piece) const {
        const Range range = piece_of(piece);
        return rows.whole_of(row).within(range.begin, range.end);
    }

    HF_DEVICE int bytes_of(const Range &part) const { return (part.end - part.begin) * static_cast<int>(sizeof(Bytes16)); }

    HF_DEVICE void copy(const Row &row, const Range &part, Bytes16 *target, device::TransactionBarrier *landed) {
        if (part.end > part.begin) {
            device::bulk_load(target + part.begin, row.data + rows.first_column(part.begin) * Element::BYTES, bytes_of(part), landed);
        }
    }

    HF_DEVICE void start(int piece) {
        const Range none{0, 0};
        const Range student = whole_part(rows.student, piece);
        const Range snapshot = snapshot_ != student_ ? whole_part(rows.snapshot, piece) : none;
        const Range reference = REFERENCE ? whole_part(rows.reference, piece) : none;
        device::TransactionBarrier *landed = landed_ + piece;
        device::barrier_expect(landed, bytes_of(student) + bytes_of(snapshot) + bytes_of(reference));
        copy(rows.student, student, student_, landed);
        copy(rows.snapshot, snapshot, snapshot_, landed);
        copy(rows.reference, reference, reference_, landed);
    }

    HF_DEVICE Groups<Element> raw(int group) const {
        Groups<Element> groups;
        groups.student = student_[group];
        groups.snapshot = SNAPSHOT ? snapshot_[group] : groups.student;
        groups.reference = REFERENCE ? reference_[group] : groups.student;
        return groups;
    }

    device::TransactionBarrier *const landed_;
    Bytes16 *const student_;
    Bytes16 *const snapshot_;
    Bytes16 *const reference_;
    const int groups_per_block_;
};

}  // namespace holdfast::cuda
