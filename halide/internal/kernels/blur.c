// Effects on regions of an I420 frame, from one frame to another.
#include "shim_internal.h"

// One plane of one region: source, destination, their strides, and the size.
struct cut {
    const uint8_t *src;
    uint8_t *dst;
    int32_t src_stride, dst_stride, w, h;
};

static void copy_rows(const struct cut *c) {
    for (int32_t y = 0; y < c->h; y++)
        memcpy(c->dst + (ptrdiff_t)y * c->dst_stride, c->src + (ptrdiff_t)y * c->src_stride,
               (size_t)c->w);
}

static int smooth(const struct cut *c, const hw_region *r, int32_t size, uint8_t *taps,
                  int32_t strip) {
    int32_t rows = strip ? strip : hw_strip_rows(c->w);
    for (int32_t y = 0; y < c->h; y += rows) {
        int32_t n = c->h - y < rows ? c->h - y : rows;
        BUFFER2(in, c->src, u8, c->w, 0, c->h, c->src_stride);
        BUFFER2(out, c->dst + (ptrdiff_t)y * c->dst_stride, u8, c->w, y, n, c->dst_stride);
        BUFFER1(t, taps + 32 * size, u8, size + 1);
        int e = r->effect == HW_BOX ? k_box(&in, size, y, n, &out) : k_gauss(&in, &t, y, n, &out);
        if (e) return e;
    }
    return 0;
}

// One row of cells of a mosaic: means from the column sums, then the row of them, h times.
static void cells(const struct cut *c, const uint16_t *sums, int32_t y, int32_t h, int32_t b) {
    uint8_t *first = c->dst + (ptrdiff_t)y * c->dst_stride;
    for (int32_t x = 0; x < c->w; x += b) {
        int32_t w = c->w - x < b ? c->w - x : b;
        uint32_t sum = 0, n = (uint32_t)(w * h);
        for (int32_t i = 0; i < w; i++) sum += sums[x + i];
        memset(first + x, (int)((sum + n / 2) / n), (size_t)w);
    }
    for (int32_t i = 1; i < h; i++)
        memcpy(first + (ptrdiff_t)i * c->dst_stride, first, (size_t)c->w);
}

static int mosaic(const struct cut *c, int32_t b) {
    uint16_t *sums = hw_scratch(0, sizeof *sums * (size_t)c->w);
    if (!sums) return hw_refuse(-1, "out of memory");
    int e = 0;
    for (int32_t y = 0; y < c->h && !e; y += b) {
        int32_t n = c->h - y < b ? c->h - y : b;
        BUFFER2(in, c->src + (ptrdiff_t)y * c->src_stride, u8, c->w, 0, n, c->src_stride);
        BUFFER1(out, sums, u16, c->w);
        e = k_column_sum(&in, &out);
        if (!e) cells(c, sums, y, n, b);
    }
    hw_release(0, sums);
    return e;
}

// A plane narrower than a tile is widened with its last column. Replicated pixels beyond the edge
// are what a blur sees there in any case, and a mosaic is anchored at the left.
static int narrow(const struct cut *c, const hw_region *r, int32_t size, uint8_t *taps,
                  int32_t strip) {
    uint8_t *wide = hw_scratch(0, (size_t)2 * TILE * (size_t)c->h);
    if (!wide) return hw_refuse(-1, "out of memory");
    struct cut t = {wide, wide + (size_t)TILE * (size_t)c->h, TILE, TILE, TILE, c->h};
    for (int32_t y = 0; y < c->h; y++) {
        const uint8_t *row = c->src + (ptrdiff_t)y * c->src_stride;
        memcpy(wide + (size_t)TILE * (size_t)y, row, (size_t)c->w);
        memset(wide + (size_t)TILE * (size_t)y + c->w, row[c->w - 1], (size_t)(TILE - c->w));
    }
    int e = smooth(&t, r, size, taps, strip);
    struct cut back = {t.dst, c->dst, TILE, c->dst_stride, c->w, c->h};
    if (!e) copy_rows(&back);
    hw_release(0, wide);
    return e;
}

static void small_mosaic(const struct cut *c, int32_t b) {
    uint16_t sums[TILE];
    for (int32_t y = 0; y < c->h; y += b) {
        int32_t n = c->h - y < b ? c->h - y : b;
        for (int32_t x = 0; x < c->w; x++) {
            sums[x] = 0;
            for (int32_t i = 0; i < n; i++)
                sums[x] += c->src[(ptrdiff_t)(y + i) * c->src_stride + x];
        }
        cells(c, sums, y, n, b);
    }
}

static int apply(const struct cut *c, const hw_region *r, int chroma, int32_t colour,
                 uint8_t *taps, int32_t strip) {
    int32_t size = chroma ? (r->size + 1) / 2 : r->size;
    switch (r->effect) {
    case HW_SOLID:
        for (int32_t y = 0; y < c->h; y++)
            memset(c->dst + (ptrdiff_t)y * c->dst_stride, colour, (size_t)c->w);
        return 0;
    case HW_PIXELATE:
        if (c->w >= TILE) return mosaic(c, size);
        small_mosaic(c, size);
        return 0;
    }
    return c->w < TILE ? narrow(c, r, size, taps, strip) : smooth(c, r, size, taps, strip);
}

int hw_blur(uint8_t *sy, int32_t sys, uint8_t *su, int32_t sus, uint8_t *sv, int32_t svs,
            uint8_t *dy, int32_t dys, uint8_t *du, int32_t dus, uint8_t *dv, int32_t dvs,
            int32_t w, int32_t h, hw_region *regions, int32_t count, uint8_t *taps,
            int32_t copy, int32_t strip, char *err) {
    const struct cut whole[3] = {{sy, dy, sys, dys, w, h},
                                 {su, du, sus, dus, (w + 1) / 2, (h + 1) / 2},
                                 {sv, dv, svs, dvs, (w + 1) / 2, (h + 1) / 2}};
    for (int p = 0; copy && p < 3; p++) copy_rows(&whole[p]);
    for (int32_t i = 0; i < count; i++) {
        const hw_region *r = &regions[i];
        const int32_t colours[3] = {r->luma, r->u, r->v};
        for (int p = 0; p < 3; p++) {
            const struct cut *f = &whole[p];
            int half = p > 0;
            int32_t x = r->x >> half, y = r->y >> half;
            struct cut c = {f->src + (ptrdiff_t)y * f->src_stride + x,
                            f->dst + (ptrdiff_t)y * f->dst_stride + x, f->src_stride,
                            f->dst_stride, (r->w + half) >> half, (r->h + half) >> half};
            int e = apply(&c, r, half, colours[p], taps, strip);
            if (e) return hw_fail(e, err);
        }
    }
    return 0;
}
