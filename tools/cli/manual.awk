# manual.awk: ops/ops.h is the manual; this makes the table of manual.h from it, as C.
#
#     /* Reductions: over `axes` … */                                  after a blank line: a group, named up to : . or ;
#     AG_API ag_tensor *ag_sum(…);  /* Σ x over axes; number */        a row: sum, the group, the comment
#     a comment above the prototype, without a blank line before it, counts too; a lone function has its group's

function quoted(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    return "\"" s "\""
}

# The comment in s without its marks, or "".
function comment(s) {
    if (!match(s, /\/\*.*\*\//)) return ""
    s = substr(s, RSTART + 2, RLENGTH - 4)
    gsub(/[ \t\n]+\*?[ \t]*/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    return s
}

function row(name) {
    if (said == "" && above == "") said = section
    else if (above != "") said = above (said == "" ? "" : "; " said)
    section = ""
    printf "    {%s, %s, %s},\n", quoted(name), quoted(group), quoted(said)
    above = ""
}

BEGIN {
    print "/* made by manual.awk from ops/ops.h */\n#include \"manual.h\"\n\nconst manual_row manual[] = {"
    blank = 1
}

# Joins the lines of a comment or prototype.
open != "" {
    open = open "\n" $0
    if (kind == "comment" ? $0 ~ /\*\// : open ~ /;/ && (open !~ /\/\*/ || $0 ~ /\*\//)) done = 1
    if (!done) next
}
open == "" && /^\/\*/ { open = $0; kind = "comment"; done = /\*\// }
open == "" && /^AG_API/ { open = $0; kind = "prototype"; done = /;/ && ($0 !~ /\/\*/ || /\*\//) }
open != "" && done {
    said = comment(open)
    if (kind == "comment" && blank) {
        group = section = said
        sub(/[:.;].*/, "", group)
        above = ""
    } else if (kind == "comment") {
        above = said
    } else if (match(open, /\*ag_[a-z0-9_]+\(/)) {
        row(substr(open, RSTART + 4, RLENGTH - 5))
    }
    open = ""
    done = 0
    blank = 0
    next
}
open == "" { blank = $0 ~ /^[ \t]*$/ }

END { print "    {0, 0, 0}};" }
