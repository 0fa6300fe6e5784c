/* What stands between the server and its disk and clock: loaded with LD_PRELOAD, compiled by the harnesses when they run.
 *
 *   TORTURE_BASE   the name of the database's file: it and the files named after it are watched, but not its lock.
 *   TORTURE_LOG    a file to which every change of a watched file is appended in the order in which it happened: `power`.
 *   TORTURE_FAULT  a file with the fault to come (struct fault), read and counted down while the server runs: `io`.
 *   TORTURE_CLOCK  a file with the nanoseconds to add to the wall clock, read at every look at it: `clock`. The monotonic
 *                  clock stays as it is, as it does when an administrator sets the time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS 4096
#define REAL(name) ((__typeof__(&name))real(#name))

/* One change. `at` is an offset, a length (of a truncation), or the number of a sync. Data follows a write. */
struct entry {
  uint8_t op; /* W write, T truncate, F a sync begins, S the same has ended well, U unlink, R rename */
  uint8_t file; /* 1 the database, 2 its log, 3 any other file beside it; 4 the shared memory, which is never logged */
  uint8_t none[6];
  uint64_t at, length;
};

/* The fault to come. `left` counts calls down; the call that finds 1 there fails, and with `stays` each one after it. */
struct fault {
  uint32_t op; /* 0 none, 1 write or truncate, 2 sync, 3 open */
  uint32_t error; /* an errno */
  int64_t left;
  uint32_t stays;
  uint32_t file; /* 0 any watched file, or as in struct entry */
  uint64_t struck; /* how many calls failed */
  uint64_t seen; /* how many such calls there were */
};

static const char *base;
static int log_file = -1;
static struct fault *fault;
static int64_t *shift;
static uint8_t watched[FDS];
static uint64_t syncs;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void *mapped(const char *variable, size_t size) {
  const char *path = getenv(variable);
  int file = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return NULL;
  void *there = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  REAL(close)(file);
  return there == MAP_FAILED ? NULL : there;
}

