/* The CSV reader: every kind of good file, and one clear sentence for every kind of bad one. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "nn/nn.h"

/* Reads a file that holds these bytes. Its name in messages is FILE. */
static const ag_table *read_bytes(ag_tape *t, const char *bytes, size_t n, const ag_csv_options *options) {
    char path[] = "/tmp/autograd-csv-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
    const ag_table *table = ag_csv_read(t, path, options);
    unlink(path);
    return table;
}

static const ag_table *read_text(ag_tape *t, const char *text, const ag_csv_options *options) {
    return read_bytes(t, text, strlen(text), options);
}

static ag_csv_options with_label(const char *label) {
    ag_csv_options o = ag_csv_defaults();
    o.label = label;
    return o;
}

/* Good files */

Test(csv, numbers_and_labels) {
    ag_tape *t = ag_tape_new();
    ag_csv_options o = with_label("kind");
    const ag_table *table = read_text(t, "a,kind,b\n1,cat,2\n3,dog,4.5\n-5e-1,cat,+.25\n", &o);
    assert_ok(t);
    cr_assert_eq(table->rows, 3);
    cr_assert_eq(table->columns, 2);
    cr_assert_str_eq(table->column_name[0], "a");
    cr_assert_str_eq(table->column_name[1], "b");
    assert_shape(table->x, 3, 2);
    assert_values(table->x, 0, 1, 2, 3, 4.5, -0.5, 0.25);
    cr_assert_eq(ag_dtype_of(table->x), AG_F32);
    cr_assert_eq(ag_dtype_of(table->label), AG_I64);
    assert_values(table->label, 0, 0, 1, 0);
    cr_assert_eq(table->classes, 2);
    cr_assert_str_eq(table->class_name[0], "cat");
    cr_assert_str_eq(table->class_name[1], "dog");
    ag_tape_free(t);
}

Test(csv, everything_is_persistent) {
    ag_tape *t = ag_tape_new();
    ag_csv_options o = with_label("kind");
    ag_mark here = ag_tape_mark(t);
    int64_t before = ag_tape_size(t);
    const ag_table *table = read_text(t, "a,kind\n1,cat\n", &o);
    cr_assert_eq(ag_tape_size(t), before, "no scratch is left");
    cr_assert(ag_tape_rewind(t, here));
    assert_values(table->x, 0, 1);
    cr_assert_str_eq(table->class_name[0], "cat");
    ag_tape_free(t);
}

static const struct {
    const char *what, *text;
    int64_t rows;
    int columns;
    double last; /* element */
    const char *last_class;
} good[] = {
    {"no final newline", "a,kind\n1,x\n2,y", 2, 1, 2, "y"},
    {"CRLF", "a,kind\r\n1,x\r\n2,y\r\n", 2, 1, 2, "y"},
    {"CRLF, none at the end", "a,kind\r\n1,x\r\n2,y", 2, 1, 2, "y"},
    {"a lone CR at the end", "a,kind\n1,x\n2,y\r", 2, 1, 2, "y"},
    {"empty lines", "\n\r\na,kind\n\n1,x\n\r\n2,y\n\n\n", 2, 1, 2, "y"},
    {"a byte-order mark",
     "\xEF\xBB\xBF"
     "a,kind\n1,x\n",
     1, 1, 1, "x"},
    {"quotes", "\"a\",\"kind\"\n\"1\",\"x\"\n", 1, 1, 1, "x"},
    {"quotes and CRLF", "a,kind\r\n1,\"x\"\r\n", 1, 1, 1, "x"},
    {"separator, quote and newline in quotes", "a,kind\n1,\"x, \"\"y\"\"\nz\"\n", 1, 1, 1, "x, \"y\"\nz"},
    {"an empty text in quotes, twice a quote", "a,kind\n1,\"\"\"\"\n", 1, 1, 1, "\""},
    {"quotes up to the end of the file", "a,kind\n1,\"x\"", 1, 1, 1, "x"},
    {"spaces are part of a text", "a,kind\n1, x \n", 1, 1, 1, " x "},
    {"spaces around a number", "a,kind\n 1\t,x\n", 1, 1, 1, "x"},
    {"letters beyond ASCII", "a,kind\n1,Ænder\n", 1, 1, 1, "Ænder"},
    {"infinity", "a,kind\n-inf,x\n", 1, 1, (double)-INFINITY, "x"},
    {"not a number", "a,kind\nNaN,x\n", 1, 1, (double)NAN, "x"},
    {"too small becomes zero", "a,kind\n1e-999,x\n", 1, 1, 0, "x"},
    {"the label first", "kind,a,b\nx,1,2\n", 1, 2, 2, "x"},
};

