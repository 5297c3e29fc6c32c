/* scatter_share_tmpl.h: the walks of scatter_share.c for one type. Given: T, KEY, the integer of its size, MOST, the largest of
 * these, and NAME(of). */

/* What is known of a place. Numbers are compared as integers in the same order, and nothing branches:
 * what is the largest so far, no processor can tell. */
typedef struct NAME(place) {
    KEY best;
    union {
        KEY count; /* how many of src are as large as best, or NONE; then it is their share that is known */
        T share;
        KEY bits;
    };
} NAME(place);

/* sign v, −0 as 0, NaN above all: the smallest is the largest of −x and −src. */
static KEY NAME(key)(T v, T sign) {
    KEY bits;
    v = sign * v + (T)0;
    memcpy(&bits, &v, sizeof bits);
    return v == v ? bits ^ ((bits >> (sizeof(KEY) * 8 - 1)) & MOST) : MOST;
}

static void NAME(start)(void *context, int64_t begin, int64_t end) {
    const job *s = context;
    const T *x = s->x;
    NAME(place) *places = s->places;
    for (int64_t i = begin; i < end; i++)
        places[i] = (NAME(place)){s->include_self ? NAME(key)(x[i], (T)s->sign) : -MOST, {NONE}};
}

static void NAME(tally)(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) {
    const job *s = context;
    const T *src = (const T *)s->src + at, sign = (T)s->sign;
    NAME(place) *places = s->places;
    for (int64_t j = 0; j < l->length; j++) {
        NAME(place) *p = places + ag__line_at(l, index, base, j);
        KEY key = NAME(key)(src[j], sign), best = p->best;
        KEY others = (p->count > 0 ? p->count : 0) & -(KEY)(key <= best);
        p->best = key > best ? key : best;
        p->count = others + ((key >= best) & (others < MOST));
    }
}

static void NAME(settle)(void *context, int64_t begin, int64_t end) {
    const job *s = context;
    const T *x = s->x, *g = s->g;
    NAME(place) *places = s->places;
    for (int64_t i = begin; i < end; i++) {
        NAME(place) *p = places + i;
        bool own = s->include_self && NAME(key)(x[i], (T)s->sign) == p->best, untouched = p->count < 0;
        T count = (T)p->count + own, share = count > 0 && p->best != MOST ? g[i] / count : 0;
        ((T *)s->dx)[i] = untouched ? g[i] : own ? share : 0;
        p->share = share;
    }
}

static void NAME(give)(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) {
    const job *s = context;
    const T *src = (const T *)s->src + at, sign = (T)s->sign;
    const NAME(place) *places = s->places;
    T *dsrc = (T *)s->dsrc + at;
    for (int64_t j = 0; j < l->length; j++) {
        const NAME(place) *p = places + ag__line_at(l, index, base, j);
        KEY bits = p->bits & -(KEY)(NAME(key)(src[j], sign) == p->best);
        memcpy(&dsrc[j], &bits, sizeof bits);
    }
}

#undef T
#undef KEY
#undef MOST
#undef NAME
