/* cmd_graph.c: autograd graph: the picture, of an expression or of a saved graph; or the graph itself, saved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "cli.h"
#include "value.h"

/* Gradients belong into the picture wherever there are some. */
static bool differentiate(session *s) {
    ag_tensor *y = s->y;
    bool is_float = ag_dtype_of(y) == AG_F32 || ag_dtype_of(y) == AG_F64;
    if (!is_float || ag_size(y) != 1 || !ag_requires_grad(y)) return true;
    ag_tape_retain_grads(s->e.tape, true);
    return ag_backward(y) || session_failed(s);
}

/* Without -o the Graphviz text goes to standard output. The library writes files whole, so it is written and read
 * back. */
static bool to_output(session *s, const ag_dot_options *o) {
    char path[] = "/tmp/autograd-XXXXXX";
    size_t size = 0;
    int fd = mkstemp(path);
    if (fd < 0) return fault_say(&s->f, EXIT_FILE, "%s: %s", path, strerror(errno));
    close(fd);
    bool good = ag_dot_write(s->y, path, o) || session_failed(s);
    char *bytes = good ? file_read(path, &size, &s->f) : NULL;
    unlink(path);
    if (bytes) text_add(&s->out, bytes, size);
    free(bytes);
    return bytes != NULL;
}

static bool check(session *s, ag_check_report *r) {
    if (!session_scalar(s, "graph --check")) return false;
    if (!ag_gradcheck(s->y, NULL, 0, NULL, r)) s->code = EXIT_GRADIENT;
    return !ag_tape_status(s->e.tape) || session_failed(s);
}

static bool draw(session *s, const ag_check_report *r) {
    ag_dot_options o = ag_dot_defaults();
    o.title = s->o->title;
    o.dark = s->o->dark;
    o.backward = s->o->backward;
    o.depth = s->o->depth;
    o.report = r;
    size_t n = s->o->out ? strlen(s->o->out) : 0;
    if (!n) return to_output(s, &o);
    if (n > strlen(".aggraph") && !strcmp(s->o->out + n - strlen(".aggraph"), ".aggraph")) {
        return ag_graph_save(&s->y, 1, s->o->out) || session_failed(s);
    }
    if (ag_dot_render(s->y, s->o->out, &o)) return true;
    int code = ag_tape_status(s->e.tape) == AG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_FILE; /* how the name ends; the file */
    return fault_library(&s->f, code, ag_tape_message(s->e.tape));
}

bool cmd_graph(session *s) {
    bool begun = session_is_graph(s) ? session_load(s) : session_begin(s);
    if (!begun || !differentiate(s)) return false;
    if (!s->o->check) return draw(s, NULL);
    ag_check_report *r = malloc(sizeof *r);
    bool good = (r || fault_memory(&s->f)) && check(s, r) && draw(s, r);
    free(r);
    return good;
}
