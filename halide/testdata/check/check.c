// Calls every kernel through the C face with memory that ends with its last pixel, for valgrind and
// for a build with -fsanitize=address. Its arguments are what package halide lets through.
#include "../../internal/kernels/shim.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;
static int32_t under(int32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (int32_t)((seed >> 8) % (uint32_t)n);
}

struct plane { uint8_t *p; int32_t stride, w, h; };

static struct plane new_plane(int32_t w, int32_t h) {
    struct plane q = {0, w + under(4), w, h};
    size_t n = (size_t)q.stride * (size_t)(h - 1) + (size_t)w;
    q.p = malloc(n);
    for (size_t i = 0; i < n; i++) q.p[i] = (uint8_t)under(256);
    return q;
}

struct frame { struct plane y, u, v; };
static struct frame new_frame(int32_t w, int32_t h) {
    struct frame f = {new_plane(w, h), new_plane((w + 1) / 2, (h + 1) / 2),
                      new_plane((w + 1) / 2, (h + 1) / 2)};
    return f;
}
static void free_frame(struct frame *f) {
    free(f->y.p);
    free(f->u.p);
    free(f->v.p);
}

static void want(int code, const char *what, const char *err) {
    if (!code) return;
    fprintf(stderr, "%s: %d: %s\n", what, code, err);
    exit(1);
}

static uint64_t sum;
static void add(const void *p, size_t n) {
    for (size_t i = 0; i < n; i++) sum = sum * 31 + ((const uint8_t *)p)[i];
}

static void audio(int32_t n, char *err) {
    int16_t *p = malloc(sizeof *p * 2 * (size_t)n);
    float *f = malloc(sizeof *f * 2 * (size_t)n);
    for (int32_t i = 0; i < 2 * n; i++) {
        p[i] = (int16_t)(under(65536) - 32768);
        f[i] = p[i] / 32768.0f;
    }
    hw_meter m[2];
    want(hw_level_s16(p, p + 1, n, 2, m, err), "level_s16", err);
    want(hw_level_s16(p, p + n, n, 1, m, err), "level_s16", err);
    want(hw_level_f32(f, f + 1, n, 2, m, err), "level_f32", err);
    want(hw_level_f32(f, 0, n, 1, m, err), "level_f32", err);
    double coef[7] = {1, 0, 0, -0.5, 0.1, -0.5, 0.1}, power[128] = {0}, reply[256] = {0};
    double state[6] = {0}, energy;
    want(hw_k_weighted(f, 0, n, 1, coef, power, reply, state, &energy, err), "k_weighted", err);
    want(hw_k_weighted(0, p, n, 2, coef, power, reply, state, &energy, err), "k_weighted", err);
    free(p);
    free(f);
}

static void blur(int32_t w, int32_t h, char *err) {
    struct frame s = new_frame(w, h), d = new_frame(w, h);
    uint8_t taps[32 * 32];
    memset(taps, 8, sizeof taps);
    int32_t x = under(w) & ~1, y = under(h) & ~1, rw = w - x, rh = h - y;
    if (rw > 2) rw = 2 + (under(rw - 1) & ~1);
    hw_region r[4] = {{x, y, rw, rh, HW_BOX, 1 + under(127), 0, 0, 0},
                      {0, 0, w, h, HW_GAUSS, 1 + under(31), 0, 0, 0},
                      {x, y, rw, rh, HW_PIXELATE, 2 + 2 * under(127), 0, 0, 0},
                      {x, y, rw, rh, HW_SOLID, 0, 16, 128, 128}};
    want(hw_blur(s.y.p, s.y.stride, s.u.p, s.u.stride, s.v.p, s.v.stride, d.y.p, d.y.stride, d.u.p,
                 d.u.stride, d.v.p, d.v.stride, w, h, r, 4, taps, under(2), under(2) * 7, err),
         "blur", err);
    add(d.y.p, (size_t)w);
    free_frame(&s);
    free_frame(&d);
}

#define PLANE(q) q.p, q.stride, q.w, q.h
#define FRAME(f) PLANE(f.y), PLANE(f.u), PLANE(f.v)

