/* attributes.c: texts and names among a user op's attributes, inputs that may be missing, and calls that are composed:
 * given, printed, read back, saved and loaded. */
#include <stddef.h>
#include <string.h>

#include "graph_file.h"
#include "ops/ops.h"

/* y = x, with a remark and a mood */

typedef struct remark_attrs {
    int mood;
    char text[AG_TEXT_SIZE];
} remark_attrs;

static const ag_attr_field remark_fields[] = {{"mood", AG_ATTR_CHOICE, offsetof(remark_attrs, mood), "calm|merry|sad"},
                                              {"text", AG_ATTR_TEXT, offsetof(remark_attrs, text), "\"\""},
                                              {0}};

static bool remark_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag_out_like(y, 0, ag_in(y, 0)); }
static bool remark_run(ag_tensor *y) {
    return ag_read(ag_in(y, 0), ag_out_data(y, 0)) || ag_op_fail(y, AG_ERR_STATE, "cannot read");
}
static bool remark_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    return (d[0] = g[0]) != NULL;
}
static const ag_op remark = {.size = sizeof(ag_op),
                             .name = "test_remark",
                             .arity = 1,
                             .attr_size = sizeof(remark_attrs),
                             .attrs = remark_fields,
                             .shape = remark_shape,
                             .run = remark_run,
                             .grad = remark_grad};

/* x · scale + shift, both of which may be missing; with neither, a node of its own */

static bool affine_plain(const ag_tensor *y) { return ag_in_count(y) == 1; }
static ag_tensor *affine_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    if (ag_in(y, 1)) x = ag_mul(x, ag_in(y, 1));
    return ag_in(y, 2) ? ag_add(x, ag_in(y, 2)) : ag_alias(x);
}
static const ag_op affine = {.size = sizeof(ag_op),
                             .name = "test_affine",
                             .arity = 1,
                             .optional = 2,
                             .shape = remark_shape,
                             .run = remark_run,
                             .grad = remark_grad,
                             .compose = affine_compose,
                             .plain = affine_plain};

static ag_tape *begin(ag_tensor **x) {
    ag_tape *t = ag_tape_new();
    cr_assert(ag_op_register(&remark) && ag_op_register(&affine), "%s", ag_last_message());
    *x = ag_from_f64(t, (const double[]){1, 2}, AG_SHAPE(2));
    return t;
}

static const remark_attrs *said(ag_tensor *x, const char *attributes) {
    ag_tensor *y = ag_call(ag_tape_of(x), "test_remark", &x, 1, attributes);
    cr_assert(y, "%s: %s", attributes, ag_tape_message(ag_tape_of(x)));
    return ag_attrs(y);
}

Test(attributes, texts_are_read) {
    ag_tensor *x;
    ag_tape *t = begin(&x);
    cr_assert_str_eq(said(x, "")->text, "");
    cr_assert_eq(said(x, "")->mood, 0);
    cr_assert_eq(said(x, "mood=calm")->mood, 0);
    cr_assert_eq(said(x, "mood=sad text=\"\"")->mood, 2);
    cr_assert_str_eq(said(x, "text=ij,jk->ik mood=merry")->text, "ij,jk->ik");
    cr_assert_str_eq(said(x, "text=\"ij, jk -> ik\" mood=merry")->text, "ij, jk -> ik");
    cr_assert_str_eq(said(x, "text=\"a;b=(c\"")->text, "a;b=(c");
    cr_assert_str_eq(said(x, "text=\"\\\"\\\\\\x0a\xc3\xa9\"")->text, "\"\\\n\xc3\xa9");
    cr_assert_str_eq(said(x, "text=a\\b")->text, "a\\b"); /* outside quotes, no escapes */
    char longest[AG_TEXT_SIZE + 8] = "text=";
    memset(longest + 5, 'z', AG_TEXT_SIZE - 1);
    cr_assert_eq(strlen(said(x, longest)->text), AG_TEXT_SIZE - 1);
    ag_tape_free(t);
}

Test(attributes, wrong_texts_are_refused) {
    static const char *const wrong[] = {"text=\"a",      "text=\"a\"b",    "text=a\"b", "text=\"\\q\"",
                                        "text=\"\\x0\"", "text=\"\\x00\"", "text=",     "text=\"\n\"",
                                        "mood=",         "mood=0",         "mood=cal",  "mood=calm|merry",
                                        "mood=\"calm\"", "mood=sadder"};
    ag_tensor *x;
    ag_tape *t = begin(&x);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_null(ag_call(t, "test_remark", &x, 1, wrong[i]), "%s", wrong[i]);
        assert_error(t, AG_ERR_ARGUMENT, "test_remark");
    }
    char longer[AG_TEXT_SIZE + 8] = "text=";
    memset(longer + 5, 'z', AG_TEXT_SIZE);
    cr_assert_null(ag_call(t, "test_remark", &x, 1, longer));
    assert_error(t, AG_ERR_ARGUMENT, "at most 255 bytes");
    cr_assert_null(ag_call(t, "test_remark", &x, 1, "mood=angry"));
    assert_error(t, AG_ERR_ARGUMENT, "mood='angry': expected calm|merry|sad");
    ag_tape_free(t);
}

Test(attributes, texts_are_printed_cloned_and_saved) {
    static const char *const texts[] = {"text=a", "text=\"\\\"\\\\\\x0a \\x7f;\" mood=sad", "mood=merry text=\"->\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ag_tensor *x, *loaded, *copy;
        ag_tape *t = begin(&x), *other = ag_tape_new();
        char once[4 * AG_TEXT_SIZE], again[4 * AG_TEXT_SIZE];
        ag_tensor *y = ag_call(t, "test_remark", &x, 1, texts[i]);
        ag_attr_text(y, once, sizeof once);
        ag_attr_text(ag_call(t, "test_remark", &x, 1, once), again, sizeof again);
        cr_assert_str_eq(once, again);
        file_round_trip(&y, 1, other, &loaded);
        cr_assert(ag_clone(other, &y, 1, AG_DTYPE_COUNT, 0, &copy), "%s", ag_tape_message(other));
        ag_attr_text(copy, again, sizeof again);
        cr_assert_str_eq(once, again);
        ag_tape_free(t);
        ag_tape_free(other);
    }
}

Test(attributes, inputs_may_be_missing) {
    ag_tensor *x;
    ag_tape *t = begin(&x);
    ag_tensor *two = ag_scalar(t, AG_F64, 2), *one = ag_scalar(t, AG_F64, 1);
    assert_values(ag_call(t, "test_affine", &x, 1, NULL), 0, 1, 2);
    cr_assert_str_eq(ag_op_name(ag_call(t, "test_affine", (ag_tensor *[]){x, NULL, NULL}, 3, NULL)), "test_affine");
    assert_values(ag_call(t, "test_affine", (ag_tensor *[]){x, two}, 2, NULL), 0, 2, 4);
    assert_values(ag_call(t, "test_affine", (ag_tensor *[]){x, two, one}, 3, NULL), 0, 3, 5);
    assert_values(ag_call(t, "test_affine", (ag_tensor *[]){x, NULL, one}, 3, NULL), 0, 2, 3);
    cr_assert_null(ag_call(t, "test_affine", (ag_tensor *[]){x, two, one, one}, 4, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "test_affine: takes 1 to 3 inputs, not 4");
    cr_assert_null(ag_call(t, "test_affine", (ag_tensor *[]){NULL, two}, 2, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "test_affine: input 0, a, is NULL");
    ag_tape_free(t);
}
