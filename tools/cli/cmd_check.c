/* cmd_check.c: autograd check: every gradient of an expression, or of a saved graph, against differences; the worst
 * first. */
#include <stdlib.h>

#include "autograd/inspect.h"
#include "cli.h"

enum { TABLE = 1 << 14 };

static void put_json(session *s, const ag_check_report *r) {
    text *out = &s->out;
    text_printf(out, "{\"passed\": %s, \"checked\": %lld, \"failed\": %lld, \"verdicts\": {",
                r->passed ? "true" : "false", (long long)r->checked, (long long)r->failed);
    for (int v = 0; v < AG_VERDICT_COUNT; v++) {
        text_printf(out, "%s\"%s\": %lld", v ? ", " : "", ag_verdict_name((ag_verdict)v), (long long)r->count[v]);
    }
    text_put(out, "}, \"rows\": [");
    for (int i = 0; i < r->rows; i++) {
        const ag_check_row *row = &r->row[i];
        text_put(out, i ? ", {\"name\": " : "{\"name\": ");
        text_json_string(out, row->name);
        text_printf(out, ", \"order\": %d, \"index\": %lld, \"verdict\": \"%s\"", row->order, (long long)row->index,
                    ag_verdict_name(row->verdict));
        const struct {
            const char *name;
            double v;
        } field[] = {{"at", row->at},
                     {"analytic", row->analytic},
                     {"numeric", row->numeric},
                     {"error", row->absolute},
                     {"tolerance", row->tolerance}};
        for (size_t k = 0; k < sizeof field / sizeof *field; k++) {
            text_printf(out, ", \"%s\": ", field[k].name);
            text_json_number(out, field[k].v);
        }
        text_put(out, "}");
    }
    text_put(out, "]}\n");
}

/* A failed gradient says which parameter; checking each node's rule alone says which operation. */
static bool find_culprit(session *s, ag_check_report *r, char *table) {
    bool rules = ag_gradcheck_nodes(s->y, NULL, r);
    if (ag_tape_status(s->e.tape)) return session_failed(s);
    if (rules) text_put(&s->out, "\neach operation's own rule passes\n");
    else text_printf(&s->out, "\neach operation's own rule:\n\n%s", ag_check_text(r, table, TABLE));
    return true;
}

static bool check(session *s, ag_tensor *const *xs, int n, ag_check_report *r, char *table) {
    bool passed = ag_gradcheck(s->y, xs, n, NULL, r);
    if (ag_tape_status(s->e.tape)) return session_failed(s);
    if (!passed) s->code = EXIT_GRADIENT;
    if (s->o->json) put_json(s, r);
    else text_put(&s->out, ag_check_text(r, table, TABLE));
    return s->o->json || passed || find_culprit(s, r, table);
}

bool cmd_check(session *s) {
    bool saved = session_is_graph(s);
    ag_tensor **xs = NULL;
    if (!(saved ? session_load(s) : session_begin(s)) || !session_scalar(s, "check")) return false;
    int n = saved ? 0 : session_inputs(s, &xs);
    ag_check_report *r = malloc(sizeof *r);
    char *table = malloc(TABLE);
    bool good = n >= 0 && ((r && table) || fault_memory(&s->f)) && check(s, xs, n, r, table);
    free(table);
    free(r);
    free(xs);
    return good;
}
