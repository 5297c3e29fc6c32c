/* ag_profile_…: what is counted, for whom, the table, and a trace that other programs read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

enum { ROOM = 1 << 16 };

/* The numbers of a row of the table; the row of `name` stands at the beginning of a line. */
typedef struct line {
    long long runs;
    double forward, backward, bytes, flops;
} line;

static const char *find_line(const char *table, const char *name) {
    size_t n = strlen(name);
    for (const char *at = table; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (!strncmp(at, name, n) && at[n] == ' ') return at + n;
    }
    return NULL;
}

static line read_line(const char *table, const char *name) {
    line l = {0};
    char bytes[32] = "", flops[32] = "";
    const char *at = find_line(table, name);
    cr_assert(at, "%s is not in\n%s", name, table);
    int got = sscanf(at, "%lld %lf %lf %31s %31s", &l.runs, &l.forward, &l.backward, bytes, flops);
    cr_assert_eq(got, 5, "%.100s", at);
    l.bytes = strtod(bytes, NULL);
    l.flops = strtod(flops, NULL);
    return l;
}

static ag_tensor *layer(ag_tape *t, ag_tensor *x, ag_tensor *w, const char *name) {
    ag_scope_push(t, name);
    ag_tensor *y = ag_tanh(ag_matmul(x, w));
    ag_scope_pop(t);
    return y;
}

/* Two layers of one net and a loss; 9 nodes forward. */
static ag_tensor *forward(ag_tape *t, ag_tensor *w) {
    ag_tensor *x = ag_full(t, AG_F32, AG_SHAPE(32, 32), 0.25);
    ag_scope_push(t, "net");
    x = layer(t, layer(t, x, w, "first"), w, "second");
    ag_scope_pop(t);
    return ag_mean(x, ag_axes_list(NULL, 0), false);
}

Test(profile, counts_forward_and_backward_by_op_and_by_scope) {
    static char table[ROOM];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(32, 32));
    ag_fill_uniform(w, -0.2, 0.2);
    forward(t, w); /* not counted */
    cr_assert(ag_profile_start(t));
    for (int i = 0; i < 3; i++) cr_assert(ag_backward(forward(t, w)));
    cr_assert(ag_profile_stop(t));
    forward(t, w); /* neither */
    cr_assert_eq(ag_profile_text(t, table, sizeof table), table);
    line matmul = read_line(table, "matmul"), mean = read_line(table, "mean"), all = read_line(table, "all");
    cr_assert_eq(matmul.runs, 3 * (2 + 3), "each pass: two forward, and three gradients, x being a constant");
    cr_assert(matmul.forward > 0 && matmul.backward > 0 && matmul.flops > 0);
    cr_assert(mean.runs == 3 && mean.forward > 0 && mean.backward == 0);
    cr_assert(all.runs > matmul.runs + mean.runs && all.forward >= matmul.forward && all.backward >= matmul.backward);
    line net = read_line(table, "net"), first = read_line(table, "net/first"), second = read_line(table, "net/second");
    cr_assert_eq(net.runs, first.runs + second.runs, "a scope includes those inside");
    cr_assert(first.backward > 0 && second.backward > 0, "a rule counts for the node it belongs to");
    cr_assert_eq(second.runs - first.runs, 3 * 2, "the gradient of the second layer's input: a product of a view\n%s",
                 table);
    cr_assert_eq(read_line(table, "(no scope)").runs + net.runs, all.runs);
    ag_tape_free(t);
}

Test(profile, what_ag_gradients_records_is_backward) {
    static char table[ROOM];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *y = SUM(ag_exp(w)), *g;
    cr_assert(ag_profile_start(t) && ag_gradients(&y, NULL, 1, &w, 1, &g));
    ag_exp(w);
    cr_assert(ag_profile_stop(t));
    line mul = read_line(ag_profile_text(t, table, sizeof table), "mul"), exp = read_line(table, "exp");
    cr_assert(mul.backward > 0 && mul.forward == 0, "%s", table);
    cr_assert(exp.backward == 0 && exp.forward > 0, "and after it nothing is: %s", table);
    ag_tape_free(t);
}

