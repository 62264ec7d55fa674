// Flat C entry points of the kernels: plain values only, so that no Go pointer is ever stored in C
// memory. Every function returns 0, or a negative code with its text in err (HW_ERROR bytes, or
// null).
#ifndef HEADWATER_SHIM_H
#define HEADWATER_SHIM_H
#include <stdint.h>
enum { HW_ERROR = 256 };

// A plane: first pixel, bytes from row to row, width, height.
#define PLANE_ARGS(n) uint8_t *n, int32_t n##_stride, int32_t n##_w, int32_t n##_h

typedef struct { double squares, peak; int64_t clipped; } hw_meter;
typedef struct { int32_t x, y, w, h, effect, size, luma, u, v; } hw_region;
enum { HW_BOX, HW_GAUSS, HW_PIXELATE, HW_SOLID };
enum { HW_HALF, HW_PHASE_32, HW_PHASE_43, HW_THIRD, HW_GENERAL };

// What the processor, capped by HEADWATER_CPU_LEVEL, runs: 1 to 4 on x86-64, 0 elsewhere.
int hw_level(void);
void hw_noop(void);

int hw_level_s16(int16_t *l, int16_t *r, int32_t n, int32_t step, hw_meter *out, char *err);
int hw_level_f32(float *l, float *r, int32_t n, int32_t step, hw_meter *out, char *err);
int hw_k_weighted(float *f, int16_t *s, int32_t n, int32_t step, double *coef, double *power,
                  double *reply, double *state, double *energy, char *err);
int hw_blur(uint8_t *sy, int32_t sys, uint8_t *su, int32_t sus, uint8_t *sv, int32_t svs,
            uint8_t *dy, int32_t dys, uint8_t *du, int32_t dus, uint8_t *dv, int32_t dvs,
            int32_t w, int32_t h, hw_region *regions, int32_t count, uint8_t *taps,
            int32_t copy, int32_t strip, char *err);
int hw_scale(int32_t kind, PLANE_ARGS(sy), PLANE_ARGS(su), PLANE_ARGS(sv), PLANE_ARGS(dy),
             PLANE_ARGS(du), PLANE_ARGS(dv), int32_t taps, int32_t *ints, int16_t *weights,
             uint8_t *phases, char *err);
int hw_thumbnail(int32_t cell, PLANE_ARGS(in), PLANE_ARGS(out), char *err);
int hw_diff(PLANE_ARGS(a), uint8_t *b, int32_t b_stride, uint32_t *rows, uint32_t *columns,
            uint64_t *totals, char *err);
int hw_edges(PLANE_ARGS(in), uint32_t *rows, uint32_t *columns, char *err);
int hw_match(uint8_t *in, int32_t stride, int16_t *t, int16_t *m, int32_t padded, int32_t tw,
             int32_t th, double count, double energy, double bias, float *out, int32_t ow,
             int32_t oh, char *err);
int hw_squared_error(PLANE_ARGS(a), uint8_t *b, int32_t b_stride, uint64_t *sum, char *err);
#endif
