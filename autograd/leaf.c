/* leaf.c: the tensors that no operation made: parameters, buffers, data, constants, and borrowed or mapped memory.
 *
 * A persistent leaf always has a storage; a recorded one of at most 8 bytes keeps its value in the node. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/node.h"

const size_t ag__dtype_bytes[AG_DTYPE_COUNT] = {4, 8, 8, 1};

static ag_tensor *node_init(ag_tape *t, ag__region *r, ag_dtype dtype, const ag__shape *shape, ag__storage *store) {
    ag_tensor *x = ag__node_new(t, r, NULL, 0, AG__LIVE | AG__LEAF | (r == &t->persistent ? AG__PERSISTENT : 0));
    if (!x) return NULL;
    x->shape = shape;
    x->store = store;
    x->dtype = (uint8_t)dtype;
    x->ran = ++t->clock;
    x->data = store ? (void *)store->base : (void *)&x->scalar;
    r->count++;
    return x;
}

ag_tensor *ag__leaf_in(ag_tape *t, ag__region *r, ag_dtype dtype, const ag__shape *shape, bool inline_ok) {
    if (!shape) return NULL;
    size_t bytes = (size_t)shape->size * ag__dtype_bytes[dtype];
    if (inline_ok && bytes <= sizeof(double)) return node_init(t, r, dtype, shape, NULL);
    ag__storage *s = r == &t->persistent ? ag__storage_lasting(t, bytes) : ag__storage_new(t, bytes);
    if (!s) return NULL;
    ag_tensor *x = node_init(t, r, dtype, shape, s);
    if (!x) ag__storage_drop(t, s);
    return x;
}

/* The tests every leaf begins with. */
static const ag__shape *check(ag_tape *t, ag_dtype dtype, const ag_shape *shape, const char *what) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the tape is NULL", what);
    if (t->status) return NULL;
    if (dtype < AG_F32 || dtype >= AG_DTYPE_COUNT)
        return ag__fail(t, AG_ERR_DTYPE, "%s: no dtype has the number %d", what, (int)dtype);
    return ag__shape_intern(t, shape, what);
}

ag_tensor *ag_leaf(ag_tape *t, ag_dtype dtype, const void *data, ag_shape shape, unsigned flags) {
    const ag__shape *s = check(t, dtype, &shape, "leaf");
    if (!s) return NULL;
    bool grad = flags & AG_REQUIRES_GRAD, recorded = flags & AG_RECORDED;
    if (grad && !ag__is_float(dtype)) {
        return ag__fail(t, AG_ERR_DTYPE, "leaf: only f32 and f64 can require a gradient, not %s", ag_dtype_name(dtype));
    }
    ag_tensor *x = ag__leaf_in(t, recorded ? t->region : &t->persistent, dtype, s, recorded);
    if (!x) return NULL;
    size_t bytes = (size_t)s->size * ag__dtype_bytes[dtype];
    if (data) {
        memcpy(x->data, data, bytes);
    } else {
        memset(x->data, 0, bytes);
    }
    if (grad) x->flags |= AG__GRAD;
    return x;
}

ag_tensor *ag_param(ag_tape *t, ag_dtype dtype, ag_shape shape) {
    return ag_leaf(t, dtype, NULL, shape, AG_REQUIRES_GRAD);
}
ag_tensor *ag_buffer(ag_tape *t, ag_dtype dtype, ag_shape shape) { return ag_leaf(t, dtype, NULL, shape, 0); }
ag_tensor *ag_from_f32(ag_tape *t, const float *data, ag_shape shape) { return ag_leaf(t, AG_F32, data, shape, 0); }
ag_tensor *ag_from_f64(ag_tape *t, const double *data, ag_shape shape) { return ag_leaf(t, AG_F64, data, shape, 0); }
ag_tensor *ag_from_i64(ag_tape *t, const int64_t *data, ag_shape shape) { return ag_leaf(t, AG_I64, data, shape, 0); }
ag_tensor *ag_from_bool(ag_tape *t, const bool *data, ag_shape shape) { return ag_leaf(t, AG_BOOL, data, shape, 0); }

ag_tensor *ag_scalar(ag_tape *t, ag_dtype dtype, double value) { return ag_full(t, dtype, AG_SHAPE(), value); }

ag_tensor *ag_full(ag_tape *t, ag_dtype dtype, ag_shape shape, double value) {
    const ag__shape *s = check(t, dtype, &shape, "full");
    if (!s) return NULL;
    ag_tensor *x = node_init(t, t->region, dtype, s, NULL);
    if (!x) return NULL;
    static const int64_t still[AG_MAX_RANK];
    if (s->size != 1) x->strides = still;
    ag__store_value(&x->scalar, dtype, value);
    return x;
}

