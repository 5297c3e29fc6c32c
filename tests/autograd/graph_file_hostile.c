/* ag_graph_load on files that are cut short, altered or hostile: an error of one line or a valid load, nothing else.
 * The fuzzer's target is a part of this file: what it found, and its whole corpus, are run again here. */
#include <dirent.h>

#include "graph_file.h"
#include "ops/ops.h"
#include "tools/fuzz/aggraph.c"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
    (void)data, (void)most;
    return size;
}

/* Every prefix, every changed byte */

/* Small files that hold every kind of line and of value. */
static size_t small_file(int which, unsigned char bytes[FILE_MOST]) {
    char path[64];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3), *ys[3] = {w};
    int n = 1;
    if (which == 1) {
        ag_scope_push(t, "net");
        ag_set_name(w, "we\"ight");
        ag_tensor *label = ag_from_bool(t, (bool[]){true, false, true}, AG_SHAPE(3));
        ys[0] = SUM(ag_where(label, ag_scale(w, 0.1), ag_full(t, AG_F64, AG_SHAPE(3), 2)));
    } else if (which == 2) {
        ag_seed(t, 7);
        ag_set_recording(t, false);
        ag_tensor *best = ag_topk(ag_dropout(w, 0.5), 2, 0, &ys[1]);
        ag_set_name(ys[1], "index");
        ys[0] = ag_cast(best, AG_F32);
        ys[2] = ag_from_f32(t, NULL, AG_SHAPE(0, 3));
        n = 3;
    }
    cr_assert(ag_graph_save(ys, n, file_begin(path)), "%s", ag_tape_message(t));
    size_t size = file_read(path, bytes);
    file_end(path);
    ag_tape_free(t);
    return size;
}

enum { SMALL_FILES = 3 };

/* Loads the bytes onto a tape that holds something already: it must hold exactly that after an error. */
static bool loads(ag_tape *t, const char *path, const unsigned char *bytes, size_t n) {
    ag_tensor *out[4];
    ag_mark here = ag_tape_mark(t);
    int64_t size = ag_tape_size(t);
    int scopes = ag_scope_count(t);
    file_write(path, bytes, n);
    int count = ag_graph_load(t, path, out, 4);
    cr_assert_eq(count < 0, ag_tape_status(t) != AG_OK);
    if (count < 0) {
        const char *message = ag_tape_message(t);
        cr_assert(strncmp(message, "graph_load: ", 12) == 0 && !strchr(message, '\n'), "%s", message);
        cr_assert_eq(ag_tape_size(t), size);
        cr_assert_eq(ag_scope_count(t), scopes);
        cr_assert(!out[0] && !out[3]);
        ag_tape_clear(t);
    }
    cr_assert(ag_tape_rewind(t, here));
    return count >= 0;
}

static ag_tape *used_tape(void) {
    ag_tape *t = ag_tape_new();
    ag_scope_push(t, "mine");
    ag_dropout_mask(t, AG_F32, AG_SHAPE(3), 0.5);
    assert_ok(t);
    return t;
}

Test(graph_hostile, every_prefix_is_an_error) {
    static unsigned char bytes[FILE_MOST];
    char path[64];
    ag_tape *t = used_tape();
    file_begin(path);
    for (int which = 0; which < SMALL_FILES; which++) {
        size_t n = small_file(which, bytes);
        cr_assert(loads(t, path, bytes, n));
        for (size_t cut = 0; cut < n; cut++) {
            cr_assert_not(loads(t, path, bytes, cut), "file %d, %zu of %zu bytes", which, cut, n);
        }
        bytes[n] = 0;
        cr_assert_not(loads(t, path, bytes, n + 1), "one byte too many");
    }
    file_end(path);
    ag_tape_free(t);
}

