// Shared by the C files of this package; not for cgo.
#ifndef HEADWATER_SHIM_INTERNAL_H
#define HEADWATER_SHIM_INTERNAL_H
#include "shim.h"
#include <stddef.h>
#include <string.h>
#include "HalideRuntime.h"
#include "zz_kernels.h"

// Tile is the smallest width of most kernels.
enum { TILE = 64 };

// Moves the last error's text to err, which may be null, and returns code.
int hw_fail(int code, char *err);
// Sets the text of an error of our own and returns code.
int hw_refuse(int code, const char *text);
void *hw_scratch(void *context, size_t size);
void hw_release(void *context, void *p);
// Rows of a strip whose working set fits half the second cache.
int32_t hw_strip_rows(int32_t width);

#define TYPE_u8 {halide_type_uint, 8, 1}
#define TYPE_u16 {halide_type_uint, 16, 1}
#define TYPE_u32 {halide_type_uint, 32, 1}
#define TYPE_i16 {halide_type_int, 16, 1}
#define TYPE_i32 {halide_type_int, 32, 1}
#define TYPE_f32 {halide_type_float, 32, 1}
#define TYPE_f64 {halide_type_float, 64, 1}

// Buffers live on the stack and hold no Go pointer after the call.
#define BUFFER1(name, data, T, extent0)                                            \
    halide_dimension_t name##_dim[1] = {{0, extent0, 1, 0}};                       \
    halide_buffer_t name = {.host = (uint8_t *)(data), .type = TYPE_##T,           \
                            .dimensions = 1, .dim = name##_dim}
#define BUFFER2(name, data, T, extent0, min1, extent1, stride1)                    \
    halide_dimension_t name##_dim[2] = {{0, extent0, 1, 0}, {min1, extent1, stride1, 0}}; \
    halide_buffer_t name = {.host = (uint8_t *)(data), .type = TYPE_##T,           \
                            .dimensions = 2, .dim = name##_dim}
#define BUFFER3(name, data, T, extent0, extent1, stride1, extent2, stride2)        \
    halide_dimension_t name##_dim[3] = {{0, extent0, 1, 0}, {0, extent1, stride1, 0}, \
                                        {0, extent2, stride2, 0}};                 \
    halide_buffer_t name = {.host = (uint8_t *)(data), .type = TYPE_##T,           \
                            .dimensions = 3, .dim = name##_dim}
#endif
