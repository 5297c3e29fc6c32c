/* registry.c: operations by name. The built-in records come from ops/ops.def, a user's own from ag_op_register; names that
 * no record has are looked for among the other names of ops/names.def. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "autograd/node.h"

enum { USER_OPS = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const ag_op *user_op[USER_OPS];
static int user_count;

const ag_op *ag_op_at(int i) {
    const int builtin = ag__op_count;
    if (i < 0) return NULL;
    if (i < builtin) return ag__ops[i];
    pthread_mutex_lock(&lock);
    const ag_op *op = i - builtin < user_count ? user_op[i - builtin] : NULL;
    pthread_mutex_unlock(&lock);
    return op;
}

const ag_op *ag_find_op(const char *name) {
    const ag_op *op;
    for (int i = 0; name && (op = ag_op_at(i)) != NULL; i++) {
        if (!strcmp(op->name, name)) return op;
    }
    for (const ag__op_name *n = ag__op_names; name && n->other; n++) {
        if (!strcmp(n->other, name)) return n->op;
    }
    return NULL;
}

const char *ag_op_input_name(const ag_op *op, int i, char *out, size_t size) {
    int n = op->arity < 0 ? -1 : op->arity + op->optional - !!(op->flags & AG_RANDOM);
    const char *names = AG__OP_HAS(op, inputs) ? op->inputs : n == 1 ? "x" : "a b c d e f g h";
    if (i < 0 || (n >= 0 && i >= n)) names = "";
    for (; i > 0 && *names; i--) {
        names += strcspn(names, " ");
        names += *names == ' ';
    }
    snprintf(out, size, "%.*s", (int)strcspn(names, " "), names);
    return out;
}

static const char *fault_of(const ag_op *op) {
    if (!op->name || !*op->name) return "it has no name";
    if (op->size < offsetof(ag_op, flops) || op->size > sizeof *op)
        return "its size is that of no ag_op that this library knows";
    if (!op->shape && !op->compose) return "it has neither shape nor compose";
    if (op->shape && !op->run && !(op->flags & AG_VIEW)) return "it has no run";
    if (op->nout < 0 || op->nout > 8) return "it has more than 8 outputs";
    if (op->attr_size && !op->attrs) return "its attributes are not described";
    if (op->writes && !(op->flags & AG_EFFECT)) return "it writes without AG_EFFECT";
    if (op->arity < -1) return "its arity is out of range";
    if (op->optional < 0 || (op->optional && (op->arity < !!op->shape || op->flags & AG_RANDOM)))
        return "inputs can be optional behind at least one that is not or in a composed op, and not before a random "
               "key";
    if (op->plain && (!op->shape || !op->compose)) return "it tells plain calls from others and lacks shape or compose";
    if (op->flags & AG_RANDOM && (!op->attrs || op->attrs[0].type != AG_ATTR_I64 || op->attrs[0].offset)) {
        return "it is random, but its attributes do not begin with int64_t draw";
    }
    return NULL;
}

bool ag_op_register(const ag_op *op) {
    if (!op) return ag__fail(NULL, AG_ERR_ARGUMENT, "op_register: the record is NULL") != NULL;
    const char *fault = fault_of(op);
    if (fault) return ag__fail(NULL, AG_ERR_ARGUMENT, "op_register: '%s': %s", op->name ? op->name : "", fault) != NULL;
    const ag_op *known = NULL;
    const int builtin = ag__op_count;
    pthread_mutex_lock(&lock); /* looking and adding are one: two threads may bring the same name */
    for (int i = 0; i < builtin + user_count && !known; i++) {
        const ag_op *other = i < builtin ? ag__ops[i] : user_op[i - builtin];
        if (!strcmp(other->name, op->name)) known = other;
    }
    bool room = known || user_count < USER_OPS;
    if (!known && room) user_op[user_count++] = op;
    pthread_mutex_unlock(&lock);
    if (known == op) return true;
    if (known) return ag__fail(NULL, AG_ERR_ARGUMENT, "op_register: the name '%s' is taken", op->name) != NULL;
    return room ||
           ag__fail(NULL, AG_ERR_MEMORY, "op_register: '%s': the table holds %d operations", op->name, USER_OPS) != NULL;
}

/* Edits between two names, for suggestions; two neighbours swapped are one. Long names are not compared. */
static int distance(const char *a, const char *b) {
    enum { LONGEST = 32 };
    int row[3][LONGEST + 1]; /* of the last two letters of a, and of this one */
    int m = (int)strlen(a), n = (int)strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;
    for (int j = 0; j <= n; j++) row[0][j] = j;
    for (int i = 1; i <= m; i++) {
        const int *above = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        int *here = row[i % 3];
        here[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            int least = here[j - 1] < above[j] ? here[j - 1] + 1 : above[j] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            here[j] = replaced < least ? replaced : least;
            if (swapped && before[j - 2] + 1 < here[j]) here[j] = before[j - 2] + 1;
        }
    }
    return row[m % 3][n];
}

/* At most two edits away; of equally near names one of the same length, two away none that is shorter. */
const char *ag__nearest_op(const char *name) {
    const char *best = NULL;
    int least = 6;
    const ag_op *op;
    for (int i = 0; (op = ag_op_at(i)) != NULL; i++) {
        int edits = distance(name, op->name), d = 2 * edits + (strlen(name) != strlen(op->name));
        if (d >= least || (edits > 1 && strlen(op->name) < strlen(name))) continue;
        least = d;
        best = op->name;
    }
    return best;
}
