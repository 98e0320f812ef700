#include "core/executor.hpp"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/check.hpp"

namespace holdfast {
namespace {

int64_t available_processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    const int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count;
}

/// One parallel loop: threads take the next index until none is left.
struct Loop {
    hf_task task;
    void *task_context;
    int64_t task_count;
    std::atomic<int64_t> next{0};

    void run() {
        for (int64_t index = next.fetch_add(1); index < task_count; index = next.fetch_add(1)) {
            task(task_context, index);
        }
    }
};

/// Sleeping workers; one loop at a time, a second caller runs its loop alone.
class Pool {
public:
    void run(Loop &loop, int64_t threads) {
        std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
        if (!turn.owns_lock() || threads <= 1 || loop.task_count <= 1) {
            loop.run();
            return;
        }
        const int64_t helpers = (threads < loop.task_count ? threads : loop.task_count) - 1;
        start(loop, helpers);
        loop.run();
        finish();
    }

private:
    void start(Loop &loop, int64_t helpers) {
        std::lock_guard<std::mutex> lock(mutex_);
        while (static_cast<int64_t>(workers_.size()) < helpers) {
            workers_.emplace_back([this] { work(); });
        }
        loop_ = &loop;
        seats_ = helpers;
        wake_.notify_all();
    }

    void finish() {
        std::unique_lock<std::mutex> lock(mutex_);
        seats_ = 0;
        idle_.wait(lock, [this] { return busy_ == 0; });
        loop_ = nullptr;
    }

    void work() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return seats_ > 0; });
            --seats_;
            ++busy_;
            Loop *loop = loop_;
            lock.unlock();
            loop->run();
            lock.lock();
            if (--busy_ == 0) {
                idle_.notify_one();
            }
        }
    }

    std::mutex turn_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::vector<std::thread> workers_;
    Loop *loop_ = nullptr;
    int64_t seats_ = 0;
    int64_t busy_ = 0;
};

std::atomic<int64_t> thread_count{0};

/// Never destroyed: workers may still sleep in it while the process ends.
Pool &pool() {
    static Pool *instance = new Pool;
    return *instance;
}

}  // namespace

int64_t concurrency(const hf_executor *executor) {
    if (executor != nullptr) {
        return executor->concurrency < 1 ? 1 : executor->concurrency;
    }
    return hf_thread_count();
}

void parallel_for(const hf_executor *executor, int64_t task_count, hf_task task, void *task_context) {
    if (task_count <= 0) {
        return;
    }
    if (executor != nullptr) {
        executor->parallel_for(executor->context, task_count, task, task_context);
        return;
    }
    Loop loop{task, task_context, task_count};
    pool().run(loop, hf_thread_count());
}

}  // namespace holdfast

extern "C" hf_status hf_set_thread_count(int64_t count) {
    if (count < 1 || count > 1024) {
        return holdfast::fail(HF_INVALID_ARGUMENT, "thread_count: expected [1, 1024], got %lld", holdfast::number(count));
    }
    holdfast::thread_count = count;
    return HF_OK;
}

extern "C" int64_t hf_thread_count(void) {
    const int64_t count = holdfast::thread_count;
    return count > 0 ? count : holdfast::available_processors();
}
