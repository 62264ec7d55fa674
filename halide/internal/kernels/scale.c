// Downscaling of the three planes of an I420 frame.
#include "shim_internal.h"
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { GROUPS = 4 };

struct plane { uint8_t *p; int32_t stride, w, h; };
struct ratio { int32_t num, den; };
static const struct ratio ratios[] = {{2, 1}, {3, 2}, {4, 3}, {3, 1}};

// Keeping `den` bytes out of every `num`: as many whole groups as fit 16 bytes per shuffle.
struct keep { int32_t read, write; uint8_t pick[16]; };
static const struct keep keeps[] = {
    [HW_PHASE_32] = {15, 10, {0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 255, 255, 255, 255, 255, 255}},
    [HW_PHASE_43] = {16, 12, {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255}},
    [HW_THIRD] = {15, 5, {0, 3, 6, 9, 12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
};

static void keep_plain(const uint8_t *in, uint8_t *out, int32_t n, struct ratio q) {
    for (; n >= q.den; n -= q.den, in += q.num, out += q.den)
        for (int32_t i = 0; i < q.den; i++) out[i] = in[i];
    for (int32_t i = 0; i < n; i++) out[i] = in[i];
}

#if defined(__x86_64__)
// Without a byte shuffle: eight bytes at a time in a register. A store may be wider than what it
// keeps, so the last ones are left to the plain loop.
static int32_t keep_words(int32_t kind, const uint8_t *in, uint8_t *out, int32_t n) {
    int32_t done = 0;
    uint64_t w;
    for (; done + 8 <= n; in += kind == HW_PHASE_32 ? 6 : kind == HW_PHASE_43 ? 8 : 9) {
        memcpy(&w, in, 8);
        if (kind == HW_PHASE_32) w = (w & 0xffff) | (w >> 8 & 0xffff0000);
        else if (kind == HW_PHASE_43) w = (w & 0xffffff) | (w >> 8 & 0xffffff000000);
        else w = (w & 0xff) | (w >> 16 & 0xff00) | (w >> 32 & 0xff0000);
        memcpy(out + done, &w, 8);
        done += kind == HW_PHASE_32 ? 4 : kind == HW_PHASE_43 ? 6 : 3;
    }
    return done;
}

__attribute__((target("ssse3")))
static int32_t keep_shuffle(const uint8_t *in, uint8_t *out, int32_t n, const struct keep *k) {
    __m128i pick = _mm_loadu_si128((const __m128i *)k->pick);
    int32_t done = 0;
    // A store is 16 bytes whatever it keeps, so the last ones take a detour.
    for (; done + 16 <= n; done += k->write, in += k->read) {
        __m128i v = _mm_loadu_si128((const __m128i *)in);
        _mm_storeu_si128((__m128i *)(out + done), _mm_shuffle_epi8(v, pick));
    }
    for (; done < n; done += k->write, in += k->read) {
        uint8_t last[16];
        __m128i v = _mm_loadu_si128((const __m128i *)in);
        _mm_storeu_si128((__m128i *)last, _mm_shuffle_epi8(v, pick));
        for (int32_t i = 0; i < k->write && done + i < n; i++) out[done + i] = last[i];
    }
    return n;
}

// 4:3 on 32 bytes, of which 24 are kept.
__attribute__((target("avx2")))
static int32_t keep_43_32(const uint8_t *in, uint8_t *out, int32_t n) {
    const struct keep *k = &keeps[HW_PHASE_43];
    __m256i pick = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)k->pick));
    __m256i gather = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 6, 6);
    int32_t done = 0;
    for (; done + 32 <= n; done += 24, in += 32) {
        __m256i v = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)in), pick);
        _mm256_storeu_si256((__m256i *)(out + done), _mm256_permutevar8x32_epi32(v, gather));
    }
    _mm256_zeroupper(); // what comes next knows no wide registers and would wait for them
    return done + keep_shuffle(in, out + done, n - done, k);
}

// The same on 64 bytes: words are spread so that each 16 byte lane holds whole groups, the bytes of
// each lane are picked, and the words that remain are gathered.
struct wide { int32_t read, write; uint32_t spread[16], gather[16]; uint8_t pick[16]; };
static const struct wide wides[] = {
    [HW_PHASE_32] = {48, 32, {0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0},
                     {0, 1, 4, 5, 8, 9, 12, 13}, {0, 1, 3, 4, 6, 7, 9, 10}},
    [HW_PHASE_43] = {64, 48, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                     {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14},
                     {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14}},
    [HW_THIRD] = {48, 16, {0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0}, {0, 4, 8, 12},
                  {0, 3, 6, 9}},
};

