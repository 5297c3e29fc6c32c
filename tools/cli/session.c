/* session.c: from the command line to a tensor. */
#include <stdlib.h>
#include <string.h>

#include "autograd/inspect.h"
#include "cli.h"
#include "show.h"
#include "value.h"

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

bool session_is_graph(const session *s) { return s->o->expression && ends_with(s->o->expression, ".aggraph"); }

static bool open_tape(session *s) {
    s->e.tape = ag_tape_new();
    s->e.dtype = s->o->f32 ? AG_F32 : AG_F64;
    if (!s->e.tape) return fault_memory(&s->f);
    ag_seed(s->e.tape, s->o->seed);
    return true;
}

/* The expression itself, or what the file "@file", or standard input for "-", holds */
static bool find_text(session *s) {
    const char *typed = s->o->expression;
    if (!typed)
        return fault_say(
            &s->f, EXIT_USAGE,
            "no expression is given: write one between single quotes, then the values of its names: '2*x^2' x=3");
    if (session_is_graph(s)) return fault_say(&s->f, EXIT_USAGE, "%s: saved graphs are for 'graph' and 'check'", typed);
    s->in = (source){"expression", typed, strlen(typed)};
    if (*typed != '@' && strcmp(typed, "-")) return true;
    if (*typed == '@' && !typed[1])
        return fault_say(&s->f, EXIT_USAGE, "'@' names no file; an expression in a file is '@model.txt'");
    s->in.name = *typed == '@' ? typed + 1 : "standard input";
    s->typed = file_read(*typed == '@' ? typed + 1 : typed, &s->in.size, &s->f);
    s->in.text = s->typed;
    return s->typed != NULL;
}

bool session_begin(session *s) {
    if (!find_text(s) || !program_parse(&s->p, &s->in, &s->f) || !open_tape(s)) return false;
    for (int i = 0; i < s->o->pairs; i++) {
        if (!value_bind(&s->e, s->o->pair[i], &s->f)) return false;
    }
    s->y = eval_program(&s->e, &s->p, &s->in, &s->f);
    for (int i = 0; s->y && i < s->e.count; i++) {
        if (!s->e.bindings[i].used) fprintf(stderr, "autograd: '%s' is not used\n", s->e.bindings[i].name);
    }
    if (s->y && s->e.odd.code) fault_print(&s->e.odd, stderr);
    return s->y != NULL;
}

bool session_load(session *s) {
    if (s->o->pairs)
        return fault_say(&s->f, EXIT_USAGE, "a saved graph has its values in it; '%s' has no place", s->o->pair[0]);
    if (!open_tape(s)) return false;
    if (ag_graph_load(s->e.tape, s->o->expression, &s->y, 1) >= 1 && s->y) return true;
    return fault_library(&s->f, EXIT_FILE,
                         ag_tape_status(s->e.tape) ? ag_tape_message(s->e.tape) : "the saved graph has no result");
}

void session_end(session *s) {
    value_free(&s->e);
    program_free(&s->p);
    ag_tape_free(s->e.tape);
    text_free(&s->out);
    free(s->typed);
}

bool session_place(session *s, span *whole) {
    if (!s->p.statements) return false;
    *whole = s->p.node[s->p.statement[s->p.statements - 1]].at;
    return true;
}

bool session_failed(session *s) {
    span at;
    return fault_tape(&s->f, s->e.tape, session_place(s, &at) ? &s->in : NULL, at);
}

static bool is_float(const ag_tensor *x) { return ag_dtype_of(x) == AG_F32 || ag_dtype_of(x) == AG_F64; }

bool session_scalar(session *s, const char *command) {
    span at = {0, 0};
    const source *in = session_place(s, &at) ? &s->in : NULL;
    if (ag_size(s->y) == 1 && is_float(s->y)) return true;
    text shape = {0};
    show_shape(&shape, s->y);
    if (!is_float(s->y)) {
        fault_set(&s->f, EXIT_VALUE, in, at, "%s: the result is %s; only floats have gradients", command, text_of(&shape));
    } else {
        fault_set(&s->f, EXIT_VALUE, in, at,
                  "%s: the result is %s, and only one number has a gradient: put sum(…) or mean(…) around it", command,
                  text_of(&shape));
    }
    text_free(&shape);
    return false;
}

ag_tensor *session_named(session *s, const char *option, const char *name, size_t n) {
    char word[256];
    snprintf(word, sizeof word, "%.*s", (int)n, name);
    nearest near = nearest_begin(word);
    for (int i = 0; i < s->e.count; i++) {
        const binding *b = &s->e.bindings[i];
        nearest_try(&near, b->name);
        if (strcmp(b->name, word)) continue;
        if (is_float(b->x)) return b->x;
        fault_say(&s->f, EXIT_VALUE, "%s: %s is %s; only floats have gradients", option, word,
                  ag_dtype_name(ag_dtype_of(b->x)));
        return NULL;
    }
    for (int64_t i = ag_tape_size(s->e.tape); i-- > 0;) { /* a let */
        ag_tensor *x = ag_tape_node(s->e.tape, i);
        if (!strcmp(ag_name(x), word) && is_float(x)) return x;
    }
    text names = {0};
    for (int i = 0; i < s->e.count; i++) text_printf(&names, "%s%s", i ? ", " : "", s->e.bindings[i].name);
    if (strpbrk(word, " ;")) fault_say(&s->f, EXIT_USAGE, "%s: '%s': names are separated by ','", option, word);
    else if (near.best)
        fault_say(&s->f, EXIT_USAGE, "%s: unknown name '%s'; did you mean '%s'?", option, word, near.best);
    else fault_say(&s->f, EXIT_USAGE, "%s: unknown name '%s'; the names are: %s", option, word, text_of(&names));
    text_free(&names);
    return NULL;
}

int session_inputs(session *s, ag_tensor ***xs) {
    int count = 0;
    const char *p = s->o->wrt;
    size_t most = (size_t)s->e.count + (p ? strlen(p) : 0) + 1;
    *xs = malloc(most * sizeof **xs);
    if (!*xs) return fault_memory(&s->f) - 1;
    for (int i = 0; !p && i < s->e.count; i++) {
        const binding *b = &s->e.bindings[i];
        if (b->used && is_float(b->x)) (*xs)[count++] = b->x;
    }
    while (p && *p) {
        size_t n = strcspn(p, ",");
        ag_tensor *x = session_named(s, "--wrt", p, n);
        if (!x) return -1;
        (*xs)[count++] = x;
        p += n + (p[n] == ',');
    }
    if (count) return count;
    fault_say(&s->f, EXIT_USAGE, "there is nothing to differentiate by: give a value to a name, as in x=2");
    return -1;
}
