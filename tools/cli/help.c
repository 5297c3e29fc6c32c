/* help.c: what --help prints. The manual page says the same at more length. */
#include <string.h>

#include "cli.h"

static const char general[] =
    "usage: autograd COMMAND [option ...] 'EXPRESSION' [name=value ...]\n"
    "\n"
    "commands\n"
    "  eval      the value of an expression\n"
    "  grad      its value and gradients, each checked against differences\n"
    "  explain   the chain rule, path by path, in symbols and in numbers\n"
    "  graph     a picture of its graph, with values and gradients\n"
    "  check     a table of gradient checks, of an expression or of a saved graph\n"
    "  ops       what operations there are\n"
    "\n"
    "examples\n"
    "  autograd eval 'log(1 + exp(-y*(w*x + b)))' x=2 w=0.5 b=-1 y=1\n"
    "  autograd grad 'mean((X@w - y)^2)' X=@points.csv w='[0.5; -1]' y=@y.npy\n"
    "  autograd explain 'tanh(w*x + b)^2' x=2 w=0.5 b=-1 --wrt w\n"
    "  autograd graph 'tanh(w*x + b)^2' x=2 w=0.5 b=-1 -o graph.svg\n"
    "  autograd ops softmax\n"
    "\n"
    "the language\n"
    "  1.5e-3  [1, 2, 3]  [1, 2; 3, 4]  pi  e  inf  nan     numbers, vectors, matrices\n"
    "  + - * / ^                                            element by element, broadcasting\n"
    "  a @ b   A'  or  A.T                                  matrix product, transpose\n"
    "  == != < <= > >=                                      comparisons, to be multiplied, or in where(c, a, b)\n"
    "  x[0]  x[-1]  x[1:3, :, ::2]  x[..., 0]  x[[0, 2]]    as NumPy\n"
    "  softmax(x, axis=1)  sum(x, axes=[0, 1])  sum(x, 0)   every operation, see 'autograd ops'\n"
    "  let z = w*x + b; tanh(z)                             names; statements end with ; or a new line; # comments\n"
    "\n"
    "values\n"
    "  x=2  w='[0.5; -1]'  t=2*pi/3                         expressions of numbers\n"
    "  X=@points.csv  y=@iris.csv:species  Y=@y.npy  X=-    files; '-' is standard input\n"
    "  an expression may be '@file' or '-' too\n"
    "\n"
    "options\n"
    "  --json  --f32  --seed N; each command has more: autograd COMMAND --help\n"
    "\n"
    "exit codes\n"
    "  0 fine   1 a gradient failed its check   2 the command line or expression cannot be read\n"
    "  3 it cannot be evaluated   4 a file or the program dot   5 out of memory\n";

