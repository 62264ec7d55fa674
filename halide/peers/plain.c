//go:build peers && cgo

// Straightforward C with the algorithms of the plain Go version, for gcc -O3 -march=native.
#include "peers.h"
#include <math.h>
#include <string.h>

void peer_copy(plane out, plane in) {
    for (int y = 0; y < in.h; y++) memcpy(out.p + y * out.stride, in.p + y * in.stride, in.w);
}

double c_level(int16_t *p, int n) {
    int64_t squares = 0;
    int peak = 0, clipped = 0;
    for (int i = 0; i < n; i++) {
        int v = p[i], a = v < 0 ? -v : v;
        squares += v * v;
        peak = a > peak ? a : peak;
        clipped += v == 32767 || v == -32768;
    }
    return (double)squares + peak + clipped;
}

double c_k_weighted(double *c, float *p, int n, double *s) {
    double w1 = s[0], w2 = s[1], y1 = s[2], y2 = s[3], x1 = s[4], x2 = s[5], e = 0;
    for (int i = 0; i < n; i++) {
        double x = p[i], w = c[0] * x + c[1] * x1 + c[2] * x2 - c[3] * w1 - c[4] * w2;
        double y = w - 2 * w1 + w2 - c[5] * y1 - c[6] * y2;
        x2 = x1, x1 = x, w2 = w1, w1 = w, y2 = y1, y1 = y;
        e += y * y;
    }
    s[0] = w1, s[1] = w2, s[2] = y1, s[3] = y2, s[4] = x1, s[5] = x2;
    return e;
}

static int clampi(int v, int hi) { return v < 0 ? 0 : v > hi ? hi : v; }

static void box(plane out, plane in, int r) {
    static uint8_t tmp[4096 * 2200];
    static uint16_t sums[8192];
    int w = in.w, h = in.h;
    uint32_t inv = (65536 + r) / (2 * r + 1);
    for (int y = 0; y < h; y++) {
        const uint8_t *row = in.p + y * in.stride;
        uint8_t *t = tmp + y * w;
        uint32_t s = 0;
        for (int k = -r; k <= r; k++) s += row[clampi(k, w - 1)];
        for (int x = 0; x < w; x++) {
            t[x] = (s + r) * inv >> 16;
            s += row[x + r + 1 < w ? x + r + 1 : w - 1] - row[x - r > 0 ? x - r : 0];
        }
    }
    memset(sums, 0, sizeof sums);
    for (int k = -r; k <= r; k++)
        for (int x = 0; x < w; x++) sums[x] += tmp[clampi(k, h - 1) * w + x];
    for (int y = 0; y < h; y++) {
        uint8_t *o = out.p + y * out.stride;
        const uint8_t *a = tmp + clampi(y + r + 1, h - 1) * w, *b = tmp + clampi(y - r, h - 1) * w;
        for (int x = 0; x < w; x++) {
            o[x] = (uint32_t)(sums[x] + r) * inv >> 16;
            sums[x] += a[x] - b[x];
        }
    }
}

static void gauss(plane out, plane in, int r) {
    static uint8_t tmp[4096 * 2200];
    static uint16_t acc[8192], row[8192];
    int w = in.w, h = in.h;
    uint16_t taps[32];
    for (int k = 0; k <= r; k++) taps[k] = 256 / (2 * r + 1);
    for (int y = 0; y < h; y++) {
        const uint8_t *s = in.p + y * in.stride;
        for (int x = -r; x < w + r; x++) row[x + r] = s[clampi(x, w - 1)];
        for (int x = 0; x < w; x++) acc[x] = 128 + taps[0] * row[x + r];
        for (int k = 1; k <= r; k++)
            for (int x = 0; x < w; x++) acc[x] += taps[k] * (row[x + r - k] + row[x + r + k]);
        for (int x = 0; x < w; x++) tmp[y * w + x] = acc[x] >> 8;
    }
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) acc[x] = 128 + taps[0] * tmp[y * w + x];
        for (int k = 1; k <= r; k++) {
            const uint8_t *a = tmp + clampi(y - k, h - 1) * w, *b = tmp + clampi(y + k, h - 1) * w;
            for (int x = 0; x < w; x++) acc[x] += taps[k] * (a[x] + b[x]);
        }
        for (int x = 0; x < w; x++) out.p[y * out.stride + x] = acc[x] >> 8;
    }
}

static void pixelate(plane out, plane in, int b) {
    for (int y = 0; y < in.h; y += b)
        for (int x = 0; x < in.w; x += b) {
            int w = in.w - x < b ? in.w - x : b, h = in.h - y < b ? in.h - y : b;
            uint32_t s = 0, n = w * h;
            for (int j = 0; j < h; j++)
                for (int i = 0; i < w; i++) s += in.p[(y + j) * in.stride + x + i];
            for (int j = 0; j < h; j++)
                memset(out.p + (y + j) * out.stride + x, (s + n / 2) / n, w);
        }
}

