// What the kernels ask of their surroundings: errors, scratch memory, processor features.
#include "shim_internal.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static __thread char last_error[HW_ERROR];

// The default handler prints and aborts the process; this one keeps the text, and the kernel
// returns a negative code.
static void on_error(void *context, const char *message) {
    (void)context;
    strncpy(last_error, message, sizeof last_error - 1);
}

static void on_print(void *context, const char *message) {
    (void)context;
    (void)message;
}

int hw_fail(int code, char *err) {
    if (code && err) memcpy(err, last_error, HW_ERROR);
    last_error[0] = 0;
    return code;
}

int hw_refuse(int code, const char *text) {
    strncpy(last_error, text, sizeof last_error - 1);
    return code;
}

// Scratch: each thread keeps the blocks that were freed last, because malloc maps and faults large
// blocks anew on every frame. Blocks are padded, as a kernel may load a vector past either end.
enum { SLOTS = 8, PAD = 128, PAGE = 4096 };
struct block { size_t size; };
static __thread struct block *kept[SLOTS];
static __thread bool registered;
static pthread_key_t at_exit;
static size_t l2 = 512 << 10;

static void *payload(struct block *b) { return (char *)b + PAD; }

void *hw_scratch(void *context, size_t size) {
    (void)context;
    int best = -1;
    for (int i = 0; i < SLOTS; i++) {
        struct block *b = kept[i];
        if (b && b->size >= size && b->size <= 4 * size + PAGE &&
            (best < 0 || b->size < kept[best]->size))
            best = i;
    }
    if (best >= 0) {
        struct block *b = kept[best];
        kept[best] = 0;
        return payload(b);
    }
    size_t rounded = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    struct block *b = aligned_alloc(PAD, rounded + 2 * PAD);
    if (!b) return 0;
    b->size = rounded;
    return payload(b);
}

void hw_release(void *context, void *p) {
    (void)context;
    if (!p) return;
    struct block *b = (struct block *)((char *)p - PAD);
    if (!registered) {
        pthread_setspecific(at_exit, kept);
        registered = true;
    }
    int smallest = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (!kept[i]) {
            kept[i] = b;
            return;
        }
        if (kept[i]->size < kept[smallest]->size) smallest = i;
    }
    if (kept[smallest]->size < b->size) {
        struct block *old = kept[smallest];
        kept[smallest] = b;
        b = old;
    }
    free(b);
}

static void release_all(void *slots) {
    struct block **s = slots;
    for (int i = 0; i < SLOTS; i++) {
        free(s[i]);
        s[i] = 0;
    }
}

int32_t hw_strip_rows(int32_t width) {
    size_t rows = l2 / (8 * (size_t)width);
    return rows < 32 ? 32 : rows > 512 ? 512 : (int32_t)rows;
}

#if defined(__x86_64__)
#define BIT(f) (1ull << halide_target_feature_##f)
static const uint64_t needs[5] = {
    0, 0, BIT(sse41), BIT(sse41) | BIT(avx) | BIT(f16c) | BIT(fma) | BIT(avx2),
    BIT(sse41) | BIT(avx) | BIT(f16c) | BIT(fma) | BIT(avx2) | BIT(avx512) | BIT(avx512_skylake)};
static int cap = 4;

// Kernels ask once, at their first call, and keep the answer.
static int can_use(int count, const uint64_t *features) {
    uint64_t masked = needs[4] & ~needs[cap];
    if (count > 0 && (features[0] & masked)) return 0;
    return halide_default_can_use_target_features(count, features);
}

static void set_cap(const char *text) {
    if (text && text[0] >= '1' && text[0] <= '4' && !text[1]) cap = text[0] - '0';
}

int hw_level(void) {
    int level = 1;
    for (int i = 2; i <= 4; i++) {
        uint64_t words[2] = {needs[i], 0};
        if (can_use(2, words)) level = i;
    }
    return level;
}
#else
int hw_level(void) { return 0; }
#endif

void hw_noop(void) {}

// Runs when the object is loaded, before any Go code, so that no order of Go initialisation counts.
__attribute__((constructor)) static void install(void) {
    pthread_key_create(&at_exit, release_all);
    halide_set_error_handler(on_error);
    halide_set_custom_print(on_print);
    halide_set_custom_malloc(hw_scratch);
    halide_set_custom_free(hw_release);
#if defined(__x86_64__)
    set_cap(getenv("HEADWATER_CPU_LEVEL"));
    halide_set_custom_can_use_target_features(can_use);
#endif
    long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (size >= 128 << 10) l2 = size;
}
