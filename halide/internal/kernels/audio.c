// Audio meters.
#include "shim_internal.h"
#include <math.h>

enum { BLOCK = 64, CHUNK = 65536, K = 16, LONGEST = 64 };

// Adds `n` flat samples of nc channels, whole blocks by the kernel and the rest one by one.
static int add_s16(const int16_t *p, int32_t n, int nc, int64_t *squares, int32_t *big,
                   int32_t *small) {
    while (n >= BLOCK) {
        int32_t m = (n > CHUNK ? CHUNK : n) & ~(BLOCK - 1);
        uint32_t sq[4];
        int16_t ext[4];
        BUFFER1(in, p, i16, m);
        BUFFER2(out, sq, u32, 2, 0, nc, 2);
        BUFFER2(ends, ext, i16, 2, 0, nc, 2);
        int e = nc == 1 ? k_level_s16_1(&in, &out, &ends) : k_level_s16_2(&in, &out, &ends);
        if (e) return e;
        for (int c = 0; c < nc; c++) {
            squares[c] += (int64_t)sq[2 * c] + ((int64_t)sq[2 * c + 1] << 16);
            if (ext[2 * c] > big[c]) big[c] = ext[2 * c];
            if (ext[2 * c + 1] < small[c]) small[c] = ext[2 * c + 1];
        }
        p += m;
        n -= m;
    }
    for (int32_t i = 0; i < n; i++) {
        int c = nc == 1 ? 0 : i & 1;
        int32_t v = p[i];
        squares[c] += v * v;
        if (v > big[c]) big[c] = v;
        if (v < small[c]) small[c] = v;
    }
    return 0;
}

static int64_t clipped_s16(const int16_t *p, int32_t n, int32_t step) {
    int64_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        int16_t v = p[(ptrdiff_t)i * step];
        count += v == 32767 || v == -32768;
    }
    return count;
}

static void store_s16(hw_meter *m, int64_t squares, int32_t big, int32_t small, const int16_t *p,
                      int32_t n, int32_t step) {
    int32_t peak = big > -small ? big : -small;
    m->squares = (double)squares / (32768.0 * 32768.0);
    m->peak = (double)(peak < 0 ? 0 : peak) / 32768;
    // Clipping is rare, so it is counted only where the extremes reach full scale.
    m->clipped = big == 32767 || small == -32768 ? clipped_s16(p, n, step) : 0;
}

int hw_level_s16(int16_t *l, int16_t *r, int32_t n, int32_t step, hw_meter *out, char *err) {
    int64_t squares[2] = {0, 0};
    int32_t big[2] = {-32768, -32768}, small[2] = {32767, 32767};
    int e = 0;
    if (step == 2) {
        e = add_s16(l, 2 * n, 2, squares, big, small);
    } else {
        e = add_s16(l, n, 1, squares, big, small);
        if (!e && r) e = add_s16(r, n, 1, squares + 1, big + 1, small + 1);
    }
    if (e) return hw_fail(e, err);
    store_s16(out, squares[0], big[0], small[0], l, n, step);
    if (r) store_s16(out + 1, squares[1], big[1], small[1], r, n, step);
    return 0;
}

static int add_f32(const float *p, int32_t n, int nc, double *squares, float *peak) {
    while (n >= BLOCK) {
        int32_t m = (n > CHUNK ? CHUNK : n) & ~(BLOCK - 1);
        float o[4];
        BUFFER1(in, p, f32, m);
        BUFFER2(out, o, f32, 2, 0, nc, 2);
        int e = nc == 1 ? k_level_f32_1(&in, &out) : k_level_f32_2(&in, &out);
        if (e) return e;
        for (int c = 0; c < nc; c++) {
            squares[c] += o[2 * c];
            if (o[2 * c + 1] > peak[c]) peak[c] = o[2 * c + 1];
        }
        p += m;
        n -= m;
    }
    for (int32_t i = 0; i < n; i++) {
        int c = nc == 1 ? 0 : i & 1;
        float a = fabsf(p[i]);
        squares[c] += (double)p[i] * p[i];
        if (a > peak[c]) peak[c] = a;
    }
    return 0;
}

static void store_f32(hw_meter *m, double squares, float peak, const float *p, int32_t n,
                      int32_t step) {
    m->squares = squares;
    m->peak = peak;
    m->clipped = 0;
    for (int32_t i = 0; peak >= 1 && i < n; i++) m->clipped += fabsf(p[(ptrdiff_t)i * step]) >= 1;
}

int hw_level_f32(float *l, float *r, int32_t n, int32_t step, hw_meter *out, char *err) {
    double squares[2] = {0, 0};
    float peak[2] = {0, 0};
    int e = 0;
    if (step == 2) {
        e = add_f32(l, 2 * n, 2, squares, peak);
    } else {
        e = add_f32(l, n, 1, squares, peak);
        if (!e && r) e = add_f32(r, n, 1, squares + 1, peak + 1);
    }
    if (e) return hw_fail(e, err);
    store_f32(out, squares[0], peak[0], l, n, step);
    if (r) store_f32(out + 1, squares[1], peak[1], r, n, step);
    return 0;
}

// The last samples of a frame, fewer than 128: the recursion itself. state: w1 w2 y1 y2 x1 x2.
static double serial(const float *p, int32_t n, const double *c, double *s) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        double x = p[i];
        double w = c[0] * x + c[1] * s[4] + c[2] * s[5] - c[3] * s[0] - c[4] * s[1];
        double y = w - 2 * s[0] + s[1] - c[5] * s[2] - c[6] * s[3];
        s[5] = s[4], s[4] = x, s[1] = s[0], s[0] = w, s[3] = s[2], s[2] = y;
        sum += y * y;
    }
    return sum;
}

static int weigh(const float *p, int32_t n, double *coef, double *power, double *reply,
                 double *state, double *energy) {
    double sum = 0;
    while (n >= 8 * K) {
        int32_t L = n / (8 * K) * 8;
        if (L > LONGEST) L = LONGEST;
        double one, next[6];
        BUFFER2(in, p, f32, K * L, 0, 1, K * L);
        BUFFER1(c, coef, f64, 7);
        BUFFER2(A, power + (L / 8 - 1) * 16, f64, 4, 0, 4, 4);
        BUFFER2(H, reply, f64, 4, 0, LONGEST, 4);
        BUFFER2(s, state, f64, 6, 0, 1, 6);
        BUFFER1(e, &one, f64, 1);
        BUFFER2(x, next, f64, 6, 0, 1, 6);
        int rc = k_k_weighted(&in, &c, &A, &H, &s, &e, &x);
        if (rc) return rc;
        memcpy(state, next, sizeof next);
        sum += one;
        p += K * L;
        n -= K * L;
    }
    *energy = sum + serial(p, n, coef, state);
    return 0;
}

int hw_k_weighted(float *f, int16_t *s, int32_t n, int32_t step, double *coef, double *power,
                  double *reply, double *state, double *energy, char *err) {
    if (f && step == 1) return hw_fail(weigh(f, n, coef, power, reply, state, energy), err);
    float *flat = hw_scratch(0, sizeof(float) * (size_t)n);
    if (!flat) return hw_fail(hw_refuse(-1, "out of memory"), err);
    for (int32_t i = 0; i < n; i++)
        flat[i] = f ? f[(ptrdiff_t)i * step] : s[(ptrdiff_t)i * step] * (1.0f / 32768);
    int e = weigh(flat, n, coef, power, reply, state, energy);
    hw_release(0, flat);
    return hw_fail(e, err);
}
