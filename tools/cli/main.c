/* main.c: the `autograd` command: reads its arguments, runs one command, prints what it composed.
 *
 *     autograd COMMAND [option …] EXPRESSION [name=value …]
 *
 * Results go to standard output, all at once, everything else to standard error; fault.h lists the exit codes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "value.h"

/* Which commands know an option */
enum { EVAL = 1, GRAD = 2, GRAPH = 4, EXPLAIN = 8, CHECK = 16, OPS = 32, ALL = 63, RUNS = ALL & ~OPS };

static const struct command {
    const char *name;
    unsigned bit;
    bool (*run)(session *s);
} commands[] = {
    {"eval", EVAL, cmd_eval},          {"grad", GRAD, cmd_grad},    {"graph", GRAPH, cmd_graph},
    {"explain", EXPLAIN, cmd_explain}, {"check", CHECK, cmd_check}, {"ops", OPS, cmd_ops},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct option {
    const char *name, *value; /* what follows it; NULL: nothing */
    unsigned commands;
} known[] = {
    {"--help", NULL, ALL},          {"-h", NULL, ALL},
    {"--json", NULL, ALL & ~GRAPH}, {"--f32", NULL, RUNS},
    {"--seed", "NUMBER", RUNS},     {"--wrt", "NAME[,NAME…]", GRAD | EXPLAIN | CHECK},
    {"--hessian", NULL, GRAD},      {"--jvp", "NAME=VALUE", GRAD},
    {"-k", "NUMBER", EXPLAIN},      {"-o", "FILE", GRAPH | OPS},
    {"--dark", NULL, GRAPH},        {"--title", "TEXT", GRAPH},
    {"--check", NULL, GRAPH},       {"--backward", NULL, GRAPH},
    {"--depth", "NUMBER", GRAPH},
};
enum { OPTIONS = sizeof known / sizeof *known };

static bool number(const char *option, const char *typed, int64_t least, int64_t *out, fault *f) {
    char *end = NULL;
    errno = 0;
    long long v = strtoll(typed, &end, 10);
    if (end == typed || *end || errno || v < least) {
        return fault_say(f, EXIT_USAGE, "%s: '%s' is not a whole number from %lld on", option, typed, (long long)least);
    }
    *out = v;
    return true;
}

static bool set_option(options *o, const char *name, const char *given, fault *f) {
    int64_t n = 0;
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) o->help = true;
    else if (!strcmp(name, "--json")) o->json = true;
    else if (!strcmp(name, "--f32")) o->f32 = true;
    else if (!strcmp(name, "--hessian")) o->hessian = true;
    else if (!strcmp(name, "--dark")) o->dark = true;
    else if (!strcmp(name, "--check")) o->check = true;
    else if (!strcmp(name, "--backward")) o->backward = true;
    else if (!strcmp(name, "--depth") && number(name, given, 0, &n, f)) o->depth = n < 1000 ? (int)n : 1000;
    else if (!strcmp(name, "--wrt")) o->wrt = given;
    else if (!strcmp(name, "--title")) o->title = given;
    else if (!strcmp(name, "-o")) o->out = given;
    else if (!strcmp(name, "-k")) return number(name, given, 0, &o->k, f);
    else if (!strcmp(name, "--seed") && number(name, given, 0, &n, f)) o->seed = (uint64_t)n;
    else if (!strcmp(name, "--jvp") && o->jvps < JVPS) o->jvp[o->jvps++] = given;
    else if (!strcmp(name, "--jvp")) return fault_say(f, EXIT_USAGE, "--jvp is given more than %d times", JVPS);
    return !f->code;
}

static bool unknown_option(const struct command *c, const char *word, size_t n, fault *f) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)n, word);
    nearest near = nearest_begin(name);
    for (int i = 0; i < OPTIONS; i++) {
        if (!strcmp(known[i].name, name))
            return fault_say(f, EXIT_USAGE, "'%s' is no option of 'autograd %s'", name, c->name);
        if (known[i].commands & c->bit) nearest_try(&near, known[i].name);
    }
    if (near.best) return fault_say(f, EXIT_USAGE, "unknown option '%s'; did you mean '%s'?", name, near.best);
    if (word[n] == '=') {
        const char *pair = word + strspn(word, "-");
        return fault_say(f, EXIT_USAGE, "unknown option '%s'; a value is given without dashes: %s", name, pair);
    }
    return fault_say(f, EXIT_USAGE, "unknown option '%s'; 'autograd %s --help' lists them", name, c->name);
}

