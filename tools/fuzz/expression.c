/* expression.c: libFuzzer on the command's expressions: whatever is typed is a program or a fault, and a program
 * printed reads back as itself. Programs whose operations take no extents are evaluated too.
 * Built and run by run.sh. */
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "tools/cli/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const program *p) {
    text once = {0}, again = {0};
    program other;
    fault f = {0};
    program_print(p, &once);
    source in = {"printed", text_of(&once), once.size};
    if (!program_parse(&other, &in, &f) || !program_equal(p, &other)) abort();
    program_print(&other, &again);
    if (strcmp(text_of(&once), text_of(&again))) abort();
    program_free(&other);
    text_free(&once);
    text_free(&again);
}

/* An operation that takes extents could be asked for more elements than there is time or memory for. */
static bool is_small(const program *p) {
    for (int i = 0; i < p->nodes; i++) {
        const ag_op *op = p->node[i].kind == NODE_CALL ? ag_find_op(p->node[i].name) : NULL;
        for (const ag_attr_field *f = op && op->attr_size ? op->attrs : NULL; f && f->name; f++) {
            if (f->type == AG_ATTR_SHAPE || f->type == AG_ATTR_I64) return false;
        }
    }
    return p->nodes < 100;
}

static void evaluate(const program *p, const source *in) {
    evaluator e = {.tape = ag_tape_new(), .dtype = AG_F64};
    binding list[2] = {{.name = (char[]){"x"}}, {.name = (char[]){"A"}}};
    fault f = {0};
    if (!e.tape) return;
    list[0].x = ag_set_name(ag_leaf(e.tape, AG_F64, (double[]){0.5, 1, 2}, AG_SHAPE(3), AG_REQUIRES_GRAD), "x");
    list[1].x = ag_set_name(ag_leaf(e.tape, AG_F64, (double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(2, 3), AG_REQUIRES_GRAD), "A");
    e.bindings = list;
    e.count = 2;
    const ag_tensor *y = eval_program(&e, p, in, &f);
    if (!y != (f.code != 0)) abort();
    ag_tape_free(e.tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    source in = {"fuzz", (const char *)data, size};
    program p;
    fault f = {0};
    bool good = program_parse(&p, &in, &f);
    if (good == (f.code != 0)) abort();
    if (good) round_trip(&p);
    if (good && is_small(&p)) evaluate(&p, &in);
    FILE *sink = good ? NULL : fopen("/dev/null", "w");
    if (sink) {
        fault_print(&f, sink);
        fclose(sink);
    }
    program_free(&p);
    return 0;
}