static const struct {
    const char *command, *text;
} pages[] = {
    {"eval",
     "usage: autograd eval [--json] [--f32] [--seed N] 'EXPRESSION' [name=value ...]\n"
     "\n"
     "Prints the value, in the language's own notation; large tensors are shortened.\n"
     "  --json    {\"value\": ...}: a number, or dtype, shape and all data, every bit of it\n"
     "  --f32     compute in f32 instead of f64\n"
     "  --seed N  of random operations; 0\n"
     "\n"
     "examples\n"
     "  autograd eval '2^10'\n"
     "  autograd eval 'softmax(x)' x='[1, 2, 3]'\n"
     "  autograd eval 'let C = X - mean(X, axes=0, keepdim=true); (C.T @ C)/149' X=@iris.csv:petal_length,petal_width\n"
     "  printf '1,2\\n3,4\\n' | autograd eval \"X'\" X=-\n"},
    {"grad", "usage: autograd grad [option ...] 'EXPRESSION' [name=value ...]\n"
             "\n"
             "Prints the value and, element by element, the gradient by the backward pass, the same by five-point\n"
             "differences in f64, how far they are apart, and a verdict. The exit code is 1 if one fails.\n"
             "  --wrt a,b        only by these; else by every name with a float value\n"
             "  --hessian        the matrix of second derivatives by one input\n"
             "  --jvp NAME=V     the derivative along V, by forward mode; for results of any shape; may be repeated\n"
             "  --f32            the graph in f32; its gradients as a third column\n"
             "  --json --seed N\n"
             "\n"
             "examples\n"
             "  autograd grad 'x^2 + sin(x)' x=1.5\n"
             "  autograd grad 'mean((X@w - y)^2)' X=@points.csv w='[0.5; -1]' y=@y.npy --wrt w\n"
             "  autograd grad '(1 - p[0])^2 + 100*(p[1] - p[0]^2)^2' p='[-1, 2]' --hessian\n"
             "  autograd grad 'tanh(A@x)' A='[1, 2; 3, 4]' x='[0.1, 0.2]' --jvp x='[1, 0]'\n"},
    {"explain",
     "usage: autograd explain [option ...] 'EXPRESSION' [name=value ...]\n"
     "\n"
     "Writes the chain rule out: a gradient is a sum over all paths from the result to an input of the product\n"
     "of the local derivatives along the path. Of graphs of numbers it prints each path in symbols and in\n"
     "numbers, the largest first, and what the others add up to; of graphs of tensors, what each operation does\n"
     "to the gradient, and each path's share.\n"
     "  --wrt a,b   by these; else by every name with a float value\n"
     "  -k N        paths shown; 10\n"
     "  --f32 --json --seed N\n"
     "\n"
     "examples\n"
     "  autograd explain 'log(1 + exp(-y*(w*x + b)))' x=2 w=0.5 b=-1 y=1 --wrt w\n"
     "  autograd explain 'let d = tanh(w*x) - 1; d*d' w=0.5 x=2 --wrt w\n"
     "  autograd explain 'mean((X@w)^2)' X='[1, 2; 3, 4]' w='[1, 2]' --wrt w\n"},
    {"graph",
     "usage: autograd graph [option ...] 'EXPRESSION' [name=value ...] [-o FILE]\n"
     "       autograd graph [option ...] MODEL.aggraph [-o FILE]\n"
     "\n"
     "Draws the graph with its values and gradients, through the program dot (Graphviz), or the graph of a file\n"
     "that a program wrote with ag_graph_save.\n"
     "  -o FILE       .svg, .png, .pdf, or .dot; without it Graphviz text goes to standard output;\n"
     "                .aggraph saves the graph itself\n"
     "  --check       check the gradients and outline what passed and what failed\n"
     "  --backward    draw the graph of the gradients too\n"
     "  --depth N     scopes nested N deep are one node each; 0: all are open\n"
     "  --dark        light on dark\n"
     "  --title TEXT\n"
     "  --f32 --seed N\n"
     "\n"
     "examples\n"
     "  autograd graph 'tanh(w*x + b)^2' x=2 w=0.5 b=-1 -o graph.svg\n"
     "  autograd graph 'softmax(x@W)[1]' x='[1, 2]' W='[1, 0; 0, 1]' --dark -o graph.png\n"
     "  autograd graph model.aggraph --depth 1 -o model.pdf\n"},
    {"check",
     "usage: autograd check [--wrt a,b] [--f32] [--json] [--seed N] 'EXPRESSION' [name=value ...]\n"
     "       autograd check [--json] MODEL.aggraph\n"
     "\n"
     "Checks every gradient against five-point differences in f64 and prints a table, the worst first. If one\n"
     "fails, each operation's own rule is checked alone, which names the one at fault; the exit code is 1.\n"
     "\n"
     "examples\n"
     "  autograd check 'sum(relu(X@W))' X='[1, -2; 3, 4]' W='[1, 0.5; -1, 2]'\n"
     "  autograd check model.aggraph\n"},
    {"ops",
     "usage: autograd ops [--json] [GROUP | NAME [attribute=value ...] [-o FILE.svg]]\n"
     "\n"
     "Lists every operation with its formula, in groups, or one group; or describes one operation: what the manual "
     "says\n"
     "of it, attributes and their defaults, properties, dtypes and shapes by example, and its gradient rule, read off\n"
     "the rule itself.\n"
     "  -o FILE.svg   draws an elementwise operation of one input and its derivative; x='[lo, hi]' is the interval\n"
     "\n"
     "examples\n"
     "  autograd ops\n"
     "  autograd ops losses\n"
     "  autograd ops tanh\n"
     "  autograd ops gelu -o gelu.svg x='[-4, 4]'\n"
     "  autograd ops pow_scalar exponent=3 -o cube.svg x='[-2, 2]'\n"},
};

const char *help_text(const char *command) {
    for (size_t i = 0; command && i < sizeof pages / sizeof *pages; i++) {
        if (!strcmp(pages[i].command, command)) return pages[i].text;
    }
    return general;
}