Test(graph_hostile, every_changed_byte_is_an_error) {
    static const unsigned char patterns[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x55};
    static unsigned char bytes[FILE_MOST];
    char path[64];
    ag_tape *t = used_tape();
    file_begin(path);
    for (int which = 0; which < SMALL_FILES; which++) {
        size_t n = small_file(which, bytes);
        for (size_t at = 0; at < n; at++) {
            for (int p = 0; p < COUNT_OF(patterns); p++) {
                bytes[at] ^= patterns[p];
                cr_assert_not(loads(t, path, bytes, n), "file %d, byte %zu ^ %02x", which, at, patterns[p]);
                bytes[at] ^= patterns[p];
            }
        }
        cr_assert(loads(t, path, bytes, n));
    }
    file_end(path);
    ag_tape_free(t);
}

/* With a checksum that fits, a changed byte may load or not; it never does anything else. */
Test(graph_hostile, every_changed_byte_under_a_good_checksum_loads_or_is_an_error) {
    static const unsigned char patterns[] = {0x01, 0x04, 0x10, 0x20, 0x80, 0xFF};
    static unsigned char bytes[FILE_MOST];
    static char sealed[5 * FILE_MOST];
    enum { FIRST = 27 };
    char path[64];
    ag_tape *t = used_tape();
    file_begin(path);
    for (int which = 0; which < SMALL_FILES; which++) {
        size_t n = small_file(which, bytes), loaded = 0;
        for (size_t at = FIRST; at < n; at++) {
            for (int p = 0; p < COUNT_OF(patterns); p++) {
                bytes[at] ^= patterns[p];
                int first = snprintf(sealed, sizeof sealed, "aggraph 1 %016llx\n",
                                     (unsigned long long)checksum(bytes + FIRST, n - FIRST));
                memcpy(sealed + first, bytes + FIRST, n - FIRST);
                loaded += loads(t, path, (unsigned char *)sealed, n);
                bytes[at] ^= patterns[p];
            }
        }
        cr_assert_gt(loaded, 0, "values may be anything");
    }
    file_end(path);
    ag_tape_free(t);
}

/* Files made to mislead: the text behind the first line, the values, and a part of the message */

typedef struct row {
    const char *text;
    const char *values;
    size_t bytes;
    const char *message;
} row;

#define ONE "\0\0\x80\x3f\0\0\0\0" /* 1.0f, padded */
#define L "%0 = leaf f32 () grad\n"

