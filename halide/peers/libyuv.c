//go:build peers && cgo

#include "peers.h"
#include <libyuv.h>

static volatile uint64_t sink;

void yuv_run(int kind, plane out, plane in, int n) {
    switch (kind) {
    case HALF:
    case SCALE:
    case THUMBNAIL:
        ScalePlane(in.p, in.stride, in.w, in.h, out.p, out.stride, out.w, out.h,
                   n ? kFilterBox : kFilterBilinear);
        return;
    case SQUARED:
        sink += ComputeSumSquareErrorPlane(in.p, in.stride, out.p, out.stride, in.w, in.h);
        return;
    }
}
