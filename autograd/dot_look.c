/* dot_look.c: how kinds of nodes and verdicts look, and the legend that says so.
 *
 * Hues of Okabe and Ito's palette (Color Universal Design, 2008), which colour-blind people tell apart, darkened or
 * lightened until they read as text on their ground. Kinds differ in shape too, verdicts in a word. */
#include <inttypes.h>

#include "autograd/dot.h"

const char *const ag__dot_shapes[AG__DOT_KINDS] = {
    [AG__DOT_PARAMETER] = "shape=box, style=filled, penwidth=2.4",
    [AG__DOT_INPUT] = "shape=note, style=filled",
    [AG__DOT_CONSTANT] = "shape=box, style=dashed",
    [AG__DOT_OP] = "shape=box, style=\"rounded,filled\"",
    [AG__DOT_ADJOINT] = "shape=box, style=\"rounded,filled,dashed\"",
    [AG__DOT_SCOPE] = "shape=box3d, style=filled, margin=\"0.14,0.1\"",
    [AG__DOT_OUTPUT] = "shape=box, style=\"rounded,filled\", peripheries=2",
};

static const struct {
    const char *name, *mark;
} kinds[AG__DOT_KINDS] = {
    [AG__DOT_PARAMETER] = {"parameter", "■"}, [AG__DOT_INPUT] = {"input", "■"},
    [AG__DOT_CONSTANT] = {"constant", "□"},   [AG__DOT_OP] = {"operation", "■"},
    [AG__DOT_ADJOINT] = {"backward", "■"},    [AG__DOT_SCOPE] = {"folded scope", "■"},
    [AG__DOT_OUTPUT] = {"output", "■"},
};

static const char *const moods[AG__DOT_MOODS] = {"passes", "passes at a kink or in the noise", "fails"};

static const ag__dot_palette light = {
    .ground = "#FFFFFF",
    .ink = "#1A1A1A",
    .muted = "#5F6B76",
    .gradient = "#B84300",
    .edge = "#3C4650",
    .pale = "#9AA4AD",
    .cluster = "#00000008",
    .rim = "#B4BDC5",
    .panel = "#FFFFFFB0",
    .kind = {[AG__DOT_PARAMETER] = {"#FDF0D0", "#C88A00"},
             [AG__DOT_INPUT] = {"#E1F1FA", "#0072B2"},
             [AG__DOT_CONSTANT] = {"#FFFFFF", "#5F6B76"},
             [AG__DOT_OP] = {"#F3F4F5", "#5F6B76"},
             [AG__DOT_ADJOINT] = {"#FCEBE0", "#D55E00"},
             [AG__DOT_SCOPE] = {"#F7EAF2", "#A8578A"},
             [AG__DOT_OUTPUT] = {"#DCF2EA", "#009E73"}},
    .mood = {[AG__DOT_PASSES] = "#009E73", [AG__DOT_LIMITED] = "#0072B2", [AG__DOT_FAILS] = "#D55E00"},
};

static const ag__dot_palette dark = {
    .ground = "#14181D",
    .ink = "#ECEFF2",
    .muted = "#9BA7B3",
    .gradient = "#FF9A5C",
    .edge = "#B9C3CC",
    .pale = "#5D6873",
    .cluster = "#FFFFFF0C",
    .rim = "#4A555F",
    .panel = "#00000050",
    .kind = {[AG__DOT_PARAMETER] = {"#3D3014", "#E69F00"},
             [AG__DOT_INPUT] = {"#12303F", "#56B4E9"},
             [AG__DOT_CONSTANT] = {"#14181D", "#9BA7B3"},
             [AG__DOT_OP] = {"#262C33", "#9BA7B3"},
             [AG__DOT_ADJOINT] = {"#3E2415", "#E8762C"},
             [AG__DOT_SCOPE] = {"#3A2533", "#D98CBC"},
             [AG__DOT_OUTPUT] = {"#0E3329", "#1FC596"}},
    .mood = {[AG__DOT_PASSES] = "#1FC596", [AG__DOT_LIMITED] = "#56B4E9", [AG__DOT_FAILS] = "#FF7A33"},
};

const ag__dot_palette *ag__dot_palette_of(const ag_dot_options *options) { return options->dark ? &dark : &light; }

/* Verdicts */

ag__dot_mood ag__dot_mood_of(ag_verdict verdict) {
    if (!ag_verdict_passes(verdict)) return AG__DOT_FAILS;
    return verdict == AG_PASS ? AG__DOT_PASSES : AG__DOT_LIMITED;
}

/* The rows stand in order, the worst first. */
const ag_check_row *ag__dot_verdict(const ag__dot *g, int64_t i, int scope) {
    const ag_check_report *r = g->options->report;
    for (int k = 0; r && k < r->rows && k < AG_CHECK_ROWS; k++) {
        if (g->row[k] == AG__DOT_NONE) continue;
        if (scope ? ag__dot_owner(g, g->row[k]) == scope : g->row[k] == i) return &r->row[k];
    }
    return NULL;
}

/* The legend */

static void list_kinds(FILE *out, const ag__dot *g) {
    const ag_tensor *y = g->node[0];
    bool loss = !(y->flags & AG__TUPLE) && ag_size(y) == 1 && ag_requires_grad(y);
    fputs("<tr><td>", out);
    for (int k = 0; k < AG__DOT_KINDS; k++) {
        if (!g->kinds[k]) continue;
        const char *name = k == AG__DOT_OUTPUT && loss ? "loss" : kinds[k].name;
        fprintf(out, "<font color='%s'>%s&#160;</font>%s &#160; ", g->palette->kind[k].line, kinds[k].mark, name);
    }
    fputs("</td></tr>", out);
}

static void list_notes(FILE *out, const ag__dot *g) {
    const char *between = "";
    fprintf(out, "<tr><td><font color='%s'>", g->palette->muted);
    if (g->sparks) {
        fputs("large tensors: mean [min, max] histogram", out);
        between = " &#160;·&#160; ";
    }
    if (g->slopes) {
        fprintf(out, "%son an edge: ∂ local derivative", between);
        between = ", &#160;";
    }
    if (g->flows) {
        fprintf(out, "%s<font color='%s'>%s</font>", between, g->palette->gradient,
                g->across   ? "← gradient that flows back"
                : g->scalar ? "↑ gradient that flows back"
                            : "↑ norm of the gradient that flows back");
    }
    if (g->slopes || g->flows) between = " &#160;·&#160; ";
    if (g->repeats) fprintf(out, "%s× n: n scopes of one structure in a row, the first is shown", between);
    fputs("</font></td></tr>", out);
}

static void list_verdicts(FILE *out, const ag__dot *g) {
    const ag_check_report *r = g->options->report;
    fprintf(out, "<tr><td>gradient check: %" PRId64 " of %" PRId64 " fail &#160; ", r->failed, r->checked);
    for (int m = 0; m < AG__DOT_MOODS; m++) {
        fprintf(out, "<font color='%s'>▣&#160;</font>%s &#160; ", g->palette->mood[m], moods[m]);
    }
    fputs("</td></tr>", out);
}

/* Rows of one cell: the cells of a table would stretch to a title's width. */
void ag__dot_legend(FILE *out, const ag__dot *g) {
    list_kinds(out, g);
    if (g->sparks || g->slopes || g->flows || g->repeats) list_notes(out, g);
    if (g->options->report) list_verdicts(out, g);
}