Test(csv, good_files) {
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ag_tape *t = ag_tape_new();
        ag_csv_options o = with_label("kind");
        const ag_table *table = read_text(t, good[i].text, &o);
        char text[CHECK_TEXT] = "";
        cr_assert_not_null(table, "%s: %s", good[i].what, ag_tape_message(t));
        cr_assert_eq(table->rows, good[i].rows, "%s: %d rows", good[i].what, (int)table->rows);
        cr_assert_eq(table->columns, good[i].columns, "%s: %d columns", good[i].what, table->columns);
        cr_assert(check_close(ag_at(table->x, ag_size(table->x) - 1), good[i].last, 0, text), "%s: %s", good[i].what, text);
        cr_assert_str_eq(table->class_name[table->classes - 1], good[i].last_class, "%s: class '%s'", good[i].what,
                         table->class_name[table->classes - 1]);
        ag_tape_free(t);
    }
}

Test(csv, options) {
    ag_tape *t = ag_tape_new();
    ag_csv_options o = ag_csv_defaults();
    o.header = false;
    o.separator = ';';
    o.dtype = AG_F64;
    const ag_table *table = read_text(t, "0.1;2\n3;4\n", &o);
    assert_shape(table->x, 2, 2);
    assert_values(table->x, 0, 0.1, 2, 3, 4);
    cr_assert_str_eq(table->column_name[1], "2");
    cr_assert_null(table->label);
    cr_assert_eq(table->classes, 0);

    o = with_label("b");
    o.columns = (const char *const[]){"c", "a", "b"};
    o.column_count = 3;
    table = read_text(t, "a,b,c,note\n1,2,3,left out\n", &o);
    assert_values(table->x, 0, 3, 1, 2);
    cr_assert_str_eq(table->column_name[0], "c");
    cr_assert_str_eq(table->class_name[0], "2");

    assert_shape(read_text(t, "a,b\n", NULL)->x, 0, 2);
    o = with_label("a");
    assert_shape(read_text(t, "a\nx\n", &o)->x, 1, 0);
    assert_ok(t);
    ag_tape_free(t);
}

Test(csv, numbers_are_rounded_once) {
    ag_tape *t = ag_tape_new();
    static const char text[] =
        "a\n0.1\n1.00000017881393432617187499\n9007199254740993\n4.9e-324\n1.7976931348623157e308\n";
    ag_csv_options o = ag_csv_defaults();
    o.dtype = AG_F64;
    assert_values(read_text(t, text, &o)->x, 0, 0.1, 1.00000017881393432617187499, 9007199254740992.0, 4.9e-324,
                  1.7976931348623157e308);
    /* just below the middle of two floats; rounded to f64 first it would be the middle, and then go up */
    assert_values(read_text(t, "a\n1.00000017881393432617187499\n", NULL)->x, 0, 1.00000011920928955078125);
    ag_tape_free(t);
}

Test(csv, the_locale_does_not_matter) {
    ag_tape *t = ag_tape_new();
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "ru_RU.UTF-8"};
    bool found = false;
    for (size_t i = 0; i < sizeof commas / sizeof *commas && !found; i++) found = setlocale(LC_ALL, commas[i]) != NULL;
    locale_t before = uselocale((locale_t)0);
    assert_values(read_text(t, "a\n1.5\n", NULL)->x, 0, 1.5);
    cr_assert_eq(uselocale((locale_t)0), before);
    cr_assert_null(read_text(t, "a\n\"1,5\"\n", NULL));
    assert_error(t, AG_ERR_VALUE, "'1,5' in column a is not a number");
    if (found) cr_assert_eq(localeconv()->decimal_point[0], ',', "the caller's locale stays");
    setlocale(LC_ALL, "C");
    ag_tape_free(t);
}

Test(csv, a_long_file) {
    enum { N = 30000 }; /* more than the first buffer, with many classes */
    ag_tape *t = ag_tape_new();
    char *text = malloc(N * 32);
    cr_assert_not_null(text);
    int n = sprintf(text, "a,kind\n");
    for (int i = 0; i < N; i++) n += sprintf(text + n, "%d,class %d\n", i, i % 5000);
    ag_csv_options o = with_label("kind");
    const ag_table *table = read_bytes(t, text, (size_t)n, &o);
    free(text);
    assert_ok(t);
    cr_assert_eq(table->rows, N);
    cr_assert_eq(table->classes, 5000);
    cr_assert_str_eq(table->class_name[4999], "class 4999");
    for (int i = 0; i < N; i += 777) {
        cr_assert_eq(ag_at(table->x, i), i);
        cr_assert_eq(ag_at(table->label, i), i % 5000);
    }
    ag_tape_free(t);
}

/* Bad files */

