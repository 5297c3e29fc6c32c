/* parallel.c: one small pool of threads for loops whose pieces are independent.
 *
 *   caller ── post ─▶ job {body, pieces, next} ◀── join ── worker 0 … worker 62
 *      └── takes pieces ──────────┴── take pieces ──┘        each its own share first, then what others have left
 *
 * [0, n) is cut into pieces by n and grain alone, and every piece is one call of the body, wherever it runs: results
 * cannot depend on the number of threads. One call owns the pool at a time; while it does, every other call, nested ones
 * among them, runs its own pieces in its own thread. So nothing here ever waits for a thread that waits for the pool.
 * Shares are the same from loop to loop: what a thread wrote, it finds in its own cache.
 *
 * Workers are made when first needed, look for the next job for a moment and then sleep; they take no signals. To share a job
 * with one that looks costs 0.2 µs; to wake one costs the caller 7 µs (on a virtual machine), and it comes after 25. So a job
 * wakes workers only if it is large, or if another job ended just now, for then more will follow. A forked child starts
 * without workers. They are joined when the process exits or the library is unloaded. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */
#endif
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "autograd/node.h"

enum {
    MOST_THREADS = 64, /* the caller and 63 workers */
    MOST_PIECES = 256, /* enough to balance 64 threads */
    LOOKS = 200,       /* whoever waits yields this often, about 100 µs, before it sleeps: the end is often near */
    SOON = 50000,      /* ns: a job that begins so soon after the last is one of many */
    LARGE = 12         /* pieces of about 4 µs that repay waking a worker */
};

typedef struct job {
    void (*body)(void *context, int64_t begin, int64_t end);
    void *context;
    int64_t n;
    int pieces, shares, helpers; /* helpers: workers that may join */
    fenv_t fenv;                 /* the caller's rounding mode and masks */
} job;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t posted, left;
    pthread_t worker[MOST_THREADS - 1];
    job job;
    int workers, asleep, joined; /* under lock, as are the next two; joined: workers that took up this job */
    bool open, stop;             /* may workers join; must they end */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .posted = PTHREAD_COND_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

static atomic_bool busy;   /* some call owns the pool */
static atomic_uint serial; /* jobs posted; written under lock, watched without */
static atomic_int inside;  /* workers in the job; changed under lock, watched without */
static struct {
    _Alignas(64) atomic_int next; /* first piece of the share that nobody has taken */
} share[MOST_THREADS];
static int64_t ended;     /* the owner's: when the last job did, in ns */
static atomic_int wanted; /* threads asked for; 0: nobody asked yet */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool confined; /* no worker can be made any more */

static void run_piece(const job *j, int i) {
    int64_t quotient = j->n / j->pieces, rest = j->n % j->pieces;
    int64_t begin = i * quotient + (i < rest ? i : rest);
    j->body(j->context, begin, begin + quotient + (i < rest));
}

static int share_begins(const job *j, int s) { return s * j->pieces / j->shares; }

static void take_pieces(const job *j, int own) {
    for (int k = 0; k < j->shares; k++) {
        int s = (own + k) % j->shares, end = share_begins(j, s + 1);
        for (int i; (i = atomic_fetch_add_explicit(&share[s].next, 1, memory_order_relaxed)) < end;) run_piece(j, i);
    }
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void await_job(unsigned seen) {
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(&serial, memory_order_relaxed) != seen) break;
        sched_yield();
    }
    pthread_mutex_lock(&pool.lock);
    while (!pool.stop && atomic_load_explicit(&serial, memory_order_relaxed) == seen) {
        pool.asleep++;
        pthread_cond_wait(&pool.posted, &pool.lock);
        pool.asleep--;
    }
}