static void scale(int32_t w, int32_t h, char *err) {
    static const int32_t num[] = {2, 3, 4, 3}, den[] = {1, 2, 3, 1};
    for (int32_t kind = HW_HALF; kind <= HW_THIRD; kind++) {
        int32_t ow = w * den[kind] / num[kind] + under(2), oh = h * den[kind] / num[kind] + under(2);
        struct frame s = new_frame(w, h), d = new_frame(ow, oh);
        uint8_t *phases = malloc(sizeof *phases * 2 * (size_t)w);
        for (int32_t i = 0; i < 2 * w; i++) phases[i] = 1;
        want(hw_scale(kind, FRAME(s), FRAME(d), 0, 0, 0, phases, err), "scale", err);
        add(d.y.p, (size_t)d.y.w);
        free(phases);
        free_frame(&s);
        free_frame(&d);
    }
    for (int32_t taps = 2; taps <= 6; taps += 2) {
        int32_t ow = 130 + under(200), oh = 2 + under(90);
        if ((h + 1) / 2 <= taps) continue;  // package halide scales such pictures in Go
        struct frame s = new_frame(w, h), d = new_frame(ow, oh);
        int32_t sizes[4][2] = {{w, ow}, {h, oh}, {s.u.w, d.u.w}, {s.u.h, d.u.h}}, n = 0;
        for (int i = 0; i < 4; i++) n += sizes[i][1];
        int32_t *first = malloc(sizeof *first * (size_t)n), *at = first;
        int16_t *weights = malloc(sizeof *weights * (size_t)(n * taps));
        for (int i = 0; i < 4; i++)
            for (int32_t j = 0; j < sizes[i][1]; j++)
                *at++ = (int32_t)((int64_t)(sizes[i][0] - taps) * j / sizes[i][1]) +
                        (j == sizes[i][1] - 1);
        for (int32_t i = 0; i < n * taps; i++) weights[i] = (int16_t)(16384 / taps);
        want(hw_scale(HW_GENERAL, FRAME(s), FRAME(d), taps, first, weights, 0, err), "scale", err);
        add(d.v.p, (size_t)d.v.w);
        free(first);
        free(weights);
        free_frame(&s);
        free_frame(&d);
    }
}

static void detect(int32_t w, int32_t h, char *err) {
    struct plane a = new_plane(w, h), b = new_plane(w, h);
    uint32_t *rows = malloc(sizeof *rows * (size_t)h), *columns = malloc(sizeof *columns * (size_t)w);
    uint64_t totals[2];
    want(hw_diff(PLANE(a), b.p, b.stride, rows, columns, totals, err), "diff", err);
    add(columns, sizeof *columns * (size_t)w);
    want(hw_edges(PLANE(a), rows, columns, err), "edges", err);
    add(rows, sizeof *rows * (size_t)h);
    want(hw_squared_error(PLANE(a), b.p, b.stride, totals, err), "squared_error", err);
    for (int32_t cell = 4; cell <= 16; cell *= 2) {
        if (w / cell < (cell == 16 ? 16 : 32) || h < cell) continue;
        struct plane o = new_plane(w / cell, h / cell);
        want(hw_thumbnail(cell, PLANE(a), PLANE(o), err), "thumbnail", err);
        add(o.p, (size_t)o.w);
        free(o.p);
    }
    int32_t tw = 1 + under(50), th = 1 + under(h), ow = 1 + under(9), oh = h - th + 1;
    int32_t padded = (tw + 31) & ~31;
    int16_t *t = calloc((size_t)(padded * th), sizeof *t), *m = calloc((size_t)(padded * th), sizeof *m);
    for (int32_t i = 0; i < padded * th; i++)
        if (i % padded < tw) t[i] = (int16_t)(under(511) - 255), m[i] = -1;
    float *out = malloc(sizeof *out * (size_t)(ow * oh));
    want(hw_match(a.p, a.stride, t, m, padded, tw, th, tw * th, 1000, 0, out, ow, oh, err), "match", err);
    add(out, sizeof *out * (size_t)(ow * oh));
    free(t);
    free(m);
    free(out);
    free(rows);
    free(columns);
    free(a.p);
    free(b.p);
}

int main(int argc, char **argv) {
    char err[HW_ERROR] = "";
    int rounds = argc > 1 ? atoi(argv[1]) : 40;
    for (int i = 0; i < rounds; i++) {
        int32_t w = 200 + under(200), h = 10 + under(60);
        audio(1 + under(2000), err);
        blur(1 + under(300), 1 + under(50), err);
        scale(w * 2, h, err);
        detect(66 + under(2200), 2 + under(40), err);
    }
    printf("level %d, %d rounds, checksum %016llx\n", hw_level(), rounds, (unsigned long long)sum);
    return 0;
}
