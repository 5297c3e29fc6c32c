/* order_tmpl.h: sorting items by their keys, stably. Given: KEY and PLACE, unsigned types of an item's two members, NAME(x) and
 * SHORT, the most items that are sorted by insertion. */

typedef struct NAME(item) {
    KEY key;
    PLACE place;
} NAME(item);

static void NAME(insert)(NAME(item) * a, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        NAME(item) moving = a[i];
        int64_t at = i;
        for (; at > 0 && a[at - 1].key > moving.key; at--) a[at] = a[at - 1];
        a[at] = moving;
    }
}

/* The number of the first digit from d on in which keys differ, `differ` being the bits in which they do. */
static size_t NAME(next_digit)(KEY differ, size_t d) {
    while (d < sizeof(KEY) && !(differ >> d * DIGIT_BITS & (DIGITS - 1))) d++;
    return d;
}

/* Digit by digit from the last, each pass a stable distribution from a to b that counts the next digit on its way; digits in
 * which no two keys differ are passed over. Returns where the sorted items are: a or b. */
static NAME(item) * NAME(distribute)(NAME(item) * a, NAME(item) * b, int64_t n) {
    KEY any = 0, all = (KEY)-1;
    for (int64_t i = 0; i < n; i++) {
        any |= a[i].key;
        all &= a[i].key;
    }
    PLACE counts[2][DIGITS] = {{0}}, *count = counts[0], *ahead = counts[1];
    size_t d = NAME(next_digit)(any ^ all, 0);
    for (int64_t i = 0; d < sizeof(KEY) && i < n; i++) count[a[i].key >> d * DIGIT_BITS & (DIGITS - 1)]++;
    while (d < sizeof(KEY)) {
        size_t next = NAME(next_digit)(any ^ all, d + 1), later = next < sizeof(KEY) ? next : 0;
        PLACE sum = 0;
        for (int k = 0; k < DIGITS; k++) {
            PLACE own = count[k];
            count[k] = sum;
            sum += own;
            ahead[k] = 0;
        }
        for (int64_t i = 0; i < n; i++) {
            NAME(item) moving = a[i];
            b[count[moving.key >> d * DIGIT_BITS & (DIGITS - 1)]++] = moving;
            ahead[moving.key >> later * DIGIT_BITS & (DIGITS - 1)]++;
        }
        NAME(item) *other = a;
        PLACE *counted = ahead;
        a = b;
        b = other;
        ahead = count;
        count = counted;
        d = next;
    }
    return a;
}

/* a, of n items, and room for as many at a + n. */
static void NAME(sort)(NAME(item) * a, int64_t n, int64_t *place) {
    if (n <= SHORT) {
        NAME(insert)(a, n);
    } else {
        a = NAME(distribute)(a, a + n, n);
    }
    for (int64_t i = 0; i < n; i++) place[i] = (int64_t)a[i].place;
}

#undef KEY
#undef PLACE
#undef NAME
#undef SHORT
