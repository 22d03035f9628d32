// Loaded into shoal by LD_PRELOAD: counts the system calls that change files, and dies by SIGKILL before or after
// the one that KILL_AT ("12" or "12+") names. Without it, writes how many there were to the file COUNT_TO.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long wanted;
static int after;

__attribute__((constructor)) static void begin(void) {
  const char* at = getenv("KILL_AT");
  wanted = at ? atol(at) : 0;
  after = at && strchr(at, '+') != NULL;
}

__attribute__((destructor)) static void end(void) {
  const char* path = getenv("COUNT_TO");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (file) fprintf(file, "%ld\n", atomic_load(&calls)), fclose(file);
}

static int counted(void) { return atomic_fetch_add(&calls, 1) + 1 == wanted; }
static void die_if(int now) {
  if (now) kill(getpid(), SIGKILL);
}

#define CALL(type, name, parameters, arguments)                       \
  type name parameters {                                              \
    static type(*real) parameters;                                    \
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, #name);              \
    const int here = counted();                                       \
    die_if(here && !after);                                           \
    const type result = real arguments;                               \
    die_if(here && after);                                            \
    return result;                                                    \
  }

CALL(ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size))
CALL(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at))
CALL(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), (fd, data, size, at))
CALL(ssize_t, writev, (int fd, const struct iovec* data, int count), (fd, data, count))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size))
CALL(int, fsync, (int fd), (fd))
CALL(int, fdatasync, (int fd), (fd))
CALL(int, rename, (const char* from, const char* to), (from, to))
CALL(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags), (a, from, b, to, flags))
CALL(int, unlink, (const char* path), (path))
CALL(int, unlinkat, (int fd, const char* path, int flags), (fd, path, flags))
CALL(int, rmdir, (const char* path), (path))
CALL(int, mkdir, (const char* path, mode_t mode), (path, mode))

#define OPEN(name, parameters, arguments)                             \
  int name parameters {                                               \
    va_list more;                                                     \
    va_start(more, flags);                                            \
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;   \
    va_end(more);                                                     \
    static int(*real) parameters;                                     \
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, #name);              \
    const int here = flags & O_CREAT ? counted() : 0;                 \
    die_if(here && !after);                                           \
    const int result = real arguments;                                \
    die_if(here && after);                                            \
    return result;                                                    \
  }

OPEN(open, (const char* path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char* path, int flags, ...), (path, flags, mode))
OPEN(openat, (int fd, const char* path, int flags, ...), (fd, path, flags, mode))
