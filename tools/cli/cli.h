/* cli.h: the commands and what they share.
 *
 *     arguments ─▶ options ─▶ session: tape, bindings, program, result ─▶ command ─▶ s->out ─▶ standard output
 *
 * A command writes its result into s->out and returns; on a fault it returns after fault_set, and only the fault is
 * printed, to standard error. The program never calls setlocale: numbers have a point everywhere.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "eval.h"

enum { JVPS = 16 };

typedef struct options {
    const char *expression; /* the first argument that is no pair; NULL */
    char **pair;            /* name=value, in the order given */
    int pairs;
    bool json, f32, hessian, help;
    const char *wrt;       /* "a,b"; NULL */
    const char *out;       /* -o */
    const char *jvp[JVPS]; /* name=value */
    int jvps;
    int64_t k; /* paths that explain prints */
    uint64_t seed;
    bool dark, check, backward; /* graph */
    int depth;
    const char *title;
} options;

typedef struct session {
    const options *o;
    fault f;
    text out;
    evaluator e;
    program p;
    source in;    /* the expression */
    char *typed;  /* what of it was read from a file; owned */
    ag_tensor *y; /* its value */
    int code;     /* EXIT_FINE, or EXIT_GRADIENT */
} session;

/* The tape and the bindings; evaluates the expression. False after a fault. */
bool session_begin(session *s);
bool session_load(session *s);           /* the same from a saved graph, o->expression being its path */
bool session_is_graph(const session *s); /* does the expression name a saved graph? */
void session_end(session *s);

/* The float bindings that --wrt names, or all that were used; the array is the caller's to free. −1 after a fault. */
int session_inputs(session *s, ag_tensor ***xs);
/* The float tensor that a binding or a let calls so; NULL after a fault that names the option. */
ag_tensor *session_named(session *s, const char *option, const char *name, size_t n);
/* Is the result one float number? A fault that says how to make it one, if not. */
bool session_scalar(session *s, const char *command);
bool session_place(session *s, span *whole); /* of the last statement */
/* The tape's error at the whole expression. Returns false. */
bool session_failed(session *s);

/* Commands: each fills s->out, or sets the fault. */
bool cmd_eval(session *s);
bool cmd_grad(session *s);
bool cmd_graph(session *s);
bool cmd_explain(session *s);
bool cmd_check(session *s);
bool cmd_ops(session *s);

/* Help (help.c): of one command, or of the program for NULL */
const char *help_text(const char *command);

#endif
