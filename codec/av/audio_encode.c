// Encoders of sound: AAC, and Opus by libopus. Samples gather until there is a packet's worth.
#include "internal.h"
#include <libavutil/channel_layout.h>
#include <libavutil/mem.h>
#include <string.h>

struct hwav_audio {
    AVCodecContext *c;
    AVPacket *packet;
    AVFrame *frame;
    int filled;   // samples in frame
    int64_t next; // number of the first of them
};

static int configure(hwav_audio *a, int rate, int channels, int bitrate) {
    AVCodecContext *c = a->c;
    c->sample_rate = rate;
    c->bit_rate = bitrate;
    c->time_base = (AVRational){1, rate};
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    // AAC takes planes and libopus interleaved samples.
    c->sample_fmt = c->codec_id == AV_CODEC_ID_OPUS ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
    av_channel_layout_default(&c->ch_layout, channels);
    AVDictionary *o = NULL;
    int r;
    if (c->codec_id == AV_CODEC_ID_OPUS)
        // Complexity 5 of 10 takes six tenths of the time.
        r = av_dict_set(&o, "compression_level", "5", 0);
    else
        // The default coder, twoloop, takes three times as long.
        r = av_dict_set(&o, "aac_coder", "fast", 0);
    if (r >= 0) r = avcodec_open2(c, NULL, &o);
    av_dict_free(&o);
    return r;
}

static int allocate(hwav_audio *a) {
    AVFrame *f = a->frame;
    f->format = a->c->sample_fmt;
    f->nb_samples = a->c->frame_size;
    f->sample_rate = a->c->sample_rate;
    int r = av_channel_layout_copy(&f->ch_layout, &a->c->ch_layout);
    return r < 0 ? r : av_frame_get_buffer(f, 0);
}

int hwav_audio_open(hwav_audio **out, const char *codec, int rate, int channels, int bitrate) {
    const AVCodec *av = avcodec_find_encoder_by_name(codec);
    if (!av) return AVERROR_ENCODER_NOT_FOUND;
    hwav_audio *a = av_mallocz(sizeof *a);
    if (!a) return AVERROR(ENOMEM);
    hwav_count_codec(1);
    *a = (hwav_audio){avcodec_alloc_context3(av), av_packet_alloc(), av_frame_alloc()};
    int r = AVERROR(ENOMEM);
    if (a->c && a->packet && a->frame) r = configure(a, rate, channels, bitrate);
    if (r >= 0) r = allocate(a);
    if (r < 0) {
        hwav_audio_close(a);
        return r;
    }
    *out = a;
    return 0;
}

int hwav_audio_fill(hwav_audio *a, const float *left, const float *right, int n) {
    AVFrame *f = a->frame;
    int r = a->filled ? 0 : av_frame_make_writable(f);
    if (r < 0) return r;
    int room = a->c->frame_size - a->filled;
    if (n > room) n = room;
    int channels = a->c->ch_layout.nb_channels;
    for (int i = 0; i < channels; i++) {
        const float *from = i ? right : left;
        if (a->c->sample_fmt == AV_SAMPLE_FMT_FLTP) {
            memcpy((float *)f->extended_data[i] + a->filled, from, n * sizeof *from);
            continue;
        }
        float *to = (float *)f->data[0] + a->filled * channels + i;
        for (int k = 0; k < n; k++) to[k * channels] = from[k];
    }
    a->filled += n;
    return n;
}

int hwav_audio_send(hwav_audio *a, int last) {
    int r = 0;
    if (a->filled) {
        a->frame->nb_samples = a->filled;
        a->frame->pts = a->next;
        r = avcodec_send_frame(a->c, a->frame);
        a->next += a->filled;
        a->filled = 0;
        a->frame->nb_samples = a->c->frame_size;
    }
    return r < 0 || !last ? r : avcodec_send_frame(a->c, NULL);
}

int hwav_audio_receive(hwav_audio *a, hwav_packet *out, int32_t *length) {
    av_packet_unref(a->packet);
    int r = avcodec_receive_packet(a->c, a->packet);
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
    if (r < 0) return r;
    *out = (hwav_packet){a->packet->data, a->packet->size, 1, a->packet->pts};
    *length = a->packet->duration;
    return 1;
}

int hwav_audio_config(hwav_audio *a, uint8_t **data) {
    *data = a->c->extradata;
    return a->c->extradata_size;
}

int hwav_audio_frame(hwav_audio *a) { return a->c->frame_size; }
int hwav_audio_priming(hwav_audio *a) { return a->c->initial_padding; }

void hwav_audio_close(hwav_audio *a) {
    if (!a) return;
    avcodec_free_context(&a->c);
    av_packet_free(&a->packet);
    av_frame_free(&a->frame);
    av_free(a);
    hwav_count_codec(-1);
}