Test(profile, states_flops_and_bytes) {
    static const struct {
        const char *op;
        double flops, bytes;
    } expected[] = {
        {"matmul", 2. * 6 * 5 * 4 * 3, 8 * (6 * 4 * 3 + 3 * 5 + 6 * 4 * 5)},
        {"cholesky", 2 * 27 / 3., 8 * 2 * 18},
        {"solve_triangular", 9 * 2, 8 * (9 + 2 * 6)},
        {"conv2d", 2. * (2 * 4 * 3 * 4) * (2 * 3 * 2), 8 * (2 * 2 * 5 * 5 + 4 * 2 * 3 * 2 + 2 * 4 * 3 * 4)},
        {"conv2d_weight", 2. * (2 * 4 * 3 * 4) * (2 * 3 * 2), 8 * (2 * 4 * 3 * 4 + 2 * 2 * 5 * 5 + 4 * 2 * 3 * 2)},
        {"conv2d_input", 2. * (2 * 4 * 3 * 4) * (2 * 3 * 2), 8 * (2 * 4 * 3 * 4 + 4 * 2 * 3 * 2 + 2 * 2 * 5 * 5)},
        {"linear", 2. * 6 * 4 * 3 * 2, 8 * (6 * 4 * 3 + 2 * 3 + 2 + 6 * 4 * 2)},
        {"tanh", 30, 8 * 2 * 30},
        {"sum", 30, 8 * (30 + 1)},
        {"add", 30, 8 * (6 + 1 + 30)}, /* what is expanded is read once */
        {"transpose", 0, 0}};
    static char text[ROOM], path[] = "/tmp/autograd-profile-XXXXXX";
    ag_tape *t = ag_tape_new();
    uint64_t state = 1;
    ag_tensor *a = check_leaf(t, AG_F64, AG_SHAPE(6, 4, 3), 0, 0, 1, &state),
              *b = check_leaf(t, AG_F64, AG_SHAPE(3, 5), 0, 0, 1, &state);
    ag_tensor *d = ag_from_f64(t, (double[]){4, 1, 1, 1, 4, 1, 1, 1, 4}, AG_SHAPE(3, 3)),
              *pair = ag_contiguous(ag_expand(d, AG_SHAPE(2, 3, 3)));
    ag_tensor *x = check_leaf(t, AG_F64, AG_SHAPE(2, 2, 5, 5), 0, 0, 1, &state),
              *w = check_leaf(t, AG_F64, AG_SHAPE(4, 2, 3, 2), 0, 0, 1, &state);
    ag_tensor *v = check_leaf(t, AG_F64, AG_SHAPE(5, 6), 0, 0, 1, &state), *row = ag_slice(v, 0, 0, 1, 1);
    ag_tensor *many = ag_expand(row, AG_SHAPE(5, 6));
    ag_tensor *lines = check_leaf(t, AG_F64, AG_SHAPE(2, 3), 0, 0, 1, &state), *bias = DATA(t, 1, 2);
    cr_assert(ag_profile_start(t));
    ag_matmul(a, b);
    ag_cholesky(pair);
    ag_solve_triangular(d, ag_slice(b, 1, 0, 2, 1), false, false);
    ag_tensor *y = ag_conv2d(x, w, NULL);
    ag_conv2d_weight(y, x, ag_shape_of(w), NULL);
    ag_conv2d_input(y, w, ag_shape_of(x), NULL);
    ag_linear(a, lines, bias);
    ag_tanh(v);
    SUM(v);
    ag_add(many, ag_full(t, AG_F64, AG_SHAPE(5, 6), 1));
    ag_transpose(v, 0, 1);
    assert_ok(t);
    cr_assert(ag_profile_stop(t));
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0 && ag_profile_trace(t, path), "%s", ag_tape_message(t));
    FILE *in = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    unlink(path);
    for (int i = 0; i < COUNT_OF(expected); i++) {
        char name[64];
        double bytes, flops;
        snprintf(name, sizeof name, "{\"name\":\"%s\"", strcmp(expected[i].op, "transpose") ? expected[i].op : "permute");
        const char *at = strstr(text, name), *numbers = at ? strstr(at, "\"bytes\":") : NULL;
        cr_assert(numbers && sscanf(numbers, "\"bytes\":%lf,\"flops\":%lf", &bytes, &flops) == 2, "%s: %s", name, text);
        cr_assert_eq(flops, expected[i].flops, "%s: %g flops", expected[i].op, flops);
        cr_assert_eq(bytes, expected[i].bytes, "%s: %g bytes", expected[i].op, bytes);
    }
    ag_tape_free(t);
}

