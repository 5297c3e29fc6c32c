/* arena.c: the one file that allocates.
 *
 *   region:  segment[0] ─▶ │cell│cell│ … 2^shift cells │    nodes, never moved, found by index
 *            segment[1] ─▶ │cell│ …
 *            chunk ─▶ │prev│ bytes used │ free │            attributes, names, strides: a stack, cut like the nodes
 *
 * Cutting a region keeps its memory for the next step. On a poisoning tape every segment is one cell (shift 0); a dropped
 * cell is overwritten and waits in a quarantine, so that a stale pointer meets ag__dropped and not a newer tensor. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "autograd/node.h"

enum { CHUNK = 16 << 10, ALIGN = 16, QUARANTINE = 4096 };

void *ag__get(ag_tape *t, size_t bytes, size_t alignment) {
    void *block = NULL;
    if (bytes <= SIZE_MAX - AG__HUGE_PAGE && (!t || bytes <= t->limit - t->bytes)) {
        block = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
        if (block && alignment == AG__HUGE_PAGE) madvise(block, bytes, MADV_HUGEPAGE);
    }
    if (!block) return ag__fail(t, AG_ERR_MEMORY, "out of memory: %zu bytes could not be had", bytes);
    if (t) {
        t->bytes += bytes;
        if (t->bytes > t->peak) t->peak = t->bytes;
    }
    return block;
}

void ag__give(ag_tape *t, void *block, size_t bytes) {
    if (!block) return;
    if (t) t->bytes -= bytes;
    free(block);
}

void *ag__grow(ag_tape *t, void *array, size_t element, int64_t count, int64_t *capacity) {
    if (count < *capacity) return array;
    int64_t wanted = *capacity ? 2 * *capacity : 16;
    void *larger = ag__get(t, element * (size_t)wanted, 64);
    if (!larger) return NULL;
    if (array) memcpy(larger, array, element * (size_t)count);
    ag__give(t, array, element * (size_t)*capacity);
    *capacity = wanted;
    return larger;
}

static bool chunk_push(ag_tape *t, ag__region *r, size_t bytes) {
    ag__chunk **spare = &r->spare;
    while (*spare && (*spare)->size < bytes) spare = &(*spare)->prev;
    ag__chunk *c = *spare;
    if (c) {
        *spare = c->prev;
    } else {
        size_t size = bytes > CHUNK ? bytes : CHUNK;
        c = ag__get(t, size + sizeof *c, ALIGN);
        if (!c) return false;
        c->size = size;
    }
    c->prev = r->chunk;
    c->below = r->used;
    r->chunk = c;
    r->used = 0;
    return true;
}

_Static_assert(sizeof(ag__chunk) % ALIGN == 0, "the bytes behind a chunk's header are aligned");

static char *chunk_bytes(ag__chunk *c) { return (char *)(c + 1); }

void *ag__bump(ag_tape *t, ag__region *r, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return ag__fail(t, AG_ERR_MEMORY, "out of memory: %zu bytes could not be had", bytes);
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if ((!r->chunk || r->chunk->size - r->used < bytes) && !chunk_push(t, r, bytes)) return NULL;
    void *p = chunk_bytes(r->chunk) + r->used;
    r->used += bytes;
    return p;
}

char *ag__bump_text(ag_tape *t, ag__region *r, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = ag__bump(t, r, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* What accessors look at without asking the tape says: nothing here. */
static void quarantine(ag_tape *t, ag_tensor *x) {
    static const ag__shape no_shape = {.rank = -1};
    memset(x, 0xDB, sizeof *x);
    ag__node_init(x, &ag__dropped, NULL, 0, 0);
    x->shape = &no_shape;
    int64_t i = t->quarantine_next++ % QUARANTINE;
    ag__give(t, t->quarantine[i], sizeof *x);
    t->quarantine[i] = x;
}

bool ag__region_more(ag_tape *t, ag__region *r) {
    if (t->poison && !t->quarantine) {
        t->quarantine = ag__get(t, QUARANTINE * sizeof *t->quarantine, 64);
        if (!t->quarantine) return false;
        memset(t->quarantine, 0, QUARANTINE * sizeof *t->quarantine);
    }
    if (r->segments << r->shift > (int64_t)UINT32_MAX - ((int64_t)1 << r->shift)) {
        return ag__fail(t, AG_ERR_MEMORY, "the tape is full: %lld nodes", (long long)r->count) != NULL;
    }
    ag_tensor **table = ag__grow(t, r->segment, sizeof *table, r->segments, &r->capacity);
    if (!table) return false;
    r->segment = table;
    size_t bytes = sizeof(ag_tensor) << r->shift;
    ag_tensor *cells = ag__get(t, bytes, sizeof(ag_tensor)); /* no huge pages: compaction may stall a growing tape */
    if (!cells) return false;
    r->segment[r->segments++] = cells;
    return true;
}

void ag__region_cut(ag_tape *t, ag__region *r, const ag__place *place) {
    if (t->poison && r->segments > r->count) { /* a cell whose node was never completed */
        ag__give(t, r->segment[--r->segments], sizeof(ag_tensor));
    }
    for (int64_t i = r->count; i-- > place->count;) {
        ag_tensor *x = ag__node(r, i);
        if (x->store) ag__storage_drop(t, x->store);
        if (x->meta) ag__meta_free(x);
        if (t->poison) {
            quarantine(t, x);
            r->segments--;
        }
    }
    if (r->count > place->count) r->count = place->count;
    while (r->chunk != place->chunk) {
        ag__chunk *c = r->chunk;
        if (t->poison) memset(chunk_bytes(c), 0xDB, r->used);
        r->chunk = c->prev;
        r->used = c->below;
        c->prev = r->spare;
        r->spare = c;
    }
    if (t->poison && r->chunk) memset(chunk_bytes(r->chunk) + place->used, 0xDB, r->used - place->used);
    r->used = place->used;
}

static void chunks_free(ag_tape *t, ag__chunk *c) {
    while (c) {
        ag__chunk *prev = c->prev;
        ag__give(t, c, c->size + sizeof *c);
        c = prev;
    }
}

void ag__region_trim(ag_tape *t, ag__region *r) {
    int64_t used = (r->count + ((int64_t)1 << r->shift) - 1) >> r->shift;
    while (r->segments > used) ag__give(t, r->segment[--r->segments], sizeof(ag_tensor) << r->shift);
    chunks_free(t, r->spare);
    r->spare = NULL;
}

void ag__region_free(ag_tape *t, ag__region *r) {
    ag__region_cut(t, r, &(ag__place){0});
    for (int64_t i = 0; i < r->segments; i++) ag__give(t, r->segment[i], sizeof(ag_tensor) << r->shift);
    ag__give(t, r->segment, (size_t)r->capacity * sizeof *r->segment);
    chunks_free(t, r->chunk);
    chunks_free(t, r->spare);
    *r = (ag__region){.shift = r->shift};
}

void ag__quarantine_free(ag_tape *t) {
    for (int64_t i = 0; t->quarantine && i < QUARANTINE; i++) ag__give(t, t->quarantine[i], sizeof(ag_tensor));
    ag__give(t, t->quarantine, QUARANTINE * sizeof *t->quarantine);
}
