/* Files of pictures: how they come to be, and what is left when that fails: a full disk, no program dot, one that crashes. */
#include <signal.h>
#include <sys/resource.h>

#include "drawing.h"

/* Files */

#define assert_listing(expected) cr_assert_str_eq(listing(), expected)

TestSuite(render, .init = make_folder, .fini = remove_folder);

Test(render, wrong_calls_are_errors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = number(t, 1);
    ag_dot_options blank = {0};
    cr_assert_not(ag_dot_write(NULL, in_folder("x.dot"), NULL));
    cr_assert(strstr(ag_last_message(), "dot_write: the tensor is NULL"));
    cr_assert_not(ag_dot_write(y, NULL, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "dot_write: the path is NULL");
    cr_assert_not(ag_dot_write(y, in_folder("x.dot"), &blank));
    assert_error(t, AG_ERR_ARGUMENT, "fill the options with ag_dot_defaults() first");
    static const char *const name[] = {"x.jpg", "x", "svg", ".svg", "x.svg.", "x.dot/"};
    for (int i = 0; i < COUNT_OF(name); i++) {
        cr_assert_not(ag_dot_render(y, name[i], NULL), "%s", name[i]);
        assert_error(t, AG_ERR_ARGUMENT, "must end in .svg, .png, .pdf or .dot");
    }
    assert_listing("");
    ag_tape_free(t);
}

Test(render, what_cannot_be_written_is_an_error) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = number(t, 1);
    char longest[6000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    const char *const bad[][2] = {{in_folder("none/x.dot"), "x.dot': No such file or directory"},
                                  {folder, "Is a directory"},
                                  {"/dev/full", "dot: cannot write '/dev/full': No space left on device"},
                                  {"", "No such file or directory"},
                                  {longest, "xxx"}};
    for (int i = 0; i < COUNT_OF(bad); i++) {
        cr_assert_not(ag_dot_write(y, bad[i][0], NULL), "%s", bad[i][0]);
        assert_error(t, AG_ERR_IO, bad[i][1]);
    }
    assert_listing("");
    ag_tape_free(t);
}

Test(render, a_new_file_takes_the_place_of_the_old) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = number(t, 1);
    struct stat about;
    write_file(in_folder("real.dot"), "old", 0640);
    cr_assert_eq(symlink("real.dot", in_folder("link.dot")), 0);
    cr_assert(ag_dot_write(y, in_folder("link.dot"), NULL));
    assert_listing("link.dot real.dot ");
    assert_shows(text_of(in_folder("real.dot")), "digraph");
    cr_assert(!stat(in_folder("real.dot"), &about) && (about.st_mode & 0777) == 0640);
    cr_assert(!lstat(in_folder("link.dot"), &about) && S_ISLNK(about.st_mode));
    mode_t before = umask(027);
    cr_assert(ag_dot_write(y, in_folder("new.dot"), NULL));
    umask(before);
    cr_assert(!stat(in_folder("new.dot"), &about) && (about.st_mode & 0777) == 0640);
    ag_tape_free(t);
}

Test(render, drawing_works_while_an_error_stands) {
    ag_tape *t = ag_tape_new();
    ag_tensor *loss = logistic(t);
    cr_assert(ag_backward(loss));
    cr_assert_not(ag_add(loss, NULL));
    char before[200];
    snprintf(before, sizeof before, "%s", ag_tape_message(t));
    assert_shows(bones(drawn(loss, NULL)), "w f64 value 0.5 grad -1\n");
    cr_assert_not(ag_dot_write(loss, in_folder("none/x"), NULL));
    cr_assert_str_eq(ag_tape_message(t), before);
    ag_tape_free(t);
}

/* The program dot */

TestSuite(process_render, .init = make_folder, .fini = remove_folder);

Test(process_render, draws_in_every_format) {
    static const struct {
        const char *name, *start;
    } files[] = {{"a.svg", "<?xml"}, {"b.png", "\x89PNG"},  {"c.pdf", "%PDF"},
                 {"d.SVG", "<?xml"}, {"-e.f.svg", "<?xml"}, {"f g;h$.dot", "digraph"}};
    ag_tape *t = ag_tape_new();
    ag_tensor *y = network(t);
    cr_assert(ag_backward(y));
    for (int i = 0; i < COUNT_OF(files); i++) {
        cr_assert(ag_dot_render(y, in_folder(files[i].name), NULL), "%s", ag_tape_message(t));
        cr_assert(!strncmp(text_of(in_folder(files[i].name)), files[i].start, strlen(files[i].start)), "%s", files[i].name);
    }
    assert_listing("-e.f.svg a.svg b.png c.pdf d.SVG f g;h$.dot ");
    cr_assert_eq(chdir(folder), 0);
    cr_assert(ag_dot_render(y, "-here.svg", NULL), "%s", ag_tape_message(t));
    assert_shows(text_of("-here.svg"), "</svg>");
    assert_shows(text_of(in_folder("a.svg")), "0.weight");
    remove(in_folder("f g;h$.dot"));
    ag_tape_free(t);
}

