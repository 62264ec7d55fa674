// Small luma, differences, gradients, squared error, template matching.
#include "shim_internal.h"
#include <math.h>

// A band of rows stays in the first cache between its two passes; a band of columns keeps 16 bit
// sums from overflowing on the narrowest vectors.
enum { BAND = 32, COLUMNS = 2048 };

int hw_thumbnail(int32_t cell, PLANE_ARGS(in), PLANE_ARGS(out), char *err) {
    BUFFER2(a, in, u8, in_w, 0, in_h, in_stride);
    BUFFER2(o, out, u8, out_w, 0, out_h, out_stride);
    int e = cell == 4 ? k_thumbnail_4(&a, &o) : cell == 8 ? k_thumbnail_8(&a, &o)
                                                          : k_thumbnail_16(&a, &o);
    return hw_fail(e, err);
}

// The width of the next band of columns: the rest is always wider than a tile.
static int32_t next_band(int32_t left) {
    if (left <= COLUMNS) return left;
    return left - COLUMNS <= TILE ? COLUMNS - TILE : COLUMNS;
}

// cgo compiles with -O2, which makes no vectors of a loop of unknown length.
__attribute__((optimize("O3")))
static void add_sums(uint32_t *restrict all, const uint16_t *restrict sums, int32_t n) {
    for (int32_t i = 0; i < n; i++) all[i] += sums[i];
}

typedef int (*comparison)(halide_buffer_t *, halide_buffer_t *, halide_buffer_t *,
                          halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);

// Compares a with b for the rows and c with d for the columns, wh rows of w and ch rows of cw.
static int compare(comparison kernel, const uint8_t *a, int32_t as, const uint8_t *b, int32_t bs,
                   int32_t w, int32_t h, const uint8_t *c, const uint8_t *d, int32_t cw, int32_t ch,
                   uint32_t *rows, uint32_t *columns, uint64_t *totals) {
    uint16_t sums[COLUMNS];
    uint32_t pairs[2 * BAND];
    int32_t most = h > ch ? h : ch;
    for (int32_t y = 0; y < most; y += BAND) {
        int32_t n = h - y < BAND ? h - y : BAND, m = ch - y < BAND ? ch - y : BAND;
        if (n < 0) n = 0;
        ptrdiff_t ao = (ptrdiff_t)y * as, bo = (ptrdiff_t)y * bs;
        for (int32_t x = 0, width; x < w; x += width) {
            width = next_band(w - x);
            int32_t cwidth = x + width > cw ? cw - x : width;
            BUFFER2(ba, a + ao + x, u8, width, 0, n, as);
            BUFFER2(bb, b + bo + x, u8, width, 0, n, bs);
            BUFFER2(bc, c + ao + x, u8, cwidth, 0, m, as);
            BUFFER2(bd, d + bo + x, u8, cwidth, 0, m, bs);
            BUFFER2(br, pairs, u32, 2, 0, n, 2);
            BUFFER1(bo2, sums, u16, cwidth);
            int e = kernel(&ba, &bb, &bc, &bd, &br, &bo2);
            if (e) return e;
            for (int32_t i = 0; i < n; i++) {
                totals[0] += pairs[2 * i];
                totals[1] += pairs[2 * i + 1];
                if (rows) rows[y + i] += pairs[2 * i];
            }
            if (columns) add_sums(columns + x, sums, cwidth);
        }
    }
    return 0;
}

int hw_diff(PLANE_ARGS(a), uint8_t *b, int32_t b_stride, uint32_t *rows, uint32_t *columns,
            uint64_t *totals, char *err) {
    totals[0] = totals[1] = 0;
    if (rows) memset(rows, 0, sizeof *rows * (size_t)a_h);
    if (columns) memset(columns, 0, sizeof *columns * (size_t)a_w);
    return hw_fail(compare(k_sad, a, a_stride, b, b_stride, a_w, a_h, a, b, a_w, a_h, rows, columns,
                           totals), err);
}

int hw_edges(PLANE_ARGS(in), uint32_t *rows, uint32_t *columns, char *err) {
    uint64_t totals[2] = {0, 0};
    if (rows) memset(rows, 0, sizeof *rows * (size_t)in_h);
    if (columns) memset(columns, 0, sizeof *columns * (size_t)in_w);
    return hw_fail(compare(k_gradients, in + in_stride, in_stride, in, in_stride, in_w, in_h - 1,
                           in + 1, in, in_w - 1, in_h, rows, columns, totals), err);
}

int hw_squared_error(PLANE_ARGS(a), uint8_t *b, int32_t b_stride, uint64_t *sum, char *err) {
    uint32_t rows[BAND];
    *sum = 0;
    for (int32_t y = 0; y < a_h; y += BAND) {
        int32_t n = a_h - y < BAND ? a_h - y : BAND;
        BUFFER2(ba, a + (ptrdiff_t)y * a_stride, u8, a_w, 0, n, a_stride);
        BUFFER2(bb, b + (ptrdiff_t)y * b_stride, u8, a_w, 0, n, b_stride);
        BUFFER1(out, rows, u32, n);
        int e = k_squared_error(&ba, &bb, &out);
        if (e) return hw_fail(e, err);
        for (int32_t i = 0; i < n; i++) *sum += rows[i];
    }
    return 0;
}

static void finish(const int32_t *sums, double count, double energy, double bias, float *out,
                   int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        double mean = sums[3 * i + 1] / count, var = sums[3 * i + 2] - sums[3 * i + 1] * mean;
        out[i] = var > 0.5 ? (float)((sums[3 * i] - bias * mean) / sqrt(var * energy)) : 0;
    }
}

int hw_match(uint8_t *in, int32_t stride, int16_t *t, int16_t *m, int32_t padded, int32_t tw,
             int32_t th, double count, double energy, double bias, float *out, int32_t ow,
             int32_t oh, char *err) {
    // The window is copied with zeros on its right, because the kernel reads whole padded rows.
    int32_t places = (ow + 3) & ~3, w = places + padded, h = oh + th - 1, used = ow + tw - 1;
    size_t pixels = (size_t)w * (size_t)h;
    uint8_t *window = hw_scratch(0, pixels + 64);
    int32_t *sums = hw_scratch(0, sizeof *sums * 3 * (size_t)places * (size_t)oh);
    int e = 0;
    if (window && sums) {
        for (int32_t y = 0; y < h; y++) {
            memcpy(window + (size_t)w * (size_t)y, in + (ptrdiff_t)y * stride, (size_t)used);
            memset(window + (size_t)w * (size_t)y + used, 0, (size_t)(w - used));
        }
        BUFFER2(a, window, u8, w, 0, h, w);
        BUFFER2(bt, t, i16, padded, 0, th, padded);
        BUFFER2(bm, m, i16, padded, 0, th, padded);
        BUFFER3(o, sums, i32, 3, places, 3, oh, 3 * places);
        e = k_match(&a, &bt, &bm, &o);
        for (int32_t y = 0; y < oh && !e; y++)
            finish(sums + (size_t)3 * (size_t)places * (size_t)y, count, energy,
                   bias, out + (size_t)y * (size_t)ow, ow);
    } else {
        e = hw_refuse(-1, "out of memory");
    }
    hw_release(0, sums);
    hw_release(0, window);
    return hw_fail(e, err);
}
