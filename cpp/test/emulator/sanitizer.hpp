// What the sanitizers must be told of fibres: nothing in an ordinary build.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_THREAD__
extern "C" {
void *__tsan_get_current_fiber();
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_read_range(void *address, size_t bytes);
void __tsan_write_range(void *address, size_t bytes);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}
#endif

#ifdef __SANITIZE_ADDRESS__
extern "C" {
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_bytes);
}
#endif

/// For a function that one strand enters and another one leaves: ThreadSanitizer's stacks of calls must not know of it.
#define HF_UNSEEN __attribute__((no_sanitize_thread))

namespace holdfast::emulator {

#ifdef __SANITIZE_THREAD__
inline constexpr bool FINDS_RACES = true;
#else
inline constexpr bool FINDS_RACES = false;
#endif

/// A stack as AddressSanitizer knows it: it must be told before and after each change to another one.
class KnownStack {
public:
#ifdef __SANITIZE_ADDRESS__
    KnownStack(const void *bottom = nullptr, size_t bytes = 0) : bottom_(bottom), bytes_(bytes) {}
    void leave_for(const KnownStack &other) { __sanitizer_start_switch_fiber(&fake_, other.bottom_, other.bytes_); }
    void arrive_from(KnownStack *other) { __sanitizer_finish_switch_fiber(fake_, &other->bottom_, &other->bytes_); }

private:
    const void *bottom_;
    size_t bytes_;
    void *fake_ = nullptr;  // where it keeps the variables of this stack
#else
    KnownStack(const void * = nullptr, size_t = 0) {}
    void leave_for(const KnownStack &) {}
    void arrive_from(KnownStack *) {}
#endif
};

#ifdef __SANITIZE_THREAD__

/// A flow of control whose accesses ThreadSanitizer tells from those of others.
class Strand {
public:
    Strand() : fiber_(__tsan_create_fiber(0)) {}
    ~Strand() { __tsan_destroy_fiber(fiber_); }
    Strand(const Strand &) = delete;
    Strand &operator=(const Strand &) = delete;

    /// From now on the accesses are this strand's; returns whose they were. Orders nothing.
    HF_UNSEEN void *enter() const { return enter(fiber_); }
    HF_UNSEEN static void *enter(void *fiber) {
        constexpr unsigned NO_SYNCHRONISATION = 1;
        void *left = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(fiber, NO_SYNCHRONISATION);
        return left;
    }

private:
    void *fiber_;
};

/// What was done before a publication happens before what follows an observation of the same token.
inline void publish(const void *token) { __tsan_release(const_cast<void *>(token)); }
inline void observe(const void *token) { __tsan_acquire(const_cast<void *>(token)); }

inline void note_read(const void *data, size_t bytes) { __tsan_read_range(const_cast<void *>(data), bytes); }
inline void note_write(void *data, size_t bytes) { __tsan_write_range(data, bytes); }

/// The emulator's own accesses, which are no device's.
class Unwatched {
public:
    Unwatched() {
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    }
    ~Unwatched() {
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    }
    Unwatched(const Unwatched &) = delete;
    Unwatched &operator=(const Unwatched &) = delete;
};

#else

class Strand {
public:
    Strand() {}
    Strand(const Strand &) = delete;
    Strand &operator=(const Strand &) = delete;
    void *enter() const { return nullptr; }
    static void *enter(void *) { return nullptr; }
};

inline void publish(const void *) {}
inline void observe(const void *) {}
inline void note_read(const void *, size_t) {}
inline void note_write(void *, size_t) {}

class Unwatched {
public:
    Unwatched() {}
    Unwatched(const Unwatched &) = delete;
    Unwatched &operator=(const Unwatched &) = delete;
};

#endif

}  // namespace holdfast::emulator
