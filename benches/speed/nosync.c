/* Stands between a server and its disk: a sync of a write-ahead log is not done and said to have been. That is what
 * `synchronous=NORMAL` spares, all but the one sync of the log before a checkpoint, which is one in thousands.
 * SPEED_SKIPPED names a file that is made when the first sync was skipped, so that a shim that does nothing is noticed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int skips(int fd) {
  static int told;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 4) return 0;
  path[length] = 0;
  if (strcmp(path + length - 4, "-wal") != 0) return 0;
  if (!told) {
    const char *file = getenv("SPEED_SKIPPED");
    int tells = file ? open(file, O_CREAT | O_WRONLY, 0600) : -1;
    if (tells >= 0) close(tells);
    told = 1;
  }
  return 1;
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return skips(fd) ? 0 : real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return skips(fd) ? 0 : real(fd);
}
