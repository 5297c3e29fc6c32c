/* tensor.c: reading and writing a tensor, its names, and the walk over a graph from outside.
 *
 * A write goes to a persistent leaf of one's own memory and moves its storage's stamp to the tape's clock: a node that ran
 * before has used the old value, and backward through it says so. */
#include <math.h>
#include <string.h>

#include "autograd/node.h"

ag_tape *ag_tape_of(const ag_tensor *x) { return x ? x->tape : NULL; }
ag_dtype ag_dtype_of(const ag_tensor *x) { return x ? (ag_dtype)x->dtype : AG_DTYPE_COUNT; }
int ag_rank(const ag_tensor *x) { return x ? x->shape->rank : -1; }
int64_t ag_size(const ag_tensor *x) { return x ? x->shape->size : 0; }
bool ag_is_contiguous(const ag_tensor *x) { return x && ag__contiguous(x); }
size_t ag_dtype_size(ag_dtype dtype) { return dtype >= AG_F32 && dtype < AG_DTYPE_COUNT ? ag__dtype_bytes[dtype] : 0; }

const char *ag_dtype_name(ag_dtype dtype) {
    static const char *const name[] = {"f32", "f64", "i64", "bool"};
    return dtype >= AG_F32 && dtype < AG_DTYPE_COUNT ? name[dtype] : "no dtype";
}

ag_shape ag_shape_of(const ag_tensor *x) {
    ag_shape s = {0};
    if (!x) return s;
    s.rank = x->shape->rank;
    memcpy(s.dim, x->shape->dim, sizeof s.dim);
    return s;
}

static inline int axis_of(const ag_tensor *x, int axis) {
    int rank = ag_rank(x);
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? axis : -1;
}

int64_t ag_dim(const ag_tensor *x, int axis) {
    axis = axis_of(x, axis);
    return axis < 0 ? -1 : x->shape->dim[axis];
}

int64_t ag_stride(const ag_tensor *x, int axis) {
    axis = axis_of(x, axis);
    return axis < 0 ? 0 : ag__stride(x, axis);
}

double ag__load(const void *p, int dtype) {
    switch (dtype) {
    case AG_F32: return (double)*(const float *)p;
    case AG_F64: return *(const double *)p;
    case AG_I64: return (double)*(const int64_t *)p;
    default: return *(const unsigned char *)p ? 1 : 0;
    }
}

void ag__store_value(void *p, int dtype, double value) {
    switch (dtype) {
    case AG_F32: *(float *)p = (float)value; break;
    case AG_F64: *(double *)p = value; break;
    case AG_I64:
        *(int64_t *)p = value >= 0x1p63 ? INT64_MAX : value < -0x1p63 ? INT64_MIN : isnan(value) ? 0 : (int64_t)value;
        break;
    default: *(unsigned char *)p = value != 0; break;
    }
}

static bool has_data(const ag_tensor *x, const char *what) {
    if (!x) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the tensor is NULL", what) != NULL;
    if (x->tape == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "%s: %s", what, ag__dropped.message) != NULL;
    if (x->flags & (AG__PENDING | AG__HANDLE))
        return x->flags & AG__HANDLE ? ag__handle_seen(x) : ag__settle((ag_tensor *)(uintptr_t)x);
    if (!(x->flags & AG__TUPLE)) return true;
    return ag__fail(x->tape, AG_ERR_ARGUMENT, "%s: %s has several outputs; take one with ag_part", what, x->op->name) != NULL;
}

const void *ag_data(const ag_tensor *x) { return has_data(x, "data") ? x->data : NULL; }

static const void *typed(const ag_tensor *x, ag_dtype dtype) {
    char text[160];
    if (!has_data(x, ag_dtype_name(dtype))) return NULL;
    if (x->dtype != dtype) {
        return ag__fail(x->tape, AG_ERR_DTYPE, "%s is %s, read as %s", ag__label(x, text, sizeof text),
                        ag_dtype_name((ag_dtype)x->dtype), ag_dtype_name(dtype));
    }
    if (ag__contiguous(x)) return x->data;
    return ag__fail(x->tape, AG_ERR_ARGUMENT, "%s is a strided view: read it with ag_read, or through ag_contiguous",
                    ag__label(x, text, sizeof text));
}

const float *ag_f32(const ag_tensor *x) { return typed(x, AG_F32); }
const double *ag_f64(const ag_tensor *x) { return typed(x, AG_F64); }
const int64_t *ag_i64(const ag_tensor *x) { return typed(x, AG_I64); }
const bool *ag_bool(const ag_tensor *x) { return typed(x, AG_BOOL); }

double ag_at(const ag_tensor *x, int64_t index) {
    if (!has_data(x, "at")) return (double)NAN;
    if (index < 0 || index >= x->shape->size) {
        ag__fail(x->tape, AG_ERR_ARGUMENT, "at: element %lld of %lld", (long long)index, (long long)x->shape->size);
        return (double)NAN;
    }
    int64_t offset = 0;
    for (int i = x->shape->rank - 1; i >= 0; i--) {
        offset += index % x->shape->dim[i] * ag__stride(x, i);
        index /= x->shape->dim[i];
    }
    return ag__load((const char *)x->data + offset * (int64_t)ag__dtype_bytes[x->dtype], x->dtype);
}

double ag_item(const ag_tensor *x) {
    if (!has_data(x, "item")) return (double)NAN;
    if (x->shape->size == 1) return ag__load(x->data, x->dtype);
    char text[160];
    ag__fail(x->tape, AG_ERR_SHAPE, "item: %s has %lld elements, not one", ag__label(x, text, sizeof text),
             (long long)x->shape->size);
    return (double)NAN;
}

