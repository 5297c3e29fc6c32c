/* draft.c: files that appear whole or not at all; see draft.h.
 *
 * Invariant: a draft is a file of its own beside the target and takes the target's name when it is complete: after a failure,
 * what stood there before stands there still. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/draft.h"

enum { PATH_ROOM = PATH_MAX + 64, TRIES = 10000 };

bool ag__draft_fail(const ag__draft *d, const char *why) {
    return ag__fail(d->tape, AG_ERR_IO, "%s: cannot write '%s': %s", d->what, d->path, why) != NULL;
}

/* Makes a file beside target and writes its name to `name`. Unlike mkstemp, open leaves the mode to the umask. */
static int open_beside(const char *target, char *name) {
    const char *slash = strrchr(target, '/');
    int folder = slash ? (int)(slash - target) + 1 : 0, fd = -1;
    for (int i = 0; i < TRIES && fd < 0; i++) {
        snprintf(name, PATH_ROOM, "%.*s.autograd-%ld-%d", folder, target, (long)getpid(), i);
        fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) break;
    }
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); /* 0 to 2 are what a child's files become */
    if (high < 0) unlink(name);
    close(fd);
    return high;
}

int ag__draft_scratch(const ag__draft *d) {
    char name[PATH_ROOM];
    int fd = open_beside(d->target, name);
    if (fd >= 0) unlink(name);
    return fd;
}

bool ag__draft_open(ag__draft *d) {
    struct stat about;
    d->fd = -1;
    d->target = ag__temp(d->tape, 2 * PATH_ROOM);
    if (!d->target) return false;
    d->name = d->target + PATH_ROOM;
    d->name[0] = '\0';
    if (strlen(d->path) >= PATH_MAX) return ag__draft_fail(d, strerror(ENAMETOOLONG));
    if (!realpath(d->path, d->target)) strcpy(d->target, d->path);
    bool there = stat(d->target, &about) == 0;
    bool opened = !strncmp(d->path, "/dev/", 5) && strncmp(d->path, "/dev/shm/", 9) != 0; /* /dev/stdout, perhaps a file */
    if (opened || (there && !S_ISREG(about.st_mode))) {
        d->fd = open(d->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    } else {
        d->fd = open_beside(d->target, d->name);
        if (d->fd < 0) {
            d->name[0] = '\0';
        } else if (there) {
            fchmod(d->fd, about.st_mode & 0777);
        }
    }
    return d->fd >= 0 || ag__draft_fail(d, strerror(errno));
}

bool ag__draft_close(ag__draft *d, bool good) {
    if (d->fd >= 0 && close(d->fd) && good) good = ag__draft_fail(d, strerror(errno));
    if (d->name && *d->name) {
        if (good && rename(d->name, d->target)) good = ag__draft_fail(d, strerror(errno));
        if (!good) unlink(d->name);
    }
    ag__temp_free(d->tape, d->target);
    return good;
}

bool ag__draft_write(const ag__draft *d, int fd, bool (*write)(FILE *out, const void *context), const void *context) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
    if (!out) {
        int error = errno;
        if (copy >= 0) close(copy);
        return ag__draft_fail(d, strerror(error));
    }
    bool good = write(out, context), broken = ferror(out);
    int error = errno;
    if (fclose(out) && !broken) {
        error = errno;
        broken = true;
    }
    return broken ? ag__draft_fail(d, strerror(error)) : good;
}