/* The trace is JSON, and its slices nest */

typedef struct parser {
    const char *at;
    bool good;
} parser;

static void blanks(parser *p) { p->at += strspn(p->at, " \t\r\n"); }

static void take(parser *p, const char *word) {
    size_t n = strlen(word);
    p->good = p->good && !strncmp(p->at, word, n);
    p->at += p->good ? (long)n : 0;
    blanks(p);
}

static void string(parser *p) {
    p->good = p->good && *p->at == '"';
    for (p->at++; p->good && *p->at != '"'; p->at++) {
        p->good = (unsigned char)*p->at >= 0x20;
        if (*p->at != '\\') continue;
        p->at++;
        p->good = p->good && *p->at && strchr("\"\\/bfnrtu", *p->at);
        for (int i = 0; p->good && *p->at == 'u' && i < 4; i++)
            p->good = strchr("0123456789abcdefABCDEF", p->at[1 + i]) != NULL;
        if (p->good && *p->at == 'u') p->at += 4;
    }
    take(p, "\"");
}

static void value(parser *p, int depth) {
    if (!p->good || depth > 10) {
        p->good = false;
    } else if (*p->at == '"') {
        string(p);
    } else if (*p->at == '{' || *p->at == '[') {
        bool object = *p->at == '{';
        take(p, object ? "{" : "[");
        for (bool first = true; p->good && *p->at != (object ? '}' : ']'); first = false) {
            if (!first) take(p, ",");
            if (object) string(p), take(p, ":");
            value(p, depth + 1);
        }
        take(p, object ? "}" : "]");
    } else {
        size_t n = strspn(p->at, "-+.eE0123456789");
        p->good = n > 0 && *p->at != '.' && *p->at != '+';
        p->at += n;
        blanks(p);
    }
}

static char *traced(ag_tape *t, char text[ROOM]) {
    char path[] = "/tmp/autograd-profile-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0 && ag_profile_trace(t, path), "%s", ag_tape_message(t));
    FILE *in = fopen(path, "r");
    size_t n = fread(text, 1, ROOM - 1, in);
    text[n] = '\0';
    cr_assert_lt(n, ROOM - 1);
    fclose(in);
    unlink(path);
    parser p = {text, true};
    blanks(&p);
    value(&p, 0);
    cr_assert(p.good && !*p.at, "JSON ends at: %.60s", p.at);
    return text;
}