bool ag_read(const ag_tensor *x, void *out) {
    if (!has_data(x, "read")) return false;
    if (!out) return ag__fail(x->tape, AG_ERR_ARGUMENT, "read: out is NULL") != NULL;
    ag__gather(x, out);
    return true;
}

void ag__stamp_write(ag_tensor *leaf) {
    __atomic_store_n(&leaf->store->stamp, ++leaf->tape->clock, __ATOMIC_RELEASE);
    if (leaf->flags & AG__HANDLE) leaf->in[0]->flags |= AG__HAS_GRAD;
}

void *ag_mutable(ag_tensor *x) {
    char text[160];
    if (!has_data(x, "write")) return NULL;
    ag_tape *t = x->tape;
    if (t->status) return NULL;
    if (!(x->flags & AG__LEAF) || !(x->flags & AG__PERSISTENT)) {
        return ag__fail(t, AG_ERR_ARGUMENT, "write: %s is not a persistent leaf", ag__label(x, text, sizeof text));
    }
    if (x->store->read_only) {
        return ag__fail(t, AG_ERR_ARGUMENT, "write: %s is read-only: it %s", ag__label(x, text, sizeof text),
                        x->store->kind == AG__BORROWED ? "borrows the memory of another tape" : "is a mapped file");
    }
    ag__stamp_write(x);
    return x->data;
}

void ag_touch(ag_tensor *leaf) { ag_mutable(leaf); }

bool ag_write(ag_tensor *leaf, const void *data) {
    void *to = ag_mutable(leaf);
    if (!to) return false;
    if (!data) return ag__fail(leaf->tape, AG_ERR_ARGUMENT, "write: data is NULL") != NULL;
    memmove(to, data, (size_t)leaf->shape->size * ag__dtype_bytes[leaf->dtype]);
    return true;
}

bool ag_fill(ag_tensor *leaf, double value) {
    char *to = ag_mutable(leaf);
    if (!to) return false;
    size_t element = ag__dtype_bytes[leaf->dtype];
    for (int64_t i = 0; i < leaf->shape->size; i++) ag__store_value(to + (size_t)i * element, leaf->dtype, value);
    return true;
}

ag__meta *ag__meta_of(ag_tensor *x) {
    if (!x->meta) {
        bool lasts = x->flags & AG__PERSISTENT;
        ag__storage *s = (lasts ? ag__storage_lasting : ag__storage_new)(x->tape, sizeof *x->meta);
        if (!s) return NULL;
        x->meta = (ag__meta *)(void *)s->base;
        *x->meta = (ag__meta){0};
    }
    return x->meta;
}

void ag__meta_free(ag_tensor *x) {
    ag__meta *m = x->meta;
    ag__temp_free(x->tape, m->name);
    if (m->grad && m->grad->flags & AG__CELL) ag__cell_drop(x->tape, m->grad);
    ag__temp_free(x->tape, m);
    x->meta = NULL;
}

ag_tensor *ag_set_name(ag_tensor *x, const char *name) {
    if (!x || x->tape == &ag__dropped || !name) return x;
    ag__meta *m = ag__meta_of(x);
    size_t bytes = strlen(name) + 1;
    char *copy = m ? ag__temp(x->tape, bytes) : NULL;
    if (!copy) return NULL;
    memcpy(copy, name, bytes); /* name may be x's own */
    ag__temp_free(x->tape, m->name);
    m->name = copy;
    return x;
}

const char *ag_name(const ag_tensor *x) {
    return x && x->tape != &ag__dropped && x->meta && x->meta->name ? x->meta->name : "";
}

const char *ag__label(const ag_tensor *x, char *out, size_t size) {
    if (x && x->tape != &ag__dropped) {
        ag_shape_text(x, out, size);
        if (out[0] != '(' || x->flags & AG__CELL) return out;
        char shape[128];
        memcpy(shape, out, sizeof shape < size ? sizeof shape : size);
        shape[sizeof shape - 1] = '\0';
        const char *what = x->op ? x->op->name : x->flags & AG__PART ? x->in[0]->op->name : "a leaf";
        size_t n = strlen(what);
        if (n + strlen(shape) + 2 <= size) {
            memcpy(out, what, n);
            out[n] = ' ';
            memcpy(out + n + 1, shape, strlen(shape) + 1);
        }
        return out;
    }
    const char *what = x ? "a dropped tensor" : "NULL";
    if (size > strlen(what)) memcpy(out, what, strlen(what) + 1);
    return out;
}

int64_t ag_tape_size(const ag_tape *t) { return t ? t->recorded.count : 0; }

ag_tensor *ag_tape_node(const ag_tape *t, int64_t i) {
    return t && i >= 0 && i < t->recorded.count ? ag__node(&t->recorded, i) : NULL;
}

int64_t ag_index(const ag_tensor *x) {
    return !x || x->tape == &ag__dropped || x->flags & (AG__PERSISTENT | AG__CELL) ? -1 : (int64_t)x->index;
}
bool ag_is_leaf(const ag_tensor *x) { return x && x->flags & AG__LEAF; }
const ag_op *ag_op_of(const ag_tensor *x) { return x ? x->op : NULL; }
int ag_input_count(const ag_tensor *x) { return x ? (int)x->nin : 0; }
ag_tensor *ag_input(const ag_tensor *x, int i) { return x && i >= 0 && (uint32_t)i < x->nin ? ag__in(x)[i] : NULL; }
int ag_scope_of(const ag_tensor *x) { return x ? x->scope : 0; }

const char *ag_op_name(const ag_tensor *x) {
    if (!x) return "NULL";
    return x->op ? x->op->name : x->flags & AG__PART ? "part" : "leaf";
}
