// Frames: an AVFrame whose buffers a decoder fills, or one that owns a picture to write to.
#include "internal.h"
#include <string.h>

int hwav_frame_new(hwav_frame **out) {
    AVFrame *f = av_frame_alloc();
    if (!f) return AVERROR(ENOMEM);
    hwav_count_frame(1);
    *out = (hwav_frame *)f;
    return 0;
}

// Memory that was freed elsewhere may hold someone's picture, so a new one is black.
static void blacken(AVFrame *f) {
    for (int i = 0; i < 3; i++) {
        int rows = i ? (f->height + 1) / 2 : f->height;
        memset(f->data[i], i ? 128 : 16, (size_t)f->linesize[i] * rows);
    }
}

int hwav_frame_alloc(hwav_frame **out, int width, int height, hwav_view *view) {
    int r = hwav_frame_new(out);
    if (r < 0) return r;
    AVFrame *f = hwav_av(*out);
    f->width = width;
    f->height = height;
    f->format = AV_PIX_FMT_YUV420P;
    // Rows begin where the widest vectors load and store whole cache lines.
    if ((r = av_frame_get_buffer(f, 64)) < 0) {
        hwav_frame_free(*out);
        return r;
    }
    blacken(f);
    hwav_view_of(f, view);
    return 0;
}

// H.273 has 2 for what is not told, besides 0, which is reserved or makes no sense of 4:2:0.
static int32_t told(int code) { return code == 2 ? 0 : code; }

void hwav_view_of(const AVFrame *f, hwav_view *v) {
    for (int i = 0; i < 3; i++) {
        v->plane[i] = f->data[i];
        v->stride[i] = f->linesize[i];
    }
    v->width = f->width;
    v->height = f->height;
    v->i420 = f->format == AV_PIX_FMT_YUV420P || f->format == AV_PIX_FMT_YUVJ420P;
    v->corrupt = (f->flags & AV_FRAME_FLAG_CORRUPT) || f->decode_error_flags;
    v->pts = f->pts;
    v->display = (hwav_display){
        .full = f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P,
        .primaries = told(f->color_primaries),
        .transfer = told(f->color_trc),
        .matrix = told(f->colorspace),
        .aspect_width = f->sample_aspect_ratio.num,
        .aspect_height = f->sample_aspect_ratio.den,
    };
    if (!v->display.aspect_width) v->display.aspect_height = 0; // libav says 0/1
}

void hwav_frame_clear(hwav_frame *f) { av_frame_unref(hwav_av(f)); }

void hwav_frame_free(hwav_frame *f) {
    AVFrame *a = hwav_av(f);
    if (!a) return;
    av_frame_free(&a);
    hwav_count_frame(-1);
}
