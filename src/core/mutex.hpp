#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

// Clang checks these at compile time (-Wthread-safety); GCC sees nothing.
#if defined(__clang__)
#define TACENDA_ATTRIBUTE(x) __attribute__((x))
#else
#define TACENDA_ATTRIBUTE(x)
#endif
#define TACENDA_GUARDED_BY(mutex) TACENDA_ATTRIBUTE(guarded_by(mutex))
#define TACENDA_REQUIRES(mutex) TACENDA_ATTRIBUTE(requires_capability(mutex))
#define TACENDA_REQUIRES_SHARED(mutex) TACENDA_ATTRIBUTE(requires_shared_capability(mutex))
#define TACENDA_EXCLUDES(mutex) TACENDA_ATTRIBUTE(locks_excluded(mutex))

namespace tacenda {

/// std::mutex with the annotations that libstdc++ leaves out.
class TACENDA_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() TACENDA_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() TACENDA_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

class TACENDA_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TACENDA_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() TACENDA_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(MutexLock const&) = delete;
  MutexLock& operator=(MutexLock const&) = delete;

 private:
  Mutex& mutex_;
};

/// Many readers or one writer.
class TACENDA_ATTRIBUTE(capability("mutex")) SharedMutex {
 public:
  void lock() TACENDA_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() TACENDA_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  void lock_shared() TACENDA_ATTRIBUTE(acquire_shared_capability()) { mutex_.lock_shared(); }
  void unlock_shared() TACENDA_ATTRIBUTE(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class TACENDA_ATTRIBUTE(scoped_lockable) ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) TACENDA_ATTRIBUTE(acquire_shared_capability(mutex)) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReadLock() TACENDA_ATTRIBUTE(release_generic_capability()) { mutex_.unlock_shared(); }
  ReadLock(ReadLock const&) = delete;
  ReadLock& operator=(ReadLock const&) = delete;

 private:
  SharedMutex& mutex_;
};

class TACENDA_ATTRIBUTE(scoped_lockable) WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) TACENDA_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~WriteLock() TACENDA_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  WriteLock(WriteLock const&) = delete;
  WriteLock& operator=(WriteLock const&) = delete;

 private:
  SharedMutex& mutex_;
};

/// Waits on a Mutex that the caller holds. Wake-ups may be spurious: wait in a loop over the condition.
class ConditionVariable {
 public:
  void wait(Mutex& mutex) TACENDA_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    (void)lock.release();  // the caller's MutexLock goes on owning it
  }
  /// Returns false when `until` passed.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point until) TACENDA_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    bool const in_time = condition_.wait_until(lock, until) == std::cv_status::no_timeout;
    (void)lock.release();  // as above
    return in_time;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace tacenda
