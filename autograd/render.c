/* render.c: a drawing on disk, as Graphviz text or through the program `dot`.
 *
 *     graph ──▶ draft ── rename ──▶ graph.dot
 *
 *     graph ──▶ draft ── stdin ──▶ dot -Tsvg ── stdout ──▶ draft ── rename ──▶ graph.svg
 *                                      └─────── stderr ──▶ draft, whose first line is the reason of a failure
 *
 * After a failure, what stood there before stands there still (draft.h). dot reads and writes files, not pipes, so that no
 * SIGPIPE can arise, and no shell sees a name. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autograd/dot.h"
#include "autograd/draft.h"

extern char **environ;

enum { NOT_FOUND = 127 /* of a shell, and of exec in some libcs */ };

typedef struct drawing {
    ag_tensor *y;
    const ag_dot_options *options;
} drawing;

static bool write_drawing(FILE *out, const void *context) {
    const drawing *w = context;
    return ag__dot_graph(out, w->y, w->options);
}

/* The program dot */

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
static bool blame(const ag__draft *d, int log, int status) {
    char line[256];
    ssize_t n = pread(log, line, sizeof line - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    bool killed = WIFSIGNALED(status);
    return ag__fail(d->tape, AG_ERR_IO, "dot: cannot draw '%s': the program 'dot' %s %d%s%s", d->path,
                    killed ? "was killed by signal" : "failed with status",
                    killed ? WTERMSIG(status) : WEXITSTATUS(status), *line ? ": " : "", line) != NULL;
}

static bool complete(const ag__draft *d, const struct format *f) {
    char tail[64];
    if (!*d->name) return true; /* a device cannot be read back */
    off_t size = lseek(d->fd, 0, SEEK_END), from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
    ssize_t n = pread(d->fd, tail, sizeof tail, from);
    size_t m = strlen(f->ending);
    for (ssize_t i = 0; i + (ssize_t)m <= n; i++) {
        if (!memcmp(tail + i, f->ending, m)) return true;
    }
    return ag__draft_fail(d, "the program 'dot' left it incomplete; is the disk full?");
}

static bool convert(const ag__draft *d, const struct format *f, const int files[3]) {
    int status = 0;
    if (lseek(files[0], 0, SEEK_SET) < 0) return ag__draft_fail(d, strerror(errno));
    int error = run_dot(f, files, &status);
    if (error == ENOENT || (!error && WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)) {
        return ag__fail(d->tape, AG_ERR_IO,
                        "dot: the program 'dot' was not found: install Graphviz (apt install graphviz)") != NULL;
    }
    if (error)
        return ag__fail(d->tape, AG_ERR_IO, "dot: the program 'dot' could not be run: %s", strerror(error)) != NULL;
    return status ? blame(d, files[2], status) : complete(d, f);
}

static bool render(const ag__draft *d, const struct format *f, const drawing *w) {
    int files[3] = {ag__draft_scratch(d), d->fd, ag__draft_scratch(d)};
    bool good = files[0] >= 0 && files[2] >= 0 ? ag__draft_write(d, files[0], write_drawing, w) && convert(d, f, files)
                                               : ag__draft_fail(d, strerror(errno));
    if (files[0] >= 0) close(files[0]);
    if (files[2] >= 0) close(files[2]);
    return good;
}

/* Public */

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
    drawing w = {y, &o};
    ag__draft d = {.tape = y->tape, .what = "dot", .path = path};
    bool good = ag__draft_open(&d) && (f->type ? render(&d, f, &w) : ag__draft_write(&d, d.fd, write_drawing, &w));
    return ag__draft_close(&d, good);
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