Test(profile, the_trace_is_json_whose_slices_nest) {
    static char text[ROOM];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(32, 32));
    cr_assert(ag_profile_start(t));
    ag_scope_push(t, "a \"name\" \\ \n\x01 \xC3\xA9 \xFF \xE2\x82 \xED\xA0\x80");
    cr_assert(ag_backward(forward(t, w)));
    ag_scope_pop(t);
    cr_assert(ag_backward(forward(t, w)));
    cr_assert(ag_profile_stop(t));
    traced(t, text);
    int depth = 0, deepest = 0, events = 0;
    double last = 0;
    for (const char *at = text; (at = strstr(at, "\"ph\":\"")) != NULL; at += 6) {
        double ts;
        cr_assert_eq(sscanf(strstr(at, "\"ts\":"), "\"ts\":%lf", &ts), 1);
        cr_assert_geq(ts, last, "times do not run backward");
        last = ts;
        depth += (at[6] == 'B') - (at[6] == 'E');
        events += at[6] == 'X';
        deepest = depth > deepest ? depth : deepest;
        cr_assert_geq(depth, 0);
    }
    cr_assert_eq(depth, 0, "every slice ends");
    cr_assert_eq(deepest, 4, "backward, the odd name, net, a layer");
    cr_assert_gt(events, 20);
    cr_assert(
        strstr(
            text,
            "{\"name\":\"a \\\"name\\\" \\\\ \\u000a\\u0001 \xC3\xA9 \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\""),
        "%s", text);
    ag_tape_free(t);
}

/* How it is used */

Test(profile, starting_again_forgets_and_the_table_outlives_rewinds) {
    static char table[ROOM];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2);
    ag_mark here = ag_tape_mark(t);
    cr_assert(ag_profile_start(t));
    ag_exp(w);
    cr_assert(ag_profile_start(t));
    ag_sin(w);
    ag_profile_text(t, table, sizeof table);
    cr_assert_eq(read_line(table, "sin").runs, 1, "it can be read while it runs");
    cr_assert(ag_profile_stop(t) && ag_tape_rewind(t, here));
    cr_assert_null(find_line(ag_profile_text(t, table, sizeof table), "exp"));
    cr_assert_eq(read_line(table, "sin").runs, 1);
    ag_tape_free(t);
}

Test(profile, says_what_is_wrong) {
    char text[200];
    ag_tape *t = ag_tape_new();
    cr_assert_not(ag_profile_start(NULL));
    cr_assert_not(ag_profile_stop(t));
    assert_error(t, AG_ERR_STATE, "profile_stop: no profile was started on this tape");
    cr_assert_not(ag_profile_trace(t, "/tmp/x"));
    assert_error(t, AG_ERR_STATE, "profile_trace: no profile was started on this tape");
    cr_assert(strstr(ag_profile_text(t, text, sizeof text), "no profile"));
    cr_assert(strstr(ag_profile_text(NULL, text, sizeof text), "no profile"));
    cr_assert(ag_profile_start(t) && ag_profile_stop(t));
    cr_assert_not(ag_profile_trace(t, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "profile_trace: the path is NULL");
    cr_assert_not(ag_profile_trace(t, "/tmp/autograd-no-such-folder/x"));
    assert_error(t, AG_ERR_IO, "profile_trace: cannot write '/tmp/autograd-no-such-folder/x': No such file or directory");
    cr_assert_str_eq(ag_profile_text(t, text, 10), text);
    cr_assert_eq(strlen(text), 9, "cut to the room there is");
    ag_tape_free(t);
}

/* More runs than events are kept: the table has them all, the trace says what it lacks. */
Test(profile, a_long_run_is_counted_whole) {
    static char table[ROOM];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = number(t, 1);
    ag_mark here = ag_tape_mark(t);
    size_t before = ag_tape_bytes(t);
    cr_assert(ag_profile_start(t));
    for (int i = 0; i < 1100; i++) {
        for (int k = 0; k < 1000; k++) ag_neg(w);
        ag_tape_rewind(t, here);
    }
    cr_assert(ag_profile_stop(t));
    ag_profile_text(t, table, sizeof table);
    cr_assert_eq(read_line(table, "neg").runs, 1100000);
    cr_assert(strstr(table, "the trace lacks the last 51424 of them"), "%s", table);
    cr_assert_lt(ag_tape_bytes(t) - before, (size_t)1 << 22, "a profile's memory is not the tape's");
    ag_tape_free(t);
}