static const row rows[] = {
    {"", "", 0, "the file is cut short"},
    {"data\n", "", 0, "line 2: expected scope, %n or out"},
    {L "data\n", ONE, 8, "line 3: expected scope, %n or out"},
    {L "out\ndata\n", ONE, 8, "line 3: expected out %n"},
    {L "out %1\ndata\n", ONE, 8, "line 3: an out is no tensor of an earlier line"},
    {L "out %0 \ndata\n", ONE, 8, "line 3: an out is no tensor of an earlier line"},
    {L "out %0.0\ndata\n", ONE, 8, "line 3: an out is no tensor"},
    {L "out %0x\ndata\n", ONE, 8, "line 3: expected out %n"},
    {L "out %0\nout %0\ndata\n", ONE, 8, "line 4: expected the line data, and nothing else, after out"},
    {L "out %0\ndata\n", ONE ONE, 16, "line 4: 8 bytes are left over"},
    {L "out %0\ndata\n", "", 0, "line 2: the leaf's 1 elements are not in the file"},
    {"%0 = leaf f32 (3)\nout %0\ndata\n", ONE, 8, "line 2: the leaf's 3 elements are not in the file"},
    {"%0 = leaf f32 (4611686018427387904)\nout %0\ndata\n", ONE, 8, "line 2: leaf: a shape of 1 axes has more elements"},
    {"%0 = leaf f64 (4194305,4194305,211106198978564)\nout %0\ndata\n", ONE, 8, "has more elements than memory has bytes"},
    {"%0 = leaf f32 (99999999999999999999)\nout %0\ndata\n", ONE, 8, "line 2: a shape is at most 8 extents in parentheses"},
    {"%0 = leaf f32 (1,1,1,1,1,1,1,1,1)\nout %0\ndata\n", ONE, 8, "a shape is at most 8 extents"},
    {"%0 = leaf f32 (-1)\nout %0\ndata\n", ONE, 8, "a shape is at most 8 extents"},
    {"%0 = leaf f32 (01)\nout %0\ndata\n", ONE, 8, "a shape is at most 8 extents"},
    {"%0 = leaf f16 ()\nout %0\ndata\n", ONE, 8, "line 2: expected leaf, a dtype and a shape like f32 (2,3)"},
    {"%0 = leaf i64 () grad\nout %0\ndata\n", ONE, 8, "only f32 and f64 have gradients"},
    {"%0 = leaf f32 () full persistent\nout %0\ndata\n", ONE, 8, "a leaf is full or persistent, not both"},
    {"%0 = leaf f32 () hat\nout %0\ndata\n", ONE, 8, "' hat' does not belong to a leaf"},
    {"%0 = leaf f32 () persistent key 3\nout %0\ndata\n", ONE, 8, "a key is a persistent i64 ()"},
    {"%0 = leaf i64 () persistent key 9223372036854775807\nout %0\ndata\n", ONE, 8, "a key is a persistent i64 ()"},
    {"%0 = leaf bool (3)\nout %0\ndata\n", "\1\0\2\0\0\0\0\0", 8, "element 2 of a bool leaf is 2"},
    {"%0 = leaf f32 () \"x\nout %0\ndata\n", ONE, 8, "a name does not end, or holds a bad escape"},
    {"%0 = leaf f32 () \"\\q\"\nout %0\ndata\n", ONE, 8, "a name does not end, or holds a bad escape"},
    {"%0 = leaf f32 () \"\\x00\"\nout %0\ndata\n", ONE, 8, "a name does not end, or holds a bad escape"},
    {"%0 = leaf f32 () scope 1\nout %0\ndata\n", ONE, 8, "no such scope"},
    {"scope 1 \"a\"\n" L "out %0\ndata\n", ONE, 8, "line 2: expected scope, the number of an earlier one, and a name"},
    {"scope 0 a\n" L "out %0\ndata\n", ONE, 8, "line 2: expected scope"},
    {L "%1 = exq %0\nout %1\ndata\n", ONE, 8, "line 3: unknown op 'exq'; make it known with ag_op_register before loading"},
    {L "%1 = \"a\\x0ab\" %0\nout %1\ndata\n", ONE, 8, "line 3: unknown op 'a b'"},
    {L "%1 = exp\nout %1\ndata\n", ONE, 8, "line 3: exp: takes 1 input(s), not 0"},
    {L "%1 = exp %1\nout %1\ndata\n", ONE, 8, "line 3: input 0 is no tensor of an earlier line"},
    {L "%1 = exp %0 : a=1\nout %1\ndata\n", ONE, 8, "line 3: exp has no attributes"},
    {L "%1 = exp %0 hat\nout %1\ndata\n", ONE, 8, "' hat' does not belong to an op"},
    {L "%1 = scale %0\nout %1\ndata\n", ONE, 8, "line 3: scale needs the attribute 'factor'"},
    {L "%1 = scale %0 : factor=one\nout %1\ndata\n", ONE, 8, "line 3: scale: factor='one': expected a number"},
    {L "%1 = sum %0 : axes=5\nout %1\ndata\n", ONE, 8, "line 3: sum: "},
    {L "%1 = assign %0 %0\nout %1\ndata\n", ONE, 8, "assign writes leaves; effects have no place in a graph file"},
    {L "%1 = reshape %0 : shape=1\n%2 = topk %1 : k=1 axis=0\n%3 = exp %2\nout %3\ndata\n", ONE, 8, "take one with ag_part"},
    {L "%0.1 \"x\"\nout %0\ndata\n", ONE, 8, "line 3: expected a part like %3.1"},
    {L "%1 = expand %0 : shape=1000000,1000000,1000\n%2 = sum %1\nout %2\ndata\n", ONE, 8,
     "line 3: expand: takes 1e+15 operations"},
    {"%0 = leaf f32 (1000000000000) full\n%1 = exp %0\nout %1\ndata\n", ONE, 8, "line 3: "},
    {"%0 = leaf f32 (0,1000000000000000) full\n%1 = softmax %0 : axis=1\nout %1\ndata\n", ONE, 8, "line 3: softmax: takes"},
    {"%0 = leaf f32 (100000,100000) full\n%1 = matmul %0 %0\nout %1\ndata\n", ONE, 8, "line 3: out of memory"},
    {L "%1 = dropout_mask : shape=30000,30000\nout %1\ndata\n", ONE, 8, "out of memory"},
};