__attribute__((constructor)) static void start(void) {
  base = getenv("TORTURE_BASE");
  const char *path = getenv("TORTURE_LOG");
  if (path) log_file = REAL(open)(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  fault = mapped("TORTURE_FAULT", sizeof *fault);
  shift = mapped("TORTURE_CLOCK", sizeof *shift);
}

/* Which of the watched files a path names; 0 for none. */
static uint8_t file_of(const char *path) {
  if (!base || !path) return 0;
  const char *name = strrchr(path, '/');
  name = name ? name + 1 : path;
  size_t length = strlen(base);
  if (strncmp(name, base, length)) return 0;
  name += length;
  if (!*name) return 1;
  if (!strcmp(name, "-wal")) return 2;
  if (!strcmp(name, "-shm")) return 4;
  return strcmp(name, ".lock") ? 3 : 0;
}

static uint8_t file_at(int fd) { return fd >= 0 && fd < FDS ? watched[fd] : 0; }

/* Appends one change with one call, so that it stays whole between what clients append. */
static void note(char op, uint8_t file, uint64_t at, uint64_t length, const void *data) {
  if (log_file < 0 || file == 4) return;
  struct entry entry = {.op = op, .file = file, .at = at, .length = length};
  struct iovec parts[2] = {{&entry, sizeof entry}, {(void *)data, data ? length : 0}};
  if (REAL(writev)(log_file, parts, data ? 2 : 1) < 0) abort();
}

/* Whether this call is to fail; errno says how. */
static int fails(uint32_t op, uint8_t file) {
  if (!fault || __atomic_load_n(&fault->op, __ATOMIC_SEQ_CST) != op) return 0;
  if (fault->file && fault->file != file) return 0;
  __atomic_add_fetch(&fault->seen, 1, __ATOMIC_SEQ_CST);
  int64_t left = __atomic_sub_fetch(&fault->left, 1, __ATOMIC_SEQ_CST);
  if (left > 0 || (left < 0 && !fault->stays)) return 0;
  __atomic_add_fetch(&fault->struck, 1, __ATOMIC_SEQ_CST);
  errno = fault->error;
  return 1;
}

static int opened(int fd, uint8_t file) {
  if (fd >= 0 && fd < FDS) watched[fd] = file;
  return fd;
}

#define OPEN(name)                                             \
  int name(const char *path, int flags, ...) {                 \
    va_list more;                                              \
    va_start(more, flags);                                     \
    mode_t mode = va_arg(more, int);                           \
    va_end(more);                                              \
    uint8_t file = file_of(path);                              \
    if (file && fails(3, file)) return -1;                     \
    return opened(REAL(name)(path, flags, mode), file);        \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  opened(fd, 0);
  return REAL(close)(fd);
}

/* A write that fails may have put half of it there, as a full disk does. */
static ssize_t written(int fd, uint8_t file, const void *data, size_t length, off64_t at) {
  pthread_mutex_lock(&order);
  if (fails(1, file)) {
    int error = errno;
    ssize_t half = length > 1 ? REAL(pwrite64)(fd, data, length / 2, at) : 0;
    if (half > 0) note('W', file, at, half, data);
    pthread_mutex_unlock(&order);
    errno = error;
    return -1;
  }
  ssize_t done = REAL(pwrite64)(fd, data, length, at);
  if (done > 0) note('W', file, at, done, data);
  pthread_mutex_unlock(&order);
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  uint8_t file = file_at(fd);
  return file ? written(fd, file, data, length, at) : REAL(pwrite64)(fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
  uint8_t file = file_at(fd);
  if (!file) return REAL(write)(fd, data, length);
  off64_t at = lseek64(fd, 0, SEEK_CUR);
  ssize_t done = written(fd, file, data, length, at);
  if (done > 0) lseek64(fd, at + done, SEEK_SET);
  return done;
}

int ftruncate64(int fd, off64_t length) {
  uint8_t file = file_at(fd);
  if (!file) return REAL(ftruncate64)(fd, length);
  pthread_mutex_lock(&order);
  int done = fails(1, file) ? -1 : REAL(ftruncate64)(fd, length);
  if (!done) note('T', file, length, 0, NULL);
  pthread_mutex_unlock(&order);
  return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* Only what was written before a sync began is on the disk when it has ended, so both moments are noted. */
#define SYNC(name)                                                     \
  int name(int fd) {                                                   \
    uint8_t file = file_at(fd);                                        \
    if (!file) return REAL(name)(fd);                                  \
    uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST); \
    pthread_mutex_lock(&order);                                        \
    note('F', file, number, 0, NULL);                                  \
    pthread_mutex_unlock(&order);                                      \
    if (fails(2, file)) return -1;                                     \
    int done = REAL(name)(fd);                                         \
    pthread_mutex_lock(&order);                                        \
    if (!done) note('S', file, number, 0, NULL);                       \
    pthread_mutex_unlock(&order);                                      \
    return done;                                                       \
  }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
  uint8_t file = file_of(path);
  if (!file) return REAL(unlink)(path);
  pthread_mutex_lock(&order);
  int done = REAL(unlink)(path);
  if (!done) note('U', file, 0, 0, NULL);
  pthread_mutex_unlock(&order);
  return done;
}

int rename(const char *from, const char *to) {
  int done = REAL(rename)(from, to);
  uint8_t file = file_of(from) ? file_of(from) : file_of(to);
  if (!done && file) note('R', file, 0, 0, NULL);
  return done;
}

static int64_t shifted(void) { return shift ? __atomic_load_n(shift, __ATOMIC_SEQ_CST) : 0; }

int clock_gettime(clockid_t which, struct timespec *now) {
  int done = REAL(clock_gettime)(which, now);
  if (done || !shift || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return done;
  int64_t nanos = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + shifted();
  now->tv_sec = nanos / 1000000000 - (nanos % 1000000000 < 0);
  now->tv_nsec = nanos - now->tv_sec * INT64_C(1000000000);
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *to) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  if (to) *to = now.tv_sec;
  return now.tv_sec;
}
