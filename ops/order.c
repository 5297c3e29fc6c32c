/* order.c: sorting and selecting by keys, without recursion, and in time that no input makes quadratic.
 *
 *     sort     items (key, place) ─ distribution by 8 bits, lowest first: 4 passes for f32, 8 for others, O(n) ─▶ places
 *              short lines: insertion
 *     select   keys ─ counted by their highest 8 bits ─▶ those that share the k-th's ─ by the next 8 ─▶ … ─▶ one value
 *
 * f32 in a line of less than 2³² elements makes items of 8 bytes, all else items of 16. Lines are independent of each other, so
 * results do not depend on threads. */
#include <string.h>

#include "ops/ops.h"
#include "ops/order.h"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

#define KEY uint32_t
#define PLACE uint32_t
#define NAME(x) x##_narrow
#define SHORT 40
#include "ops/order_tmpl.h"
#define KEY uint64_t
#define PLACE uint64_t
#define NAME(x) x##_wide
#define SHORT 64
#include "ops/order_tmpl.h"

/* Negative numbers with all bits turned, the others with the first: without a branch, which signs would lead astray. */
static uint32_t key_f32(float x) {
    uint32_t bits;
    float v = x + 0.0f; /* −0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    uint32_t key = bits ^ (((uint32_t)0 - (bits >> 31)) | (uint32_t)1 << 31);
    return x != x ? UINT32_MAX : key;
}

static uint64_t key_f64(double x) {
    uint64_t bits;
    double v = x + 0.0;
    memcpy(&bits, &v, sizeof bits);
    uint64_t key = bits ^ (((uint64_t)0 - (bits >> 63)) | (uint64_t)1 << 63);
    return x != x ? AG__KEY_NAN : key;
}

static uint64_t key_i64(int64_t x) { return (uint64_t)x ^ (uint64_t)1 << 63; }

/* The 32 bits of an f32's key stand twice, so that what selects by the highest of 64 sees them first, and NaN is all ones. */
static uint64_t key_wide(float x) { return key_f32(x) * UINT64_C(0x100000001); }

void ag__order_keys(const void *x, ag_dtype dtype, int64_t n, int64_t stride, bool descending, uint64_t *key) {
    uint64_t turned = descending ? UINT64_MAX : 0;
    if (dtype == AG_F32) {
        for (int64_t i = 0; i < n; i++) key[i] = key_wide(((const float *)x)[i * stride]) ^ turned;
    } else if (dtype == AG_F64) {
        for (int64_t i = 0; i < n; i++) key[i] = key_f64(((const double *)x)[i * stride]) ^ turned;
    } else if (dtype == AG_I64) {
        for (int64_t i = 0; i < n; i++) key[i] = key_i64(((const int64_t *)x)[i * stride]) ^ turned;
    } else {
        for (int64_t i = 0; i < n; i++) key[i] = ((const bool *)x)[i * stride] ^ turned;
    }
}

static bool narrow(ag_dtype dtype, int64_t n) { return dtype == AG_F32 && n <= UINT32_MAX; }

size_t ag__order_bytes(ag_dtype dtype, int64_t n) {
    return 2 * (size_t)n * (narrow(dtype, n) ? sizeof(item_narrow) : sizeof(item_wide));
}

void ag__order_sort(const void *x, ag_dtype dtype, int64_t n, int64_t stride, bool descending, void *scratch,
                    int64_t *place) {
    if (n == 0) return;
    if (narrow(dtype, n)) {
        item_narrow *item = scratch;
        uint32_t turned = descending ? UINT32_MAX : 0;
        for (int64_t i = 0; i < n; i++)
            item[i] = (item_narrow){key_f32(((const float *)x)[i * stride]) ^ turned, (uint32_t)i};
        sort_narrow(item, n, place);
        return;
    }
    item_wide *item = scratch;
    uint64_t *key = (uint64_t *)(item + n); /* the room that sorting needs, until then */
    ag__order_keys(x, dtype, n, stride, descending, key);
    for (int64_t i = 0; i < n; i++) item[i] = (item_wide){key[i], (uint64_t)i};
    sort_wide(item, n, place);
}

/* The k-th of the keys in order. */
static uint64_t select_key(const uint64_t *key, int64_t n, int64_t k, uint64_t *left) {
    enum { FEW = 24 };
    int64_t before = 0;
    for (int shift = 64 - DIGIT_BITS; n > FEW && shift >= 0; shift -= DIGIT_BITS) {
        int64_t count[DIGITS] = {0}, kept = 0;
        uint64_t digit = 0;
        for (int64_t i = 0; i < n; i++) count[key[i] >> shift & (DIGITS - 1)]++;
        for (; k - before >= count[digit]; digit++) before += count[digit];
        for (int64_t i = 0; i < n; i++) {
            left[kept] = key[i]; /* never beyond i, so key may be left itself */
            kept += (key[i] >> shift & (DIGITS - 1)) == digit;
        }
        key = left;
        n = kept;
    }
    if (n > FEW) return key[0]; /* they share every digit */
    for (int64_t i = 0; i < n; i++) {
        uint64_t moving = key[i];
        int64_t at = i;
        for (; at > 0 && left[at - 1] > moving; at--) left[at] = left[at - 1];
        left[at] = moving;
    }
    return left[k - before];
}

int64_t ag__order_select(const uint64_t *key, int64_t n, int64_t k, uint64_t *scratch) {
    uint64_t wanted = select_key(key, n, k, scratch);
    int64_t less = 0, at = 0;
    for (int64_t i = 0; i < n; i++) less += key[i] < wanted;
    for (; key[at] != wanted || less++ < k; at++) continue;
    return at;
}

bool ag__chosen_shape(ag_tensor *y, int axis, bool keepdim) {
    ag_shape x = ag_shape_of(ag_in(y, 0)), s = {0};
    if (!ag__need_line(y, axis, x.rank, &axis)) return false;
    for (int i = 0; i < x.rank; i++) {
        if (i != axis || keepdim) s.dim[s.rank++] = i == axis ? 1 : x.dim[i];
    }
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s) && ag_out_shape(y, 1, AG_I64, s);
}