static void *work(void *unused) {
    (void)unused;
    unsigned seen = 0; /* a job posted before this thread ran may still be open */
    for (;;) {
        await_job(seen); /* returns with the lock */
        if (pool.stop) break;
        seen = atomic_load_explicit(&serial, memory_order_relaxed);
        bool joins = pool.open && pool.joined < pool.job.helpers;
        int own = 0;
        if (joins) {
            own = ++pool.joined; /* share 0 is the caller's */
            atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed);
        }
        job j = pool.job;
        pthread_mutex_unlock(&pool.lock);
        if (!joins) continue;
        fesetenv(&j.fenv);
        take_pieces(&j, own);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub_explicit(&inside, 1, memory_order_release) == 1) pthread_cond_signal(&pool.left);
        pthread_mutex_unlock(&pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* The child has only the thread that forked; what the others held, locks included, is gone with them. */
static void forget_workers(void) {
    pool.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool.posted = pool.left = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool.workers = pool.asleep = pool.joined = 0;
    pool.open = pool.stop = false;
    atomic_store(&serial, 0u);
    atomic_store(&inside, 0);
    atomic_store(&busy, false);
    atomic_store(&confined, false);
}

static void watch_forks(void) {
    if (!pthread_atfork(NULL, NULL, forget_workers)) return;
    pthread_mutex_lock(&pool.lock);
    pool.stop = true; /* workers that a child could not forget must not be */
    pthread_mutex_unlock(&pool.lock);
}

/* Owner only, under lock: makes workers until there are `count`. When no more can be had, fewer must do. */
static void hire(int count) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.workers < count && !atomic_load(&confined)) {
        if (pthread_create(&pool.worker[pool.workers], NULL, work, NULL)) {
            atomic_store(&confined, true);
        } else {
            pool.workers++;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Gives the job to as many workers as it needs, if it repays waking them, else to those that are awake. */
static void post(job *j, bool wake) {
    pthread_mutex_lock(&pool.lock);
    if (wake && pool.workers < j->helpers && !pool.stop) hire(j->helpers);
    int awake = pool.workers - pool.asleep;
    if (j->helpers > awake && !wake) j->helpers = awake;
    if (j->helpers > 0) {
        j->shares = j->helpers + 1;
        for (int s = 0; s < j->shares; s++) {
            atomic_store_explicit(&share[s].next, share_begins(j, s), memory_order_relaxed);
        }
        pool.job = *j;
        pool.joined = 0;
        pool.open = true;
        atomic_fetch_add_explicit(&serial, 1u, memory_order_relaxed);
        if (j->helpers == awake + 1 && pool.asleep > 0) {
            pthread_cond_signal(&pool.posted);
        } else if (j->helpers > awake) {
            pthread_cond_broadcast(&pool.posted);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}

/* Every piece is taken; waits for the workers that still run one. */
static void finish(void) {
    pthread_mutex_lock(&pool.lock);
    pool.open = false;
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(&inside, memory_order_acquire) == 0) return;
        sched_yield();
    }
    pthread_mutex_lock(&pool.lock);
    while (atomic_load_explicit(&inside, memory_order_relaxed) > 0) pthread_cond_wait(&pool.left, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* At exit or dlclose. A worker in a body ends it first; loops run later find no workers. exit called inside a body, in a
 * worker, cannot join that worker: pthread_join says so and returns. */
__attribute__((destructor)) static void dismiss(void) {
    pthread_mutex_lock(&pool.lock);
    pool.stop = true;
    int workers = pool.workers;
    pool.workers = 0;
    pthread_cond_broadcast(&pool.posted);
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < workers; i++) pthread_join(pool.worker[i], NULL);
}

static int processors(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) return CPU_COUNT(&set);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static int clamp(long threads) { return threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : (int)threads; }

void ag_set_threads(int threads) {
    atomic_store(&wanted, clamp(threads));
    atomic_store(&confined, false); /* asked anew, try anew */
}

int ag_threads(void) {
    int threads = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (threads) return threads;
    const char *text = getenv("AG_THREADS");
    long asked = text ? strtol(text, NULL, 10) : 0;
    int unset = 0, found = clamp(asked > 0 ? asked : processors());
    atomic_compare_exchange_strong(&wanted, &unset, found);
    return atomic_load(&wanted);
}

static void run_alone(const job *j) {
    for (int i = 0; i < j->pieces; i++) run_piece(j, i);
}

/* A job of `work` pieces of the usual size. */
static void run(job *j, double work) {
    int threads = j->pieces > 1 ? ag_threads() : 1;
    if (threads > 1) pthread_once(&once, watch_forks);
    if (threads == 1 || atomic_exchange_explicit(&busy, true, memory_order_acquire)) {
        run_alone(j);
        return;
    }
    j->helpers = (threads < j->pieces ? threads : j->pieces) - 1;
    fegetenv(&j->fenv);
    post(j, work >= LARGE || now() - ended < SOON);
    if (j->helpers > 0) {
        take_pieces(j, 0);
        finish();
    } else {
        run_alone(j);
    }
    ended = now();
    atomic_store_explicit(&busy, false, memory_order_release);
}

void ag_parallel_for(int64_t n, int64_t grain, void (*body)(void *context, int64_t begin, int64_t end), void *context) {
    if (n <= 0) return;
    int64_t pieces = grain > 1 ? n / grain : n;
    job j = {.body = body, .context = context, .n = n};
    j.pieces = pieces < 1 ? 1 : pieces > MOST_PIECES ? MOST_PIECES : (int)pieces;
    run(&j, (double)pieces);
}

void ag__parallel_lanes(int lanes, double work, void (*body)(void *context, int64_t begin, int64_t end), void *context) {
    job j = {.body = body, .context = context, .n = lanes, .pieces = lanes};
    run(&j, work);
}