static const struct {
    const char *text;
    const char *message; /* behind the file's name */
} bad[] = {
    {"", ":1:1: the file is empty"},
    {"\n\n", ":1:1: the file is empty"},
    {"a,kind\n1\n", ":2:1: 1 field where the first line has 2"},
    {"a,kind\n1,x\n\n1,x,2\n", ":4:1: 3 fields where the first line has 2"},
    {"a,kind\n1,x\n1,x,", ":3:1: 3 fields where the first line has 2"},
    {"a,kind\n1,\"x\ny\"\n1\n", ":4:1: 1 field where the first line has 2"},
    {"a,kind\n,x\n", ":2:1: the field of column a is empty"},
    {"a,kind\n1,\n", ":2:3: the label in column kind is empty"},
    {"a,b,kind\n1,two,x\n", ":2:3: 'two' in column b is not a number"},
    {"a,kind\n1.5.2,x\n", ":2:1: '1.5.2' in column a is not a number"},
    {"a,kind\n \t,x\n", ":2:1: ' ?' in column a is not a number"},
    {"a,kind\n0x10,x\n", ":2:1: '0x10' in column a is not a number"},
    {"a,kind\nnan(7),x\n", ":2:1: 'nan(7)' in column a is not a number"},
    {"a,kind\n1e39,x\n", ":2:1: '1e39' in column a is too large for f32"},
    {"a,kind\n\"1\n2\",x\n", ":2:1: '1?2' in column a is not a number"},
    {"a,kind\n5\" nails,x\n", ":2:2: a quote inside a field"},
    {"a,kind\n1,\"x\"y\n", ":2:6: text behind a closing quote"},
    {"a,kind\n1,\"x\"\ry\n", ":2:6: text behind a closing quote"},
    {"a,kind\n\"1\"\r,x\n", ":2:4: text behind a closing quote"},
    {"a,kind\n1,\"x\n2,y\n", ":2:3: the quote that opens here is never closed"},
    {"a,kind\n1,\"", ":2:3: the quote that opens here is never closed"},
    {"a,sort\n1,x\n", ": no column is called 'kind'; there are 'a', 'sort'"},
    {"a,kind,kind\n1,x,y\n", ": two columns are called 'kind'"},
    {"a,kind\nabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz,x\n",
     ":2:1: 'abcdefghijklmnopqrstuvwxyzabcdefghijklmn…' in column a is not a number"},
};

Test(csv, bad_files) {
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ag_tape *t = ag_tape_new();
        ag_csv_options o = with_label("kind");
        cr_assert_null(read_text(t, bad[i].text, &o), "row %zu was read", i);
        cr_assert_not_null(strstr(ag_tape_message(t), bad[i].message), "row %zu: %s", i, ag_tape_message(t));
        cr_assert_eq(strncmp(ag_tape_message(t), "csv_read: /tmp/autograd-csv-", 28), 0, "%s", ag_tape_message(t));
        cr_assert_eq(ag_tape_size(t), 0, "row %zu leaves scratch", i);
        ag_tape_clear(t);
        cr_assert_not_null(read_text(t, "a,kind\n1,x\n", &o), "the tape works on");
        ag_tape_free(t);
    }
}

Test(csv, nul_bytes) {
    static const struct {
        const char *text;
        size_t n;
        const char *message;
    } rows[] = {
        {"a,b\n1,\0002\n", 9, ":2:3: a NUL byte"},
        {"a,b\n1,\"\0\"\n", 9, ":2:4: a NUL byte"},
        {"\xFF\xFE"
         "a\0,\0b\0\n\0",
         10, ":1:4: a NUL byte"},
        {"\0", 1, ":1:1: a NUL byte"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ag_tape *t = ag_tape_new();
        cr_assert_null(read_bytes(t, rows[i].text, rows[i].n, NULL));
        cr_assert_not_null(strstr(ag_tape_message(t), rows[i].message), "row %zu: %s", i, ag_tape_message(t));
        ag_tape_free(t);
    }
}

Test(csv, what_is_refused) {
    ag_tape *t = ag_tape_new();
    cr_assert_null(ag_csv_read(t, "/no/such/file.csv", NULL));
    assert_error(t, AG_ERR_IO, "csv_read: /no/such/file.csv: No such file");
    cr_assert_null(ag_csv_read(t, "/tmp", NULL));
    assert_error(t, AG_ERR_IO, "csv_read: /tmp: Is a directory");
    cr_assert_null(ag_csv_read(t, NULL, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "the path is NULL");
    ag_csv_options o = {0};
    cr_assert_null(ag_csv_read(t, "x.csv", &o));
    assert_error(t, AG_ERR_ARGUMENT, "ag_csv_defaults");
    o = ag_csv_defaults();
    o.dtype = AG_I64;
    cr_assert_null(ag_csv_read(t, "x.csv", &o));
    assert_error(t, AG_ERR_DTYPE, "f32 or f64, not i64");
    o = ag_csv_defaults();
    o.separator = '"';
    cr_assert_null(ag_csv_read(t, "x.csv", &o));
    assert_error(t, AG_ERR_ARGUMENT, "separator");
    o = ag_csv_defaults();
    o.columns = (const char *const[]){"a", NULL};
    o.column_count = 2;
    cr_assert_null(read_text(t, "a\n1\n", &o));
    assert_error(t, AG_ERR_ARGUMENT, "no column is called '(NULL)'");
    cr_assert_null(ag_csv_read(NULL, "x.csv", NULL));
    ag_tape_free(t);
}