__attribute__((target("avx512f,avx512bw")))
static int32_t keep_wide(const uint8_t *in, uint8_t *out, int32_t n, const struct wide *k) {
    __m512i spread = _mm512_loadu_si512(k->spread), gather = _mm512_loadu_si512(k->gather);
    __m512i pick = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)k->pick));
    for (int32_t done = 0; done < n; done += k->write, in += k->read) {
        __m512i v = _mm512_permutexvar_epi32(spread, _mm512_loadu_si512(in));
        v = _mm512_permutexvar_epi32(gather, _mm512_shuffle_epi8(v, pick));
        if (done + 64 <= n) {
            _mm512_storeu_si512(out + done, v);
        } else {
            int32_t left = n - done < k->write ? n - done : k->write;
            _mm512_mask_storeu_epi8(out + done, (1ull << left) - 1, v);
        }
    }
    return n;
}

// 4:3 on 256 bytes, of which 192 are kept: whole vectors to store.
__attribute__((target("avx512f,avx512bw")))
static int32_t keep_43_256(const uint8_t *in, uint8_t *out, int32_t n) {
    const struct wide *k = &wides[HW_PHASE_43];
    __m512i pick = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)k->pick));
    // Three words of every four count; those of the next vector are 16 to 31.
    static const uint32_t words[3][16] = {
        {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20},
        {5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25},
        {10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30}};
    __m512i first = _mm512_loadu_si512(words[0]), second = _mm512_loadu_si512(words[1]);
    __m512i third = _mm512_loadu_si512(words[2]);
    int32_t done = 0;
    for (; done + 192 <= n; done += 192, in += 256) {
        __m512i a = _mm512_shuffle_epi8(_mm512_loadu_si512(in), pick);
        __m512i b = _mm512_shuffle_epi8(_mm512_loadu_si512(in + 64), pick);
        __m512i c = _mm512_shuffle_epi8(_mm512_loadu_si512(in + 128), pick);
        __m512i d = _mm512_shuffle_epi8(_mm512_loadu_si512(in + 192), pick);
        _mm512_storeu_si512(out + done, _mm512_permutex2var_epi32(a, first, b));
        _mm512_storeu_si512(out + done + 64, _mm512_permutex2var_epi32(b, second, c));
        _mm512_storeu_si512(out + done + 128, _mm512_permutex2var_epi32(c, third, d));
    }
    return done + keep_wide(in, out + done, n - done, k);
}

static int32_t keep_fast(int32_t kind, const uint8_t *in, uint8_t *out, int32_t n) {
    static int known;
    int level = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!level) {
        level = hw_level();
        __atomic_store_n(&known, level, __ATOMIC_RELAXED);
    }
    if (level >= 4)
        return kind == HW_PHASE_43 ? keep_43_256(in, out, n) : keep_wide(in, out, n, &wides[kind]);
    if (level == 3 && kind == HW_PHASE_43) return keep_43_32(in, out, n);
    return level >= 2 ? keep_shuffle(in, out, n, &keeps[kind]) : keep_words(kind, in, out, n);
}
#elif defined(__aarch64__)
static int32_t keep_shuffle(const uint8_t *in, uint8_t *out, int32_t n, const struct keep *k) {
    uint8x16_t pick = vld1q_u8(k->pick);
    int32_t done = 0;
    for (; done + 16 <= n; done += k->write, in += k->read)
        vst1q_u8(out + done, vqtbl1q_u8(vld1q_u8(in), pick));
    return done;
}
static int32_t keep_fast(int32_t kind, const uint8_t *in, uint8_t *out, int32_t n) {
    return keep_shuffle(in, out, n, &keeps[kind]);
}
#endif

