/* cmd_eval.c: autograd eval: the value. */
#include "cli.h"
#include "show.h"

bool cmd_eval(session *s) {
    if (!session_begin(s)) return false;
    if (s->o->json) {
        text_put(&s->out, "{\"value\": ");
        show_json(&s->out, s->y);
        text_put(&s->out, "}\n");
    } else {
        show_tensor(&s->out, s->y, 0);
        text_put(&s->out, "\n");
    }
    return true;
}