static void half(plane out, plane in) {
    for (int y = 0; y < out.h; y++) {
        const uint8_t *a = in.p + 2 * y * in.stride, *b = a + in.stride;
        uint8_t *o = out.p + y * out.stride;
        for (int x = 0; x < out.w; x++)
            o[x] = (a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2;
    }
}

// Fixed ratios, n = 10 * num + den: the mean of the area.
static void fixed(plane out, plane in, int num, int den) {
    static uint16_t row[8192];
    int total = num * num, reach = den == 1 ? num : 2;
    for (int y = 0; y < out.h; y++) {
        memset(row, 0, sizeof *row * in.w);
        for (int j = 0; j < reach; j++) {
            int sy = y / den * num + y % den + j;
            int k = den == 1 ? 1 : j ? y % den + 1 : num - 1 - y % den;
            const uint8_t *s = in.p + (sy < in.h ? sy : in.h - 1) * in.stride;
            for (int x = 0; x < in.w; x++) row[x] += k * s[x];
        }
        row[in.w] = row[in.w + 1] = row[in.w - 1];
        uint8_t *o = out.p + y * out.stride;
        const uint16_t *v = row;
        int x = 0;
        if (num == 3 && den == 2)
            for (; x + 1 < out.w; x += 2, v += 3) {
                o[x] = (2 * v[0] + v[1] + 4) / 9;
                o[x + 1] = (v[1] + 2 * v[2] + 4) / 9;
            }
        else if (num == 4)
            for (; x + 2 < out.w; x += 3, v += 4) {
                o[x] = (3 * v[0] + v[1] + 8) >> 4;
                o[x + 1] = (2 * v[1] + 2 * v[2] + 8) >> 4;
                o[x + 2] = (v[2] + 3 * v[3] + 8) >> 4;
            }
        else
            for (; x < out.w; x++, v += 3) o[x] = (v[0] + v[1] + v[2] + 4) / 9;
    }
}

// Bilinear by tables.
static void general(plane out, plane in) {
    static int xs[8192], xw[8192];
    static int16_t row[8192];
    for (int x = 0; x < out.w; x++) {
        float c = fmaxf(0, (x + 0.5f) * in.w / out.w - 0.5f);
        xs[x] = c < in.w - 2 ? (int)c : in.w - 2;
        xw[x] = (int)((c - xs[x]) * 16384 + 0.5f);
    }
    for (int y = 0; y < out.h; y++) {
        float c = fmaxf(0, (y + 0.5f) * in.h / out.h - 0.5f);
        int sy = c < in.h - 2 ? (int)c : in.h - 2, wy = (int)((c - sy) * 16384 + 0.5f);
        const uint8_t *a = in.p + sy * in.stride, *b = a + in.stride;
        for (int x = 0; x < in.w; x++) row[x] = (a[x] * (16384 - wy) + b[x] * wy + 64) >> 7;
        for (int x = 0; x < out.w; x++) {
            const int16_t *v = row + xs[x];
            out.p[y * out.stride + x] = (v[0] * (16384 - xw[x]) + v[1] * xw[x] + (1 << 20)) >> 21;
        }
    }
}

static void thumbnail(plane out, plane in) {
    for (int y = 0; y < out.h; y++)
        for (int x = 0; x < out.w; x++) {
            uint32_t s = 32;
            for (int j = 0; j < 8; j++)
                for (int i = 0; i < 8; i++) s += in.p[(8 * y + j) * in.stride + 8 * x + i];
            out.p[y * out.stride + x] = s >> 6;
        }
}

static volatile uint64_t sink;
static uint32_t rows[8192], columns[8192];

static void diff(plane a, plane b) {
    memset(columns, 0, sizeof columns);
    for (int y = 0; y < a.h; y++) {
        const uint8_t *p = a.p + y * a.stride, *q = b.p + y * b.stride;
        uint32_t s = 0, m = 0;
        for (int x = 0; x < a.w; x++) {
            int d = abs(p[x] - q[x]);
            s += d;
            m += p[x];
            columns[x] += d;
        }
        rows[y] = s;
        sink += m;
    }
}

static void edges(plane a) {
    memset(columns, 0, sizeof columns);
    for (int y = 0; y < a.h; y++) {
        const uint8_t *p = a.p + y * a.stride, *q = p + a.stride;
        uint32_t s = 0;
        if (y + 1 < a.h)
            for (int x = 0; x < a.w; x++) s += abs(p[x] - q[x]);
        for (int x = 0; x + 1 < a.w; x++) columns[x] += abs(p[x + 1] - p[x]);
        rows[y] = s;
    }
}

static void squared(plane a, plane b) {
    uint64_t t = 0;
    for (int y = 0; y < a.h; y++) {
        const uint8_t *p = a.p + y * a.stride, *q = b.p + y * b.stride;
        uint32_t s = 0;
        for (int x = 0; x < a.w; x++) s += (p[x] - q[x]) * (p[x] - q[x]);
        t += s;
    }
    sink += t;
}

void c_run(int kind, plane out, plane in, int n) {
    switch (kind) {
    case BOX: box(out, in, n); return;
    case GAUSS: gauss(out, in, n); return;
    case PIXELATE: pixelate(out, in, n); return;
    case HALF: half(out, in); return;
    case SCALE:
        if (n) fixed(out, in, n / 10, n % 10);
        else general(out, in);
        return;
    case THUMBNAIL: thumbnail(out, in); return;
    case DIFF: diff(in, out); return;
    case EDGES: edges(in); return;
    case SQUARED: squared(in, out); return;
    }
}

void c_match(float *out, plane in, int16_t *t, int16_t *m, plane size, int ow, int oh) {
    for (int y = 0; y < oh; y++)
        for (int x = 0; x < ow; x++) {
            int it = 0, s1 = 0, s2 = 0;
            for (int j = 0; j < size.h; j++) {
                const uint8_t *r = in.p + (y + j) * in.stride + x;
                const int16_t *a = t + j * size.w, *b = m + j * size.w;
                for (int i = 0; i < size.w; i++) {
                    int p = r[i], q = p & b[i];
                    it += p * a[i];
                    s1 += q;
                    s2 += q * q;
                }
            }
            out[y * ow + x] = it / sqrtf(s2 - (float)s1 * s1 / (size.w * size.h) + 1);
        }
}