Test(graph_hostile, a_file_made_to_mislead_gets_a_clear_sentence) {
    static char file[5 * FILE_MOST];
    static unsigned char body[FILE_MOST];
    char path[64];
    file_begin(path);
    for (int i = 0; i < COUNT_OF(rows); i++) {
        ag_tape *t = used_tape();
        ag_tensor *out[1];
        size_t text = strlen(rows[i].text);
        memcpy(body, rows[i].text, text);
        memcpy(body + text, rows[i].values, rows[i].bytes);
        file_write(path, file, seal(body, text + rows[i].bytes, file));
        cr_assert_eq(ag_graph_load(t, path, out, 1), -1, "row %d loads: %s", i, rows[i].text);
        cr_assert(strstr(ag_tape_message(t), rows[i].message), "row %d, %s: %s", i, rows[i].text, ag_tape_message(t));
        cr_assert_not(strchr(ag_tape_message(t), '\n'));
        ag_tape_free(t);
    }
    file_end(path);
}

/* What seal() would put right, as it stands. */
static const struct {
    const char *bytes, *message;
} raw[] = {{"", "this is not an .aggraph file"},
           {"%PDF-1.4", "this is not an .aggraph file"},
           {"aggraph", "this is not an .aggraph file"},
           {"aggraph 1", "the file is cut short"},
           {"aggraph 2 0123456789abcdef\n", "the format's version is not 1, which is all that this library reads"},
           {"aggraph 12 123456789abcdef\n", "the format's version is not 1"},
           {"aggraph 1 0123456789abcdef\nout\ndata\n", "the checksum differs: the file is damaged or cut short"}};

Test(graph_hostile, what_is_no_graph_file_is_told_so) {
    char path[64];
    ag_tape *t = ag_tape_new();
    ag_tensor *out[1];
    file_begin(path);
    for (int i = 0; i < COUNT_OF(raw); i++) {
        file_write(path, raw[i].bytes, strlen(raw[i].bytes));
        cr_assert_eq(ag_graph_load(t, path, out, 1), -1);
        assert_error(t, AG_ERR_IO, raw[i].message);
    }
    file_end(path);
    cr_assert_eq(ag_graph_load(t, path, out, 1), -1);
    assert_error(t, AG_ERR_IO, "No such file or directory");
    cr_assert_eq(ag_graph_load(t, "/tmp", out, 1), -1);
    assert_error(t, AG_ERR_IO, "graph_load: /tmp: Is a directory");
    cr_assert_eq(ag_graph_load(t, "/dev/zero", out, 1), -1);
    assert_error(t, AG_ERR_IO, "this is not an .aggraph file");
    cr_assert_eq(ag_graph_load(t, NULL, out, 1), -1);
    assert_error(t, AG_ERR_ARGUMENT, "path or out is NULL");
    cr_assert_eq(ag_graph_load(NULL, path, out, 1), -1);
    ag_tape_free(t);
}

/* The fuzzer's corpus */

Test(graph_hostile, the_corpus_of_the_fuzzer_passes) {
    static const char folder[] = AG_SOURCE_TREE "/tests/autograd/corpus";
    static unsigned char bytes[FILE_MOST];
    char path[1400];
    DIR *corpus = opendir(folder);
    cr_assert(corpus, "%s cannot be read", folder);
    int count = 0;
    for (struct dirent *file; (file = readdir(corpus)) != NULL;) {
        if (file->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        LLVMFuzzerTestOneInput(bytes, file_read(path, bytes)); /* aborts on a finding */
        count++;
    }
    closedir(corpus);
    cr_assert_gt(count, 50, "the corpus holds %d files", count);
}
