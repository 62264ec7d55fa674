//go:build peers && cgo

#include "peers.h"
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>

struct graph {
    AVFilterGraph *g;
    AVFilterContext *in, *out;
    AVFrame *frame;
    int64_t pts;
};

static void stop(const char *what) {
    fprintf(stderr, "libavfilter: %s\n", what);
    abort();
}

graph *av_graph(char *description, int w, int h) {
    graph *q = calloc(1, sizeof *q);
    char args[128];
    q->g = avfilter_graph_alloc();
    q->g->nb_threads = 1;
    snprintf(args, sizeof args, "video_size=%dx%d:pix_fmt=0:time_base=1/1000", w, h);
    const AVFilter *in = avfilter_get_by_name("buffer"), *out = avfilter_get_by_name("buffersink");
    if (avfilter_graph_create_filter(&q->in, in, "in", args, 0, q->g) < 0) stop("buffer");
    if (avfilter_graph_create_filter(&q->out, out, "out", 0, 0, q->g) < 0) stop("sink");
    AVFilterInOut *o = avfilter_inout_alloc(), *i = avfilter_inout_alloc();
    o->name = strdup("in"), o->filter_ctx = q->in;
    i->name = strdup("out"), i->filter_ctx = q->out;
    if (avfilter_graph_parse_ptr(q->g, description, &i, &o, 0) < 0) stop(description);
    if (avfilter_graph_config(q->g, 0) < 0) stop("config");
    q->frame = av_frame_alloc();
    return q;
}

static void no_free(void *opaque, uint8_t *data) {
    (void)opaque;
    (void)data;
}

void av_run(graph *q, plane y, plane u, plane v) {
    AVFrame *f = av_frame_alloc(), *o = q->frame;
    f->format = 0, f->width = y.w, f->height = y.h, f->pts = q->pts++;
    plane p[3] = {y, u, v};
    for (int i = 0; i < 3; i++) {
        f->data[i] = p[i].p, f->linesize[i] = p[i].stride;
        size_t size = (size_t)p[i].stride * p[i].h;
        f->buf[i] = av_buffer_create(p[i].p, size, no_free, 0, AV_BUFFER_FLAG_READONLY);
    }
    if (av_buffersrc_add_frame(q->in, f) < 0) stop("add");
    av_frame_free(&f);
    while (av_buffersink_get_frame(q->out, o) >= 0) av_frame_unref(o);
}