// in may be read up to 64 bytes past what is kept.
static void keep_some(int32_t kind, const uint8_t *in, uint8_t *out, int32_t n) {
    int32_t done = keep_fast(kind, in, out, n);
    struct ratio q = ratios[kind];
    keep_plain(in + (ptrdiff_t)(done / q.den) * q.num, out + done, n - done, q);
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

static uint8_t quarters(uint8_t a, uint8_t b, int32_t phase) {
    uint8_t m = (uint8_t)((a + b + 1) >> 1), near = phase == 0 ? a : phase == 1 ? m : b;
    return (uint8_t)((m + near + 1) >> 1);
}

static uint8_t one_43(const struct plane *s, int32_t x, int32_t y) {
    uint8_t v[2];
    for (int32_t i = 0; i < 2; i++) {
        const uint8_t *column = s->p + least(x / 3 * 4 + x % 3 + i, s->w - 1);
        int32_t cy = y / 3 * 4 + y % 3;
        v[i] = (uint8_t)~quarters(column[(ptrdiff_t)least(cy, s->h - 1) * s->stride],
                                  column[(ptrdiff_t)least(cy + 1, s->h - 1) * s->stride], y % 3);
    }
    return (uint8_t)~quarters(v[0], v[1], x % 3);
}

// One output pixel of a fixed ratio, from the definition; x and y beyond the edge repeat it.
static uint8_t one(const struct plane *s, struct ratio q, int32_t x, int32_t y) {
    if (q.num == 4) return one_43(s, x, y);
    int32_t cx = x / q.den * q.num + x % q.den, cy = y / q.den * q.num + y % q.den;
    int32_t reach = q.den == 1 ? q.num : 2, sum = 0, total = q.num * q.num;
    for (int32_t j = 0; j < reach; j++) {
        int32_t wy = q.den == 1 ? 1 : j ? y % q.den + 1 : q.num - 1 - y % q.den;
        for (int32_t i = 0; i < reach; i++) {
            int32_t wx = q.den == 1 ? 1 : i ? x % q.den + 1 : q.num - 1 - x % q.den;
            sum += wx * wy * s->p[(ptrdiff_t)least(cy + j, s->h - 1) * s->stride +
                                  least(cx + i, s->w - 1)];
        }
    }
    return (uint8_t)((sum + total / 2) / total);
}

// The columns from x on and the rows from y on, which the kernel could not do.
static void edges(const struct plane *s, const struct plane *d, struct ratio q, int32_t x,
                  int32_t y) {
    for (int32_t j = 0; j < d->h; j++)
        for (int32_t i = j < y ? x : 0; i < d->w; i++)
            d->p[(ptrdiff_t)j * d->stride + i] = one(s, q, i, j);
}

static int half(const struct plane *s, const struct plane *d) {
    int32_t w = least(d->w, s->w / 2), h = least(d->h, s->h / 2);
    uint8_t *even = 0;
    int e = 0;
    if (s->stride & 1) {  // pairs of an odd stride are not 16 bit steps apart: two rows at a time
        even = hw_scratch(0, (size_t)4 * (size_t)w);
        if (!even) return hw_refuse(-1, "out of memory");
    }
    int32_t step = even ? 1 : h;
    for (int32_t y = 0; y < h && !e; y += step) {
        const uint8_t *rows = s->p + (ptrdiff_t)2 * y * s->stride;
        if (even) {
            memcpy(even, rows, (size_t)(2 * w));
            memcpy(even + 2 * w, rows + s->stride, (size_t)(2 * w));
            rows = even;
        }
        BUFFER2(in, rows, u16, w, 0, 2 * step, even ? w : s->stride / 2);
        BUFFER2(out, d->p + (ptrdiff_t)y * d->stride, u8, w, 0, step, d->stride);
        e = k_half(&in, &out);
    }
    hw_release(0, even);
    edges(s, d, ratios[HW_HALF], w, h);
    return e;
}

// A plane's scaling by one of the fixed ratios that need packing.
struct phase {
    int32_t kind, dense, stride, w;  // dense columns, bytes from row to row of them, outputs kept
    uint8_t *rows;                   // room for GROUPS * den dense rows
    uint8_t *left, *right;
};

// Scales n groups of num rows from src and keeps the first `keep` of their n * den outputs.
static int groups(const struct phase *f, uint8_t *src, int32_t src_stride, int32_t src_w, int32_t n,
                  uint8_t *dst, int32_t dst_stride, int32_t keep) {
    struct ratio q = ratios[f->kind];
    BUFFER2(in, src, u8, src_w, 0, n * q.num, src_stride);
    int e;
    if (f->kind == HW_THIRD) {
        BUFFER2(out, f->rows, u8, f->dense, 0, n, f->stride);
        e = k_third(&in, &out);
    } else {
        BUFFER1(l, f->left, u8, f->dense);
        BUFFER1(r, f->right, u8, f->dense);
        BUFFER3(out, f->rows, u8, f->dense, q.den, f->stride, n, f->stride * q.den);
        e = f->kind == HW_PHASE_32 ? k_phase_32(&in, &l, &r, &out) : k_phase_43(&in, &l, &r, &out);
    }
    for (int32_t i = 0; i < keep && !e; i++)
        keep_some(f->kind, f->rows + (ptrdiff_t)i * f->stride, dst + (ptrdiff_t)i * dst_stride,
                  f->w);
    return e;
}

static int phase(int32_t kind, const struct plane *s, const struct plane *d, uint8_t *left,
                 uint8_t *right) {
    struct ratio q = ratios[kind];
    int32_t dense = s->w - (kind == HW_THIRD ? 2 : 1), stride = dense + 32;
    int32_t w = least(d->w, dense / q.num * q.den + least(dense % q.num, q.den));
    size_t room = (size_t)stride * GROUPS * (size_t)q.den + 128;
    uint8_t *rows = hw_scratch(0, room + (size_t)s->w * (size_t)q.num);
    if (!rows) return hw_refuse(-1, "out of memory");
    struct phase f = {kind, dense, stride, w, rows, left, right};
    int32_t whole = least(d->h / q.den, s->h / q.num), g = 0, e = 0;
    for (int32_t n; g < whole && !e; g += n) {
        n = least(GROUPS, whole - g);
        e = groups(&f, s->p + (ptrdiff_t)g * q.num * s->stride, s->stride, s->w, n,
                   d->p + (ptrdiff_t)g * q.den * d->stride, d->stride, n * q.den);
    }
    // What remains at the bottom is part of a group whose missing rows repeat the last.
    int32_t rest = d->h - whole * q.den;
    uint8_t *last = rows + room;
    for (int32_t i = 0; rest > 0 && i < q.num; i++) {
        int32_t y = least(whole * q.num + i, s->h - 1);
        memcpy(last + (ptrdiff_t)i * s->w, s->p + (ptrdiff_t)y * s->stride, (size_t)s->w);
    }
    if (rest > 0 && !e)
        e = groups(&f, last, s->w, s->w, 1, d->p + (ptrdiff_t)whole * q.den * d->stride, d->stride,
                   least(rest, q.den));
    hw_release(0, rows);
    edges(s, d, q, w, least(d->h, (whole + 1) * q.den));
    return e;
}

static int general(const struct plane *s, const struct plane *d, int32_t taps, int32_t *xs,
                   int32_t *ys, int16_t *xw, int16_t *yw) {
    BUFFER2(in, s->p, u8, s->w, 0, s->h, s->stride);
    BUFFER1(bxs, xs, i32, d->w);
    BUFFER1(bys, ys, i32, d->h);
    BUFFER2(bxw, xw, i16, d->w, 0, taps, d->w);
    BUFFER2(byw, yw, i16, taps, 0, d->h, taps);
    BUFFER2(out, d->p, u8, d->w, 0, d->h, d->stride);
    return taps == 2 ? k_general_2(&in, &bxs, &bys, &bxw, &byw, &out)
                     : k_general_n(&in, &bxs, &bys, &bxw, &byw, &out);
}

// ints and weights hold, for luma and then for chroma, the first taps of columns and rows, and
// their weights; phases holds the two weights of each column of a fixed ratio, s_w of each.
int hw_scale(int32_t kind, PLANE_ARGS(sy), PLANE_ARGS(su), PLANE_ARGS(sv), PLANE_ARGS(dy),
             PLANE_ARGS(du), PLANE_ARGS(dv), int32_t taps, int32_t *ints, int16_t *weights,
             uint8_t *phases, char *err) {
    const struct plane s[3] = {{sy, sy_stride, sy_w, sy_h}, {su, su_stride, su_w, su_h},
                               {sv, sv_stride, sv_w, sv_h}};
    const struct plane d[3] = {{dy, dy_stride, dy_w, dy_h}, {du, du_stride, du_w, du_h},
                               {dv, dv_stride, dv_w, dv_h}};
    for (int p = 0; p < 3; p++) {
        int e;
        if (kind == HW_HALF) {
            e = half(&s[p], &d[p]);
        } else if (kind == HW_GENERAL) {
            ptrdiff_t skip = p ? dy_w + dy_h : 0;
            int32_t *xs = ints + skip;
            int16_t *xw = weights + skip * taps;
            e = general(&s[p], &d[p], taps, xs, xs + d[p].w, xw, xw + (ptrdiff_t)d[p].w * taps);
        } else {
            e = phase(kind, &s[p], &d[p], phases, phases ? phases + sy_w : 0);
        }
        if (e) return hw_fail(e, err);
    }
    return 0;
}
