# Prints FILE:LINE:CODE for every line of C that holds code: comments are removed, string literals emptied.
FNR == 1 { inside = 0 }
{
    rest = $0; code = ""
    while (rest != "") {
        if (inside) {
            if (!(at = index(rest, "*/"))) break
            rest = substr(rest, at + 2); inside = 0
        } else if (match(rest, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\/|\/\*/)) {
            found = substr(rest, RSTART, RLENGTH)
            code = code substr(rest, 1, RSTART - 1)
            rest = substr(rest, RSTART + RLENGTH)
            if (found == "//") rest = ""
            else if (found == "/*") inside = 1
            else code = code substr(found, 1, 1) substr(found, 1, 1)
        } else { code = code rest; rest = "" }
    }
    if (code ~ /[^ \t]/) print FILENAME ":" FNR ":" code
}