/* A program `dot` of our own. */
static void pretend(const char *script) {
    char bin[256];
    write_file(in_folder("dot"), script, 0755);
    snprintf(bin, sizeof bin, "%s", folder);
    setenv("PATH", bin, 1);
}

static const struct {
    const char *script, *message;
} failures[] = {
    {NULL, "dot: the program 'dot' was not found: install Graphviz (apt install graphviz)"},
    {"#!/bin/sh\nexit 127\n", "was not found: install Graphviz"},
    {"#!/bin/sh\necho 'Error: first' >&2; echo second >&2; exit 3\n",
     "the program 'dot' failed with status 3: Error: first"},
    {"#!/bin/sh\nexit 1\n", "the program 'dot' failed with status 1"},
    {"#!/bin/sh\nkill -9 $$\n", "the program 'dot' was killed by signal 9"},
    {"#!/bin/sh\necho '<svg>'\n", "the program 'dot' left it incomplete; is the disk full?"},
    {"#!/bin/sh\n", "the program 'dot' left it incomplete; is the disk full?"},
};

Test(process_render, failures_say_why_and_leave_the_old_file) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = network(t);
    write_file(in_folder("x.svg"), "old", 0644);
    setenv("PATH", folder, 1);
    for (int i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].script) pretend(failures[i].script);
        cr_assert_not(ag_dot_render(y, in_folder("x.svg"), NULL), "%d", i);
        cr_assert(strstr(ag_tape_message(t), failures[i].message), "%s", ag_tape_message(t));
        assert_error(t, AG_ERR_IO, failures[i].message);
        cr_assert_str_eq(text_of(in_folder("x.svg")), "old");
        assert_listing(failures[i].script ? "dot x.svg " : "x.svg ");
    }
    ag_tape_free(t);
}

/* It ends without reading its input: nothing is written into a closed pipe. */
Test(process_render, a_deaf_program_does_not_kill_us) {
    ag_tape *t = ag_tape_new();
    pretend("#!/bin/sh\nexec <&-\necho '<svg></svg>'\n");
    cr_assert(ag_dot_render(network(t), in_folder("x.svg"), NULL), "%s", ag_tape_message(t));
    ag_tape_free(t);
}

Test(process_render, standard_files_may_be_closed) {
    ag_tape *t = ag_tape_new();
    close(0);
    close(1);
    cr_assert(ag_dot_render(logistic(t), in_folder("x.svg"), NULL), "%s", ag_tape_message(t));
    assert_shows(text_of(in_folder("x.svg")), "</svg>");
    ag_tape_free(t);
}

/* A limit on the size of files stands for a full disk: once hit by us, once by dot. */
Test(process_render, a_full_disk_leaves_the_old_file) {
    static const rlim_t most[] = {1000, 20000};
    static const char *const message[] = {"x.png': File too large", "x.png"};
    ag_tape *t = ag_tape_new();
    ag_tensor *y = network(t);
    write_file(in_folder("x.png"), "old", 0644);
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        struct rlimit limit, full;
        cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
        full = limit;
        full.rlim_cur = most[i];
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
        bool done = ag_dot_render(y, in_folder("x.png"), NULL);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_assert_not(done);
        assert_error(t, AG_ERR_IO, message[i]);
        cr_assert_str_eq(text_of(in_folder("x.png")), "old");
        assert_listing("x.png ");
    }
    ag_tape_free(t);
}

/* AG_DOT */

static char logged[400];

static void keep_line(void *context, const char *line) {
    (void)context;
    snprintf(logged, sizeof logged, "%s", line);
}

Test(process_render, the_environment_asks_for_the_first_backward_pass) {
    ag_tape *t = ag_tape_new();
    setenv("AG_DOT", in_folder("env.svg"), 1);
    ag_tensor *loss = logistic(t);
    ag_tensor *inner = ag_input(loss, 0);
    cr_assert(ag_backward(loss));
    assert_ok(t);
    cr_assert(ag_has_grad(inner));
    assert_shows(text_of(in_folder("env.svg")), "</svg>");
    remove(in_folder("env.svg"));
    loss = logistic(t);
    inner = ag_input(loss, 0);
    cr_assert(ag_backward(loss));
    cr_assert_not(ag_has_grad(inner));
    assert_listing("");
    ag_tape_free(t);
}

Test(process_render, the_environment_may_ask_in_vain) {
    ag_tape *t = ag_tape_new();
    ag_set_log(keep_line, NULL);
    setenv("AG_DOT", "graph.jpg", 1);
    cr_assert(ag_backward(logistic(t)));
    assert_ok(t);
    cr_assert_str_eq(logged, "AG_DOT: dot_render: 'graph.jpg' must end in .svg, .png, .pdf or .dot");
    logged[0] = '\0';
    cr_assert(ag_backward(logistic(t)));
    cr_assert_str_eq(logged, "");
    ag_set_log(NULL, NULL);
    ag_tape_free(t);
}
