/* tape.c: a tape's birth and death, marks, scopes and the key of its random numbers.
 *
 * A mark is a small record among the recorded bytes, linked to the mark before it:
 *
 *     recorded bytes  │ … │ mark 1 │ attributes … │ mark 2 │ …        t->mark ─▶ mark 2 ─▶ mark 1
 *
 * Rewinding to mark 1 cuts off mark 2, and whoever still holds mark 2 finds its serial no longer in the list: stale. */
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"

enum { RECORDED_SHIFT = 14, SMALL_SHIFT = 6, SERIAL_BITS = 40 };

ag_tape *ag_tape_new(void) {
    ag_tape *t = ag__get(NULL, sizeof *t, 64);
    if (!t) return NULL;
    memset(t, 0, sizeof *t);
    t->bytes = t->peak = sizeof *t;
    t->limit = SIZE_MAX;
    t->region = &t->recorded;
    t->recording = true;
    t->want_bit = AG__GRAD;
    t->want_only = UINT32_MAX;
    t->clock = 1;
    t->scope_count = 1; /* 0: outside every scope */
    static uint64_t tapes;
    t->serial = __atomic_add_fetch(&tapes, 1, __ATOMIC_RELAXED) << SERIAL_BITS; /* no mark is taken for another tape's */
    ag__debug_start(t);
    t->recorded.shift = t->poison ? 0 : RECORDED_SHIFT;
    t->persistent.shift = t->poison ? 0 : SMALL_SHIFT;
    t->scratch.shift = t->poison ? 0 : SMALL_SHIFT;
    return t;
}

static void cells_free(ag_tape *t) {
    while (t->cells) {
        ag_tensor *x = t->cells;
        t->cells = x->slot;
        ag__give(t, x, sizeof(ag__cell));
    }
}

void ag_tape_free(ag_tape *t) {
    if (!t || t == &ag__dropped) return;
    if (ag__inside(t)) { /* who called the rule or hook goes on working with it */
        ag__fail(t, AG_ERR_STATE, "tape_free: called inside a gradient rule or hook");
        return;
    }
    ag__debug_end(t);
    ag_tape_clear(t);
    t->poison = false; /* nobody is left to be warned */
    ag__region_free(t, &t->scratch);
    ag__region_free(t, &t->recorded);
    ag__region_free(t, &t->persistent);
    ag__work_free(t);
    cells_free(t);
    ag__storage_free_all(t);
    ag__give(t, t->touched, (size_t)t->touched_capacity * sizeof *t->touched);
    ag__give(t, t->ends.y, (size_t)t->ends.capacity * sizeof *t->ends.y);
    ag__profile_free(t);
    ag__give(t, t->scopes, (size_t)t->scope_capacity * sizeof *t->scopes);
    ag__quarantine_free(t);
    ag__give(NULL, t, sizeof *t);
}

void *ag_tape_alloc(ag_tape *t, size_t bytes) {
    if (!t || t->status) return t ? NULL : ag__fail(NULL, AG_ERR_ARGUMENT, "the tape is NULL");
    void *p = ag__bump(t, &t->persistent, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

ag_mark ag_tape_mark(ag_tape *t) {
    ag_mark none = {0};
    if (!t || t->status) return none;
    ag__place here = ag__place_of(&t->recorded);
    if (t->mark && t->mark->place.count == here.count && t->mark->place.chunk == here.chunk &&
        t->mark->place.used == here.used) {
        return (ag_mark){t->mark->serial}; /* nothing was recorded since: the same place */
    }
    ag__markrec *m = ag__bump(t, &t->recorded, sizeof *m);
    if (!m) return none;
    *m = (ag__markrec){.prev = t->mark, .serial = ++t->serial, .place = ag__place_of(&t->recorded)};
    t->mark = m;
    return (ag_mark){m->serial};
}

bool ag_tape_rewind(ag_tape *t, ag_mark mark) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "rewind: the tape is NULL") != NULL;
    ag__markrec *m = t->mark;
    while (m && m->serial != mark.serial) m = m->prev;
    if (!m) {
        return ag__fail(t, AG_ERR_STATE,
                        mark.serial >> SERIAL_BITS == t->serial >> SERIAL_BITS
                            ? "rewind: the mark is stale: the tape was rewound past it"
                            : "rewind: the mark was not taken on this tape") != NULL;
    }
    if (ag__inside(t)) { return ag__fail(t, AG_ERR_STATE, "rewind: called inside a gradient rule or hook") != NULL; }
    t->mark = m;
    ag__region_cut(t, &t->recorded, &m->place);
    if (t->ends.past > t->recorded.count)
        t->ends = (ag__ends){.y = t->ends.y, .capacity = t->ends.capacity, .state = AG__ENDS_DROPPED};
    return true;
}

bool ag_scope_push(ag_tape *t, const char *name) {
    if (!t) return false;
    if (t->status || !name) {
        t->scope_skipped++;
        return !t->status && ag__fail(t, AG_ERR_ARGUMENT, "scope: the name is NULL") != NULL;
    }
    int parent = t->scope;
    for (int i = 1; i < t->scope_count; i++) {
        if (t->scopes[i].parent == parent && !strcmp(t->scopes[i].name, name)) {
            t->scope = (uint16_t)i;
            return true;
        }
    }
    if (t->scope_count > UINT16_MAX) {
        t->scope_skipped++;
        return ag__fail(t, AG_ERR_MEMORY, "scope '%s': a tape has at most %d scopes", name, UINT16_MAX) != NULL;
    }
    int64_t capacity = t->scope_capacity;
    ag__scope *scopes = ag__grow(t, t->scopes, sizeof *scopes, t->scope_count, &capacity);
    char *copy = scopes ? ag__bump_text(t, &t->persistent, name) : NULL;
    if (scopes) {
        t->scopes = scopes;
        t->scope_capacity = (int)capacity;
    }
    if (!copy) {
        t->scope_skipped++;
        return false;
    }
    t->scopes[t->scope_count] = (ag__scope){copy, parent};
    t->scope = (uint16_t)t->scope_count++;
    return true;
}

void ag_scope_pop(ag_tape *t) {
    if (t && t->scope_skipped) {
        t->scope_skipped--;
    } else if (t && t->scope) {
        t->scope = (uint16_t)t->scopes[t->scope].parent;
    }
}

int ag_scope_count(const ag_tape *t) { return t ? t->scope_count : 0; }

const char *ag_scope_name(const ag_tape *t, int scope) {
    return t && scope > 0 && scope < t->scope_count ? t->scopes[scope].name : "";
}

int ag_scope_parent(const ag_tape *t, int scope) {
    return t && scope > 0 && scope < t->scope_count ? t->scopes[scope].parent : 0;
}

ag_tensor *ag__key_leaf(ag_tape *t) {
    if (!t->key) {
        ag_shape scalar = {0};
        ag_tensor *key = ag__leaf_in(t, &t->persistent, AG_I64, ag__shape_intern(t, &scalar, "seed"), false);
        if (!key) return NULL;
        memset(key->data, 0, sizeof(int64_t));
        t->key = ag_set_name(key, "random key");
    }
    return t->key;
}

uint64_t ag__key(const ag_tape *t) { return t->key ? (uint64_t) * (const int64_t *)t->key->data : 0; }

uint64_t ag__next_draw(ag_tape *t) { return t->draws++; }

void ag_seed(ag_tape *t, uint64_t seed) {
    if (!t || t->status || !ag__key_leaf(t)) return;
    int64_t *key = ag_mutable(t->key);
    if (key) *key = (int64_t)seed;
    t->draws = 0;
}