/* -o FILE, --wrt NAME, --wrt=NAME. Moves *at to the last argument used. */
static bool read_option(const struct command *c, int argc, char **argv, int *at, options *o, fault *f) {
    const char *word = argv[*at];
    size_t n = word[1] == '-' ? strcspn(word, "=") : strlen(word);
    for (int i = 0; i < OPTIONS; i++) {
        if (strlen(known[i].name) != n || strncmp(known[i].name, word, n) || !(known[i].commands & c->bit)) continue;
        if (!known[i].value) {
            return word[n] ? fault_say(f, EXIT_USAGE, "%s takes no value", known[i].name)
                           : set_option(o, known[i].name, NULL, f);
        }
        if (!word[n] && *at + 1 >= argc) {
            return fault_say(f, EXIT_USAGE, "%s needs a value: %s %s", known[i].name, known[i].name, known[i].value);
        }
        return set_option(o, known[i].name, word[n] ? word + n + 1 : argv[++*at], f);
    }
    return unknown_option(c, word, n, f);
}

/* --wrt and -k are options; -x*y, like -2, is an expression. */
static bool is_option(const char *word) {
    if (word[0] != '-' || word[1] == '-') return word[0] == '-';
    for (int i = 0; i < OPTIONS; i++) {
        if (!strcmp(known[i].name, word) || !strcmp(known[i].name + 1, word)) return true; /* also -json, for --json */
    }
    return false;
}

static bool two_expressions(const struct command *c, const char *first, const char *second, const char *next, fault *f) {
    if (c->bit == OPS)
        return fault_say(f, EXIT_USAGE, "two operations, '%s' and '%s': ask for one at a time", first, second);
    if (*second == '=' || (*next == '=' && next[1] != '=')) {
        return fault_say(f, EXIT_USAGE, "a value is written without blanks around '=': %s=3", *second == '=' ? "x" : second);
    }
    return fault_say(f, EXIT_USAGE, "two expressions, '%s' and '%s': put the whole expression between single quotes",
                     first, second);
}

static bool read_arguments(const struct command *c, int argc, char **argv, options *o, fault *f) {
    bool words = false; /* after "--" */
    for (int i = 0; i < argc; i++) {
        if (!words && !strcmp(argv[i], "--")) {
            words = true;
        } else if (!words && is_option(argv[i])) {
            if (!read_option(c, argc, argv, &i, o, f)) return false;
        } else if (value_is_pair(argv[i])) {
            o->pair[o->pairs++] = argv[i];
        } else if (!o->expression) {
            o->expression = argv[i];
        } else {
            return two_expressions(c, o->expression, argv[i], i + 1 < argc ? argv[i + 1] : "", f);
        }
    }
    return true;
}

static const struct command *find_command(const char *name, fault *f) {
    nearest near = nearest_begin(name);
    for (int i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].name, name)) return &commands[i];
        nearest_try(&near, commands[i].name);
    }
    if (near.best) {
        fault_say(f, EXIT_USAGE, "unknown command '%s'; did you mean '%s'?", name, near.best);
    } else if (name[0] == '-' && name[1] == '-') {
        fault_say(f, EXIT_USAGE, "'%s' stands before a command; write: autograd eval %s …", name, name);
    } else {
        fault_say(f, EXIT_USAGE,
                  "unknown command '%s'; the commands are eval, grad, graph, explain, check and ops; for a value: "
                  "autograd eval '%s'",
                  name, name);
    }
    return NULL;
}

/* Everything or an error: a full disk is one. */
static bool deliver(const text *out, fault *f) {
    if (out->failed) return fault_memory(f);
    bool good = fwrite(text_of(out), 1, out->size, stdout) == out->size;
    if (fflush(stdout) || !good) return fault_say(f, EXIT_FILE, "standard output: %s", strerror(errno));
    return true;
}

static int run(const struct command *c, int argc, char **argv) {
    options o = {.k = 10, .pair = calloc((size_t)argc + 1, sizeof *o.pair)};
    session s = {.o = &o};
    if (!o.pair) {
        fault_memory(&s.f);
    } else if (read_arguments(c, argc, argv, &o, &s.f)) {
        if (o.help) text_put(&s.out, help_text(c->name));
        else c->run(&s);
        if (!s.f.code) deliver(&s.out, &s.f);
    }
    if (s.f.code) fault_print(&s.f, stderr);
    int code = s.f.code ? s.f.code : s.code;
    session_end(&s);
    free(o.pair);
    return code;
}

int main(int argc, char **argv) {
    fault f = {0};
    const char *word = argc > 1 ? argv[1] : "";
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
        const char *help = help_text(argc > 2 ? argv[2] : NULL);
        text out = {.at = (char *)(uintptr_t)help, .size = strlen(help)};
        deliver(&out, &f);
    } else if (!strcmp(word, "--version")) {
        printf("autograd %d.%d.%d\n", AG_VERSION_MAJOR, AG_VERSION_MINOR, AG_VERSION_PATCH);
    } else if (!*word) {
        fprintf(stderr, "%s", help_text(NULL));
        return EXIT_USAGE;
    } else {
        const struct command *c = find_command(word, &f);
        if (c) return run(c, argc - 2, argv + 2);
    }
    if (f.code) fault_print(&f, stderr);
    return f.code;
}
