/* render.c: a drawing on disk, as Graphviz text or through the program `dot`.
 *
 *     graph ──▶ draft ── rename ──▶ graph.dot
 *
 *     graph ──▶ draft ── stdin ──▶ dot -Tsvg ── stdout ──▶ draft ── rename ──▶ graph.svg
 *                                      └─────── stderr ──▶ draft, whose first line is the reason of a failure
 *
 * Invariant: a draft is a file of its own beside the target and takes the target's name when it is complete: after a
 * failure, what stood there before stands there still. dot reads and writes files, not pipes, so that no SIGPIPE can
 * arise, and no shell sees a name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autograd/dot.h"
#include "autograd/node.h"

extern char **environ;

enum { PATH_ROOM = PATH_MAX + 64, TRIES = 10000, NOT_FOUND = 127 /* of a shell, and of exec in some libcs */ };

/* ---- Drafts ----------------------------------------------------------------------------------------------------- */

typedef struct draft {
    ag_tape *tape;
    const char *path; /* as the user wrote it, for messages */
    char *target;     /* the same with links followed, so that the rename keeps them */
    char *name;       /* of the draft; empty: the target is a device or a pipe and is written in place */
    int fd;
} draft;

static bool fail(const draft *d, const char *why) {
    return ag__fail(d->tape, AG_ERR_IO, "dot: cannot write '%s': %s", d->path, why) != NULL;
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

/* A file that is gone when it is closed. */
static int open_scratch(const draft *d) {
    char name[PATH_ROOM];
    int fd = open_beside(d->target, name);
    if (fd >= 0) unlink(name);
    return fd;
}

static bool draft_open(draft *d) {
    struct stat about;
    d->target = ag__temp(d->tape, 2 * PATH_ROOM);
    if (!d->target) return false;
    d->name = d->target + PATH_ROOM;
    d->name[0] = '\0';
    if (strlen(d->path) >= PATH_MAX) return fail(d, strerror(ENAMETOOLONG));
    if (!realpath(d->path, d->target)) strcpy(d->target, d->path);
    bool there = stat(d->target, &about) == 0;
    if (!strncmp(d->path, "/dev/", 5) || (there && !S_ISREG(about.st_mode))) {
        d->fd = open(d->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    } else {
        d->fd = open_beside(d->target, d->name);
        if (d->fd < 0) d->name[0] = '\0';
        else if (there) fchmod(d->fd, about.st_mode & 0777);
    }
    return d->fd >= 0 || fail(d, strerror(errno));
}

/* Ends the draft: gives it the target's name if `good` and all was written, else drops it. */
static bool draft_close(draft *d, bool good) {
    if (d->fd >= 0 && close(d->fd) && good) good = fail(d, strerror(errno));
    if (d->name && *d->name) {
        if (good && rename(d->name, d->target)) good = fail(d, strerror(errno));
        if (!good) unlink(d->name);
    }
    ag__temp_free(d->tape, d->target);
    return good;
}

/* Writes the graph's text to fd, which stays open. */
static bool write_text(const draft *d, int fd, ag_tensor *y, const ag_dot_options *o) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
    if (!out) {
        if (copy >= 0) close(copy);
        return fail(d, strerror(errno));
    }
    bool good = ag__dot_graph(out, y, o), broken = ferror(out);
    int error = errno;
    if (fclose(out) && !broken) {
        error = errno;
        broken = true;
    }
    return broken ? fail(d, strerror(error)) : good;
}

/* ---- The program dot -------------------------------------------------------------------------------------------- */

static const struct format {
    const char *suffix, *type, *more;
    const char *ending; /* of a complete file: dot's exit status does not tell of a full disk */
} formats[] = {
    {".svg", "-Tsvg", NULL, "</svg>"},
    {".png", "-Tpng", "-Gdpi=144", "IEND"},
    {".pdf", "-Tpdf", NULL, "%%EOF"},
    {".dot", NULL, NULL, NULL},
};

static const struct format *format_of(const char *path) {
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t m = strlen(formats[i].suffix);
        if (n > m && !strcasecmp(path + n - m, formats[i].suffix)) return &formats[i];
    }
    return NULL;
}

/* Starts dot on files[0 … 2] and waits. Returns an errno and sets *status to what waitpid says. */
static int run_dot(const struct format *f, const int files[3], int *status) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    for (int i = 0; i < 3 && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, files[i], i);
    const char *arguments[] = {"dot", f->type, f->more, NULL};
    pid_t child;
    if (!error)
        error = posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!error && waitpid(child, status, 0) < 0) {
        if (errno != EINTR) error = errno;
    }
    return error;
}