ag_tensor *ag_wrap(ag_tape *t, ag_dtype dtype, void *data, ag_shape shape, ag_release_fn *release, void *context) {
    ag_tensor *x = NULL;
    const ag__shape *s = check(t, dtype, &shape, "wrap");
    if (s && !data && s->size) {
        ag__fail(t, AG_ERR_ARGUMENT, "wrap: data is NULL");
    } else if (s && (uintptr_t)data % ag__dtype_bytes[dtype]) {
        ag__fail(t, AG_ERR_ARGUMENT, "wrap: the address %p is not a multiple of the %zu bytes of %s", data,
                 ag__dtype_bytes[dtype], ag_dtype_name(dtype));
    } else if (s) {
        ag__storage *store = ag__storage_foreign(t, AG__EXTERNAL, data, (size_t)s->size * ag__dtype_bytes[dtype]);
        x = store ? node_init(t, &t->persistent, dtype, s, store) : NULL;
        if (x) {
            store->release = release;
            store->context = context;
            if (!data) x->data = &x->scalar; /* no elements, but an address */
        }
    }
    if (!x && release) release(context, data);
    return x;
}

/* Maps [offset, offset + bytes) of an open file; mmap wants whole pages, so the view starts inside the first. */
static ag_tensor *map_open(ag_tape *t, ag_dtype dtype, const ag__shape *s, int fd, const char *path, int64_t offset) {
    struct stat about;
    size_t bytes = (size_t)s->size * ag__dtype_bytes[dtype];
    if (fstat(fd, &about)) return ag__fail(t, AG_ERR_IO, "map_file: %s: %s", path, strerror(errno));
    if (offset < 0 || offset > about.st_size || bytes > (size_t)(about.st_size - offset)) {
        return ag__fail(t, AG_ERR_IO, "map_file: %s has %lld bytes; %zu bytes from byte %lld were asked for", path,
                        (long long)about.st_size, bytes, (long long)offset);
    }
    if (offset % (int64_t)ag__dtype_bytes[dtype]) {
        return ag__fail(t, AG_ERR_ARGUMENT, "map_file: %s: the offset %lld is not a multiple of the element's size",
                        path, (long long)offset);
    }
    size_t lead = (size_t)(offset % sysconf(_SC_PAGESIZE)), length = bytes + lead ? bytes + lead : 1;
    void *pages = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, (off_t)(offset - (int64_t)lead));
    if (pages == MAP_FAILED) return ag__fail(t, AG_ERR_IO, "map_file: %s: %s", path, strerror(errno));
    ag__storage *store = ag__storage_foreign(t, AG__MAPPED, (char *)pages + lead, length);
    if (!store) {
        munmap(pages, length);
        return NULL;
    }
    store->context = pages;
    store->read_only = true;
    return node_init(t, &t->persistent, dtype, s, store);
}

ag_tensor *ag_map_file(ag_tape *t, ag_dtype dtype, const char *path, int64_t offset, ag_shape shape) {
    const ag__shape *s = check(t, dtype, &shape, "map_file");
    if (!s) return NULL;
    if (!path) return ag__fail(t, AG_ERR_ARGUMENT, "map_file: the path is NULL");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ag__fail(t, AG_ERR_IO, "map_file: %s: %s", path, strerror(errno));
    ag_tensor *x = map_open(t, dtype, s, fd, path, offset);
    close(fd);
    return x;
}

ag_tensor *ag_share(ag_tape *t, ag_tensor *leaf) {
    if (!t || t->status) return t ? NULL : ag__fail(NULL, AG_ERR_ARGUMENT, "share: the tape is NULL");
    if (!leaf) return ag__fail(t, AG_ERR_ARGUMENT, "share: the leaf is NULL");
    char text[160];
    if (!(leaf->flags & AG__LEAF) || !(leaf->flags & AG__PERSISTENT)) {
        return ag__fail(t, AG_ERR_ARGUMENT, "share: %s is not a persistent leaf", ag__label(leaf, text, sizeof text));
    }
    ag_shape shape = ag_shape_of(leaf);
    const ag__shape *s = ag__shape_intern(t, &shape, "share");
    ag__storage *store = s ? ag__storage_foreign(t, AG__BORROWED, leaf->data, leaf->store->bytes) : NULL;
    ag_tensor *x = store ? node_init(t, &t->persistent, (ag_dtype)leaf->dtype, s, store) : NULL;
    if (!x) return NULL;
    store->owner = leaf->store->kind == AG__BORROWED ? leaf->store->owner : leaf->store; /* who is written, if lent twice */
    store->seen = __atomic_load_n(&store->owner->stamp, __ATOMIC_ACQUIRE);
    store->read_only = true;
    x->flags |= (uint16_t)(AG__BORROWS | (leaf->flags & AG__GRAD));
    if (*ag_name(leaf)) ag_set_name(x, ag_name(leaf));
    return x;
}
