/* graph_read.c: an .aggraph file in memory; see graph_read.h.
 *
 *     │ first line: version, checksum │ text: lines, the last of them "data" │ zeros │ values │
 *                                     └ bytes                                        └ data   └ data_end
 *
 * A file is believed in nothing: sizes are compared with the bytes that are there before anything is taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/graph_read.h"

bool ag__graph_fault(const ag__graph_file *r, ag_status status, const char *format, ...) {
    char text[AG__MESSAGE];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = '\0';
    va_end(args);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = ' '; /* a name from the file may hold anything */
    }
    uint16_t scope = r->tape->scope;
    r->tape->scope = 0; /* the open scope is the file's, and the line says more */
    if (r->line) {
        ag__fail(r->tape, status, "graph_load: %s, line %lld: %s", r->path, (long long)r->line, text);
    } else {
        ag__fail(r->tape, status, "graph_load: %s: %s", r->path, text);
    }
    r->tape->scope = scope;
    return false;
}

static bool fault(const ag__graph_file *r, const char *why) { return ag__graph_fault(r, AG_ERR_IO, "%s", why); }

/* The file */

/* Reads up to n bytes; fewer only at the end of the file. −1: an error. */
static ssize_t read_some(int fd, char *to, size_t n) {
    size_t got = 0;
    while (got < n) {
        ssize_t more = read(fd, to + got, n - got);
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return -1;
        if (more == 0) break;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

static bool make_room(ag__graph_file *r, size_t capacity) {
    char *larger = ag__get(r->tape, capacity, 64);
    if (larger && r->size) memcpy(larger, r->bytes, r->size);
    ag__give(r->tape, r->bytes, r->capacity);
    r->bytes = larger;
    r->capacity = larger ? capacity : 0;
    return larger != NULL;
}

static bool read_rest(ag__graph_file *r, int fd) {
    struct stat about;
    bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    size_t first = regular ? (size_t)about.st_size + 1 : 1 << 16;
    for (size_t room = first; make_room(r, room); room *= 2) {
        ssize_t got = read_some(fd, r->bytes + r->size, r->capacity - r->size);
        if (got < 0) return fault(r, strerror(errno));
        r->size += (size_t)got;
        if (r->size < r->capacity) return true;
    }
    return false;
}

/* Checks the first line and reads what follows it. */
static bool read_file(ag__graph_file *r, int fd) {
    char first[AG__GRAPH_FIRST + 1] = "", expected[AG__GRAPH_FIRST + 24];
    size_t magic = strlen(AG__GRAPH_MAGIC);
    ssize_t got = read_some(fd, first, AG__GRAPH_FIRST);
    if (got < 0) return fault(r, strerror(errno));
    if (memcmp(first, AG__GRAPH_MAGIC, magic) != 0) return fault(r, "this is not an .aggraph file");
    if (got < AG__GRAPH_FIRST) return fault(r, "the file is cut short");
    if (first[magic] != '0' + AG__GRAPH_VERSION || first[magic + 1] != ' ')
        return fault(r, "the format's version is not 1, which is all that this library reads");
    if (!read_rest(r, fd)) return false;
    ag__sum sum = {0};
    ag__sum_add(&sum, r->bytes, r->size);
    snprintf(expected, sizeof expected, AG__GRAPH_MAGIC "%d %016llx\n", AG__GRAPH_VERSION,
             (unsigned long long)ag__sum_end(sum));
    return !memcmp(first, expected, AG__GRAPH_FIRST) ||
           fault(r, "the checksum differs: the file is damaged or cut short");
}

/* Finds the line "data", which ends the text. */
static bool find_data(ag__graph_file *r) {
    char *end = r->bytes + r->size;
    for (char *line = r->bytes, *next; line < end; line = next) {
        next = memchr(line, '\n', (size_t)(end - line));
        if (!next) break;
        next++;
        if (next - line != 5 || memcmp(line, "data", 4) != 0) continue;
        size_t text = (size_t)(next - r->bytes), gap = (size_t)(-(AG__GRAPH_FIRST + text) % 8);
        if (gap > r->size - text) break;
        r->at = r->bytes;
        r->end = next;
        r->data = next + gap;
        r->data_end = end;
        return true;
    }
    return fault(r, "the file is cut short");
}

bool ag__graph_open(ag__graph_file *r, ag_tape *t, const char *path) {
    *r = (ag__graph_file){.tape = t, .path = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fault(r, strerror(errno));
    bool good = read_file(r, fd) && find_data(r);
    close(fd);
    r->line = 1;
    return good;
}

void ag__graph_close(ag__graph_file *r) { ag__give(r->tape, r->bytes, r->capacity); }

/* Lines, words, values */

char *ag__graph_line(ag__graph_file *r) {
    r->line++;
    if (r->at == r->end) return NULL;
    char *line = r->at, *stop = memchr(line, '\n', (size_t)(r->end - line)); /* the text ends with a newline */
    for (char *c; (c = memchr(line, '\0', (size_t)(stop - line))) != NULL;) *c = '\1'; /* which no word takes */
    *stop = '\0';
    r->at = stop + 1;
    return line;
}

const void *ag__graph_data(ag__graph_file *r, ag_dtype dtype, int64_t n) {
    size_t element = ag__dtype_bytes[dtype], left = (size_t)(r->data_end - r->data);
    const char *from = r->data;
    size_t bytes = (size_t)n * element, padded = (bytes + 7) / 8 * 8;
    if (n > (int64_t)(left / element) || padded > left) {
        ag__graph_fault(r, AG_ERR_IO, "the leaf's %lld elements are not in the file", (long long)n);
        return NULL;
    }
    for (size_t i = 0; dtype == AG_BOOL && i < bytes; i++) {
        if ((unsigned char)from[i] <= 1) continue;
        ag__graph_fault(r, AG_ERR_IO, "element %zu of a bool leaf is %d", i, (unsigned char)from[i]);
        return NULL;
    }
    r->data += padded;
    ag__graph_turn(r->bytes + (from - r->bytes), element, n);
    return from;
}

bool ag__graph_skip(char **p, const char *word) {
    size_t n = strlen(word);
    bool found = !strncmp(*p, word, n);
    if (found) *p += n;
    return found;
}

bool ag__graph_number(char **p, int64_t *out) {
    const char *from = *p;
    int64_t n = 0;
    for (; **p >= '0' && **p <= '9'; ++*p) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n)) return false;
    }
    *out = n;
    return *p > from && (*from != '0' || *p == from + 1);
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* The character at *p, escaped or not; 0: none that may stand there. */
static char take_character(char **p) {
    unsigned char c = (unsigned char)**p;
    if (c < 0x20 || c == 0x7F || c == '"') return 0;
    ++*p;
    if (c != '\\') return (char)c;
    c = (unsigned char)**p;
    if (c == '\\' || c == '"') {
        ++*p;
        return (char)c;
    }
    int high = c == 'x' ? hex((*p)[1]) : -1, low = high < 0 ? -1 : hex((*p)[2]);
    if (low < 0 || high + low == 0) return 0; /* *p stays in the escape, where no name ends */
    *p += 3;
    return (char)(16 * high + low);
}

bool ag__graph_quoted(char **p, char **out) {
    if (!ag__graph_skip(p, "\"")) return false;
    char *to = *out = *p, c;
    while ((c = take_character(p)) != 0) *to++ = c; /* decoding never takes more room */
    if (!ag__graph_skip(p, "\"")) return false;
    *to = '\0'; /* perhaps over the quote itself, which is behind *p */
    return true;
}

bool ag__graph_word(char **p, char *out, size_t size) {
    char *from = *p;
    size_t n = strcspn(from, " \"%:");
    if (*from != '"') {
        *p += n;
    } else if (ag__graph_quoted(p, &from)) {
        n = strlen(from);
    } else {
        return false;
    }
    if (n == 0 || n >= size) return false;
    memcpy(out, from, n);
    out[n] = '\0';
    return true;
}
