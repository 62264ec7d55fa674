//go:build cgo && !openh264

// The H.264 encoder: x264 through libavcodec, a packet for each frame in the same call.
#include "internal.h"
#include <libavutil/mem.h>
#include <libavutil/opt.h>

struct hwav_encoder {
    AVCodecContext *c;
    AVPacket *packet;
    AVFrame *frame; // our own reference, whose picture type we may set
};

static int unspecified(int32_t code) { return code ? code : 2; }

static void display(AVCodecContext *c, const hwav_display *d) {
    c->color_range = d->full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    c->color_primaries = unspecified(d->primaries);
    c->color_trc = unspecified(d->transfer);
    c->colorspace = unspecified(d->matrix);
    c->sample_aspect_ratio = (AVRational){d->aspect_width, d->aspect_height ? d->aspect_height : 1};
}

// Rate and buffer: the buffer holds a second, as libx264 asks for bits.
void hwav_encoder_bitrate(hwav_encoder *e, int32_t bitrate) {
    e->c->bit_rate = bitrate;
    e->c->rc_max_rate = bitrate;
    e->c->rc_buffer_size = bitrate;
}

static void configure(hwav_encoder *e, const hwav_video *o) {
    AVCodecContext *c = e->c;
    c->width = o->width;
    c->height = o->height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    // Frames are counted: zerolatency makes x264's rate control believe the rate, not the times.
    c->framerate = (AVRational){o->fps_num, o->fps_den};
    c->time_base = (AVRational){o->fps_den, o->fps_num};
    c->gop_size = o->gop;
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER; // the parameter sets, before the first frame
    hwav_encoder_bitrate(e, o->bitrate);
    display(c, &o->display);
}

static int options(AVDictionary **o, const char *preset) {
    static const char *const pairs[][2] = {
        {"tune", "zerolatency"},
        {"forced-idr", "1"},
        // Length prefixes as FLV has them; parameter sets in each IDR as well as in front; no
        // keyframes but those that were asked for, so that renditions stay aligned.
        {"x264-params", "annexb=0:repeat-headers=1:scenecut=0"},
    };
    int r = av_dict_set(o, "preset", preset, 0);
    for (size_t i = 0; r >= 0 && i < sizeof pairs / sizeof *pairs; i++)
        r = av_dict_set(o, pairs[i][0], pairs[i][1], 0);
    return r;
}

int hwav_encoder_open(hwav_encoder **out, const hwav_video *o, const char *preset) {
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec) return AVERROR_ENCODER_NOT_FOUND;
    hwav_encoder *e = av_mallocz(sizeof *e);
    if (!e) return AVERROR(ENOMEM);
    hwav_count_codec(1);
    *e = (hwav_encoder){avcodec_alloc_context3(codec), av_packet_alloc(), av_frame_alloc()};
    AVDictionary *dict = NULL;
    int r = AVERROR(ENOMEM);
    if (!e->c || !e->packet || !e->frame) goto failed;
    configure(e, o);
    if ((r = options(&dict, preset)) < 0) goto failed;
    if ((r = avcodec_open2(e->c, codec, &dict)) < 0) goto failed;
    av_dict_free(&dict);
    *out = e;
    return 0;
failed:
    av_dict_free(&dict);
    hwav_encoder_close(e);
    return r;
}

// Refers to the picture without its metadata: a decoder's picture types would be forced on x264,
// and a shared frame is not ours to change.
static int refer(AVFrame *to, const AVFrame *from) {
    for (int i = 0; i < 3 && from->buf[i]; i++)
        if (!(to->buf[i] = av_buffer_ref(from->buf[i]))) return AVERROR(ENOMEM);
    for (int i = 0; i < 3; i++) {
        to->data[i] = from->data[i];
        to->linesize[i] = from->linesize[i];
    }
    to->extended_data = to->data;
    to->width = from->width;
    to->height = from->height;
    to->format = AV_PIX_FMT_YUV420P;
    return 0;
}

int hwav_encode(hwav_encoder *e, hwav_frame *f, int64_t number, int idr, hwav_packet *out) {
    const AVFrame *from = hwav_av(f);
    // libx264 reads as many rows as it was opened for, whatever the frame has.
    if (from->width != e->c->width || from->height != e->c->height || !from->data[2])
        return AVERROR(EINVAL);
    av_packet_unref(e->packet);
    int r = refer(e->frame, from);
    if (r >= 0) {
        e->frame->pts = number;
        e->frame->pict_type = idr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        r = avcodec_send_frame(e->c, e->frame);
    }
    av_frame_unref(e->frame);
    if (r < 0 || (r = avcodec_receive_packet(e->c, e->packet)) < 0) return r;
    *out = (hwav_packet){e->packet->data, e->packet->size,
                         !!(e->packet->flags & AV_PKT_FLAG_KEY), e->packet->pts};
    return 0;
}

int hwav_encoder_headers(hwav_encoder *e, uint8_t **data) {
    *data = e->c->extradata;
    return e->c->extradata_size;
}

void hwav_encoder_close(hwav_encoder *e) {
    if (!e) return;
    avcodec_free_context(&e->c);
    av_packet_free(&e->packet);
    av_frame_free(&e->frame);
    av_free(e);
    hwav_count_codec(-1);
}
