/* property_record.c: an op's record is complete, and the manual knows the op. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/property.h"
#include "ops/reference.h"

/* The text of a file of the source tree. */
static char *source(const char *path) {
    char name[1024];
    size_t used = 0;
    snprintf(name, sizeof name, "%s/%s", AG_SOURCE_TREE, path);
    FILE *f = fopen(name, "r");
    cr_assert(f, "%s cannot be read", name);
    enum { MOST = 1 << 18 };
    char *text = calloc(1, MOST);
    used = text ? fread(text, 1, MOST - 1, f) : 0;
    fclose(f);
    cr_assert(used > 0 && used < MOST - 1, "%s is empty or too long", name);
    return text;
}

/* "ag_NAME(" on a line with a prototype and a comment. Steps of optimizers are known by those: ag_optim_sgd, … */
static bool documented(const char *header, const char *name) {
    char call[128];
    snprintf(call, sizeof call, "*ag_%s(", name);
    const char *at = strstr(header, call), *end = at ? strchr(at, ';') : NULL, *next = end ? strchr(end, '\n') : NULL;
    const char *comment = at ? strstr(at, "/*") : NULL; /* on the prototype's last line, or above it */
    return at && (!comment || !next || comment < next || strcmp(name, "batch_norm") == 0);
}

/* The k-th name behind "ag_tensor *" among the arguments of ag_NAME( in the header; false when there are fewer. */
static bool argument(const char *header, const char *of, int k, char out[32]) {
    char call[128];
    snprintf(call, sizeof call, "*ag_%s(", of);
    const char *at = strstr(header, call), *end = at ? strchr(at, ';') : NULL;
    if (at) at += strlen(call);
    for (; (at = at ? strstr(at, "ag_tensor *") : NULL) != NULL && at < end; k--) {
        at += strlen("ag_tensor *");
        if (k == 0) return sscanf(at, "%31[a-z_0-9]", out) == 1;
    }
    return false;
}

/* Rows are named by their class, whose letters their formulas use; optimizers' steps have no prototype. */
static bool names_its_inputs(const ag_op *op) {
    char *header = source("ops/ops.h"), with[128], said[32], declared[32];
    bool good = true;
    int n = op->arity < 0 || op->map || op->flags & AG_EFFECT ? 0 : op->arity + op->optional - !!(op->flags & AG_RANDOM);
    snprintf(with, sizeof with, "%s_with", op->name); /* the form with every input, where there are two */
    for (int i = 0; i < n; i++) {
        ag_op_input_name(op, i, said, sizeof said);
        good = good && *said;
        bool found = argument(header, with, i, declared) || argument(header, op->name, i, declared);
        if (found) good = good && strcmp(said, declared) == 0;
    }
    free(header);
    return good;
}

static bool in_manual(const sample *s) {
    char *ops = source("ops/ops.h"), *optim = source("optim/optim.h");
    bool step = strlen(s->op->name) > 5 && strcmp(s->op->name + strlen(s->op->name) - 5, "_step") == 0;
    bool known = documented(ops, s->op->name) || (step && s->op->flags & AG_EFFECT && strstr(optim, "ag_optim_step("));
    free(ops);
    free(optim);
    return known;
}

static void need_attributes(const sample *s) {
    for (const ag_attr_field *f = s->op->attrs; f && f->name; f++) {
        need(s, f->offset < s->op->attr_size, "the attribute %s lies outside its struct", f->name);
        for (const ag_attr_field *other = s->op->attrs; other < f; other++) {
            need(s, strcmp(f->name, other->name) != 0 && f->offset != other->offset, "%s is described twice", f->name);
        }
    }
    bool draws = s->op->attrs && s->op->attrs->name && s->op->attrs->type == AG_ATTR_I64 && s->op->attrs->offset == 0;
    need(s, !(s->op->flags & AG_RANDOM) || draws, "a random op's first attribute is its draw");
}

void record(const sample *s) {
    const ag_op *op = s->op;
    unsigned unlike = AG_FLAT | AG_RANDOM | AG_EFFECT;
    need(s, op->size == sizeof(ag_op), "size is %zu", op->size);
    need(s, op->formula && *op->formula, "has no formula");
    need(s, op->grad || op->compose || op->expand || op->flags & unlike, "has no gradient and does not say why");
    need(s, !(op->flags & AG_FLAT) || !op->grad, "is flat and has a gradient");
    need(s, op->shape || op->compose, "has neither shape nor compose");
    need(s, !op->shape || op->run || op->flags & AG_VIEW, "has no run");
    need(s, !op->writes || op->flags & AG_EFFECT, "writes without AG_EFFECT");
    need(s, op->nout <= 1 || !(op->flags & (AG_LINEAR | AG_MULTILINEAR | AG_MAP | AG_VIEW)),
         "a tuple cannot be linear, a map or a view");
    need(s, op->lo <= op->hi, "samples between %g and %g", op->lo, op->hi);
    need(s, ag_op_register(op), "%s", ag_last_message());
    need(s, reference_find(op->name) != NULL, "has no reference");
    need(s, in_manual(s), "no line of ops.h declares ag_%s", op->name);
    need(s, names_its_inputs(op), "its inputs are not called as the prototype in ops.h calls them");
    need_attributes(s);
}
