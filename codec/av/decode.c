// The H.264 decoder: one thread, so that a frame comes out in the call that completes it.
#include "internal.h"
#include <libavutil/mem.h>

// The last check before libav allocates a picture. The parameter sets were checked before, by
// another parser; should the two ever read them differently, this one has what counts.
static int bounded_buffer(AVCodecContext *c, AVFrame *f, int flags) {
    const struct hwav_decoder *d = c->opaque;
    if (f->width > d->width || f->height > d->height ||
        (f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P))
        return AVERROR_INVALIDDATA;
    return avcodec_default_get_buffer2(c, f, flags);
}

int hwav_decoder_new(hwav_decoder **out, const char *codec) {
    const AVCodec *a = avcodec_find_decoder_by_name(codec);
    if (!a) return AVERROR_DECODER_NOT_FOUND;
    hwav_decoder *d = av_mallocz(sizeof *d);
    if (!d) return AVERROR(ENOMEM);
    hwav_count_codec(1);
    d->c = avcodec_alloc_context3(a);
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    if (!d->c || !d->packet || !d->frame) {
        hwav_decoder_close(d);
        return AVERROR(ENOMEM);
    }
    d->c->opaque = d;
    d->c->thread_count = 1;
    d->c->thread_type = FF_THREAD_SLICE;
    *out = d;
    return 0;
}

int hwav_decoder_open(hwav_decoder **out, const uint8_t *record, int n, int width, int height) {
    hwav_decoder *d;
    int r = hwav_decoder_new(&d, "h264");
    if (r < 0) return r;
    d->width = width;
    d->height = height;
    d->c->get_buffer2 = bounded_buffer;
    d->c->max_pixels = (int64_t)width * height;
    d->c->pkt_timebase = (AVRational){1, 1000000000};
    if ((r = hwav_extradata(d->c, record, n)) < 0 || (r = avcodec_open2(d->c, NULL, NULL)) < 0) {
        hwav_decoder_close(d);
        return r;
    }
    *out = d;
    return 0;
}

int hwav_decoder_send(hwav_decoder *d, const uint8_t *unit, int n, int64_t pts, int64_t dts,
                      const uint8_t *record, int record_n) {
    int r = hwav_new_extradata(d->packet, record, record_n);
    if (r >= 0) {
        hwav_lend(d->packet, unit, n, pts, dts);
        r = avcodec_send_packet(d->c, d->packet);
    }
    hwav_take_back(d->packet);
    return r;
}

int hwav_decoder_drain(hwav_decoder *d) { return avcodec_send_packet(d->c, NULL); }

int hwav_decoder_receive(hwav_decoder *d, hwav_frame *f, hwav_view *view) {
    int r = avcodec_receive_frame(d->c, hwav_av(f));
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
    if (r < 0) return r;
    hwav_view_of(hwav_av(f), view);
    return 1;
}

void hwav_decoder_restart(hwav_decoder *d) { avcodec_flush_buffers(d->c); }

void hwav_decoder_close(hwav_decoder *d) {
    if (!d) return;
    avcodec_free_context(&d->c);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);
    av_free(d);
    hwav_count_codec(-1);
}