/* The first line dot wrote says what it did not like. */
static bool blame(const draft *d, int log, int status) {
    char line[256];
    ssize_t n = pread(log, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    bool killed = WIFSIGNALED(status);
    return ag__fail(d->tape, AG_ERR_IO, "dot: cannot draw '%s': the program 'dot' %s %d%s%s", d->path,
                    killed ? "was killed by signal" : "failed with status",
                    killed ? WTERMSIG(status) : WEXITSTATUS(status), *line ? ": " : "", line) != NULL;
}

static bool complete(const draft *d, const struct format *f) {
    char tail[64];
    if (!*d->name) return true; /* a device cannot be read back */
    off_t size = lseek(d->fd, 0, SEEK_END), from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
    ssize_t n = pread(d->fd, tail, sizeof tail, from);
    size_t m = strlen(f->ending);
    for (ssize_t i = 0; i + (ssize_t)m <= n; i++) {
        if (!memcmp(tail + i, f->ending, m)) return true;
    }
    return fail(d, "the program 'dot' left it incomplete; is the disk full?");
}

static bool convert(const draft *d, const struct format *f, const int files[3]) {
    int status = 0;
    if (lseek(files[0], 0, SEEK_SET) < 0) return fail(d, strerror(errno));
    int error = run_dot(f, files, &status);
    if (error == ENOENT || (!error && WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)) {
        return ag__fail(d->tape, AG_ERR_IO,
                        "dot: the program 'dot' was not found: install Graphviz (apt install graphviz)") != NULL;
    }
    if (error)
        return ag__fail(d->tape, AG_ERR_IO, "dot: the program 'dot' could not be run: %s", strerror(error)) != NULL;
    return status ? blame(d, files[2], status) : complete(d, f);
}

static bool render(const draft *d, ag_tensor *y, const struct format *f, const ag_dot_options *o) {
    int files[3] = {open_scratch(d), d->fd, open_scratch(d)};
    bool good = files[0] >= 0 && files[2] >= 0 ? write_text(d, files[0], y, o) && convert(d, f, files)
                                               : fail(d, strerror(errno));
    if (files[0] >= 0) close(files[0]);
    if (files[2] >= 0) close(files[2]);
    return good;
}

/* ---- Public ----------------------------------------------------------------------------------------------------- */

ag_dot_options ag_dot_defaults(void) {
    return (ag_dot_options){.size = sizeof(ag_dot_options),
                            .values = true,
                            .gradients = true,
                            .constants = true,
                            .derivatives = true,
                            .most_nodes = 150};
}

/* f NULL: by the suffix of path. */
static bool draw(const char *what, ag_tensor *y, const char *path, const struct format *f, const ag_dot_options *options) {
    if (!y) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the tensor is NULL", what) != NULL;
    if (y->tape == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "%s: %s", what, ag__dropped.message) != NULL;
    if (!path) return ag__fail(y->tape, AG_ERR_ARGUMENT, "%s: the path is NULL", what) != NULL;
    ag_dot_options o = ag_dot_defaults();
    if (options && !options->size)
        return ag__fail(y->tape, AG_ERR_ARGUMENT, "%s: fill the options with ag_dot_defaults() first", what) != NULL;
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if (!f) f = format_of(path);
    if (!f)
        return ag__fail(y->tape, AG_ERR_ARGUMENT, "%s: '%s' must end in .svg, .png, .pdf or .dot", what, path) != NULL;
    draft d = {.tape = y->tape, .path = path, .fd = -1};
    bool good = draft_open(&d) && (f->type ? render(&d, y, f, &o) : write_text(&d, d.fd, y, &o));
    return draft_close(&d, good);
}

bool ag_dot_write(ag_tensor *y, const char *path, const ag_dot_options *options) {
    return draw("dot_write", y, path, &formats[sizeof formats / sizeof *formats - 1], options);
}

bool ag_dot_render(ag_tensor *y, const char *path, const ag_dot_options *options) {
    return draw("dot_render", y, path, NULL, options);
}

/* Called after a backward pass that went well, so the tape has no error; nor has it one afterwards. */
void ag__dot_from_environment(ag_tensor *loss) {
    const char *path = getenv("AG_DOT");
    if (path && !ag_dot_render(loss, path, NULL)) ag__log("AG_DOT: %s", ag_last_message());
    ag_tape_clear(loss->tape);
}
