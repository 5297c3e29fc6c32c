/* parse.c: reading and printing expressions: each undoes the other. */
#include <string.h>

#include "check.h"
#include "cli/language.h"

static source source_of(const char *s) { return (source){"test", s, strlen(s)}; }

/* print(p) reads back as p, and prints the same again */
static void assert_round_trip(const program *p) {
    text once = {0}, again = {0};
    program other;
    fault f = {0};
    program_print(p, &once);
    source in = source_of(text_of(&once));
    cr_assert(program_parse(&other, &in, &f), "%s: %s", text_of(&once), f.message);
    program_print(&other, &again);
    cr_assert(program_equal(p, &other), "%s became %s", text_of(&once), text_of(&again));
    cr_assert_str_eq(text_of(&once), text_of(&again));
    program_free(&other);
    text_free(&once);
    text_free(&again);
}

Test(cli_parse, round_trip_of_random_trees) {
    uint64_t state = 7;
    for (int i = 0; i < 10000; i++) {
        program p;
        cr_assert(language_random_program(&p, 1 + i % 40, &state));
        assert_round_trip(&p);
        program_free(&p);
    }
}

Test(cli_parse, round_trip_of_formulas) {
    uint64_t state = 8;
    for (int i = 0; i < 1000; i++) {
        text typed = {0};
        program p;
        fault f = {0};
        language_random_formula(&typed, &state);
        source in = source_of(text_of(&typed));
        cr_assert(program_parse(&p, &in, &f), "%s: %s", text_of(&typed), f.message);
        assert_round_trip(&p);
        program_free(&p);
        text_free(&typed);
    }
}

static const struct {
    const char *typed, *printed;
} forms[] = {
    {"1+2*3", "1 + 2*3"},
    {"(1+2)*3", "(1 + 2)*3"},
    {"-x^2", "-x^2"},
    {"(-x)^2", "(-x)^2"},
    {"2^3^2", "2^3^2"},
    {"(2^3)^2", "(2^3)^2"},
    {"2^-x", "2^-x"},
    {"a-(b-c)", "a - (b - c)"},
    {"a-b-c", "a - b - c"},
    {"a/(b*c)", "a/(b*c)"},
    {"a@b'", "a@b'"},
    {"(a@b)'", "(a@b)'"},
    {"a.T@b", "a'@b"},
    {"-a'", "-a'"},
    {"x[0]'", "x[0]'"},
    {"x'[0]", "x'[0]"},
    {"x[1:3,:,::2,...,-1]", "x[1:3, :, ::2, ..., -1]"},
    {"[1,2;3,4]", "[1, 2; 3, 4]"},
    {"[[1,2],[3,4]]", "[1, 2; 3, 4]"},
    {"[[1,2]]", "[[1, 2]]"},
    {"[1;2]", "[1; 2]"},
    {"()", "[]"},
    {"f(x,(1,2))", "f(x, [1, 2])"},
    {"a<b", "a < b"},
    {"(a<b)*(b<c)", "(a < b)*(b < c)"},
    {"a+b<c*d", "a + b < c*d"},
    {"+x", "x"},
    {"--x", "--x"},
    {"2*-x", "2*-x"},
    {"let y=x^2;y+1", "let y = x^2; y + 1"},
    {"x # a comment\n\n;y", "x; y"},
    {"a +\n b", "a + b"},
    {"f(a,\n b=1\n)", "f(a, b=1)"},
    {"1e3", "1000"},
    {"1.5E-9", "1.5e-09"},
    {".5 + 1.", "0.5 + 1"},
    {"letter", "letter"},
    {"(x)(1", NULL},
    {"1 2", NULL},
    {"x = 3", NULL},
    {"", NULL},
    {"a < b < c", NULL},
    {"let let = 1", NULL},
    {"let(x)", NULL},
};

Test(cli_parse, forms) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        program p;
        fault f = {0};
        text printed = {0};
        source in = source_of(forms[i].typed);
        bool good = program_parse(&p, &in, &f);
        cr_assert_eq(good, forms[i].printed != NULL, "%s: %s", forms[i].typed, good ? "was accepted" : f.message);
        if (good) {
            program_print(&p, &printed);
            cr_assert_str_eq(text_of(&printed), forms[i].printed);
            assert_round_trip(&p);
        }
        text_free(&printed);
        program_free(&p);
    }
}

/* n copies of `inner` around x: an error beyond the depth, never a crash; long is not deep. */
static bool parses(const char *before, const char *after, int n) {
    text typed = {0};
    program p;
    fault f = {0};
    for (int i = 0; i < n; i++) text_put(&typed, before);
    text_put(&typed, "x");
    for (int i = 0; i < n; i++) text_put(&typed, after);
    source in = source_of(text_of(&typed));
    bool good = program_parse(&p, &in, &f);
    cr_assert(good || strstr(f.message, "levels deep"), "%s", f.message);
    if (good) assert_round_trip(&p);
    program_free(&p);
    text_free(&typed);
    return good;
}

Test(cli_parse, depth_is_limited_and_length_is_not) {
    static const char *const nested[][2] = {{"(", ")"}, {"[", "]"},  {"f(", ")"},  {"-", ""},
                                            {"", "^x"}, {"x[", "]"}, {"f(a=", ")"}};
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) {
        cr_assert(parses(nested[i][0], nested[i][1], SYNTAX_DEPTH / 2 - 2), "%s", nested[i][0]);
        cr_assert_not(parses(nested[i][0], nested[i][1], SYNTAX_DEPTH + 1), "%s", nested[i][0]);
        cr_assert_not(parses(nested[i][0], nested[i][1], 100000), "%s", nested[i][0]);
    }
    cr_assert(parses("", " + x", 100000));
    cr_assert(parses("", "'", 100000));
    cr_assert(parses("", "[0]", 100000));
    cr_assert(parses("x; ", "", 100000));
}

/* A name ends at a zero byte, so a text with one could not be printed as it was typed. */
Test(cli_parse, a_text_holds_no_zero_byte) {
    static const char typed[] = "f(\"a\0b\")";
    source in = {"test", typed, sizeof typed - 1};
    program p;
    fault f = {0};
    cr_assert_not(program_parse(&p, &in, &f));
    cr_assert(strstr(f.message, "a text cannot hold the byte 0x00"), "%s", f.message);
    program_free(&p);
}
