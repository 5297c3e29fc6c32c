/* error.c: every error of the library passes ag__vfail.
 *
 * The first error sticks to its tape, in memory the tape already has; later ones only become the thread's last message, so
 * that the cause is what the user reads and not its echoes. While it stands, a complaint about a NULL is an echo for sure. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "autograd/text.h"

static _Thread_local char last_message[AG__MESSAGE];
static _Thread_local const ag_tape *standing; /* the tape whose error this thread met last, until it is cleared; only compared */
static ag_log_fn *log_function;
static void *log_context;

ag_tape ag__dropped = {
    .status = AG_ERR_STATE,
    .message = "a tensor was used after the rewind that dropped it",
};

const char *ag_status_name(ag_status status) {
    static const char *const name[] = {"ok", "argument", "shape", "dtype", "value", "state", "memory", "io"};
    return status >= AG_OK && status <= AG_ERR_IO ? name[status] : "unknown";
}

/* Appends " [in outer/inner]", the open scopes. */
static void append_scope(const ag_tape *t, char *text, size_t size) {
    char path[160];
    size_t used = strlen(text);
    snprintf(text + used, size - used, " [in %s]", ag__scope_path(t, t->scope, path, sizeof path));
}

void *ag__vfail(ag_tape *t, ag_status status, const char *prefix, const char *format, va_list args) {
    char text[AG__MESSAGE];
    int used = prefix ? snprintf(text, sizeof text, "%s: ", prefix) : 0;
    if (used < 0 || (size_t)used >= sizeof text) used = 0;
    if (vsnprintf(text + used, sizeof text - (size_t)used, format, args) < 0) text[used] = '\0';
    if (t && t->scope) append_scope(t, text, sizeof text);
    bool echo = !t && standing && status == AG_ERR_ARGUMENT && strstr(format, "NULL");
    if (!echo) memcpy(last_message, text, sizeof text);
    if (t && t != &ag__dropped && t->status == AG_OK) {
        standing = t;
        t->status = status;
        memcpy(t->message, text, sizeof text);
    }
    return NULL;
}

void *ag__fail(ag_tape *t, ag_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ag__vfail(t, status, NULL, format, args);
    va_end(args);
    return NULL;
}

/* "nll_pick: label 3 …" becomes "cross_entropy: label 3 …", which is what was called. */
void ag__fail_within(ag_tape *t, const char *op) {
    char text[AG__MESSAGE], inner[64];
    size_t n = strcspn(t->message, ":");
    if (t->message[n] != ':' || n >= sizeof inner) return;
    memcpy(inner, t->message, n);
    inner[n] = '\0';
    if (!ag_find_op(inner)) return;
    snprintf(text, sizeof text, "%s%s", op, t->message + n);
    memcpy(t->message, text, sizeof text);
    memcpy(last_message, text, sizeof text);
}

void *ag_tape_fail(ag_tape *t, ag_status status, const char *where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ag__vfail(t, status, where, format, args);
    va_end(args);
    return NULL;
}

bool ag_op_fail(ag_tensor *y, ag_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ag__vfail(y->tape, status, y->op->name, format, args);
    va_end(args);
    return false;
}

ag_status ag_tape_status(const ag_tape *t) { return t ? t->status : AG_ERR_ARGUMENT; }

const char *ag_tape_message(const ag_tape *t) {
    if (!t) return "the tape is NULL";
    return t->status ? t->message : "";
}

void ag_tape_clear(ag_tape *t) {
    if (t == standing) standing = NULL;
    if (t && t != &ag__dropped) t->status = AG_OK;
}

const char *ag_last_message(void) { return last_message; }

void ag_set_log(ag_log_fn *log, void *context) {
    log_function = log;
    log_context = context;
}

void ag__log(const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    if (vsnprintf(line, sizeof line, format, args) < 0) line[0] = '\0';
    va_end(args);
    if (log_function) {
        log_function(log_context, line);
    } else {
        fputs(line, stderr);
        fputc('\n', stderr);
    }
}