/* v of the output's shape, its axis put back in if it went. */
static ag_tensor *kept(const ag_tensor *y, ag_tensor *v, int axis, bool keepdim) {
    return keepdim || ag_rank(ag_in(y, 0)) == 0 ? v : ag_unsqueeze(v, axis);
}

bool ag__to_places(ag_tensor *y, ag_tensor *g, int axis, bool keepdim, ag_tensor *d[]) {
    if (!g) return true;
    ag_tensor *places = kept(y, ag_out(y, 1), axis, keepdim);
    return (d[0] = ag_gather_add(kept(y, g, axis, keepdim), axis, places, ag_shape_of(ag_in(y, 0)))) != NULL;
}

bool ag__from_places(ag_tensor *y, ag_tensor *tangent, int axis, bool keepdim, ag_tensor *out[]) {
    ag_tensor *u = ag_gather(tangent, axis, kept(y, ag_out(y, 1), axis, keepdim));
    return (out[0] = keepdim || !u ? u : ag_reshape(u, ag_shape_of(ag_out(y, 0)))) != NULL;
}

typedef struct job {
    ag__line_body *body;
    void *context;
    char *scratch;
    size_t bytes;
    int64_t lines, parts;
} job;

static void run_parts(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t part = begin; part < end; part++) {
        int64_t each = j->lines / j->parts, more = j->lines % j->parts; /* the first `more` parts have one line more */
        int64_t line = part * each + (part < more ? part : more), last = line + each + (part < more);
        for (; line < last; line++) j->body(j->context, line, j->scratch + (size_t)part * j->bytes);
    }
}

bool ag__each_line(ag_tensor *y, int64_t lines, int64_t n, size_t bytes, ag__line_body *body, void *context) {
    enum { GRAIN = 4096 }; /* elements worth waking a thread for */
    int64_t parts = ag_threads();
    if (lines == 0) return true;
    if (parts > lines / (1 + GRAIN / (n + 1))) parts = lines / (1 + GRAIN / (n + 1));
    if (parts < 1) parts = 1;
    job j = {body, context, NULL, (bytes + 63) / 64 * 64, lines, parts};
    if (!(j.scratch = ag_op_workspace(y, (size_t)parts * j.bytes))) return false;
    ag_parallel_for(parts, 1, run_parts, &j);
    return true;
}
