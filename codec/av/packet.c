// What goes into a codec: configuration and packets in lent memory.
#include "internal.h"
#include <string.h>

int hwav_extradata(AVCodecContext *c, const uint8_t *data, int n) {
    if (n <= 0) return 0;
    c->extradata = av_mallocz((size_t)n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!c->extradata) return AVERROR(ENOMEM);
    memcpy(c->extradata, data, n);
    c->extradata_size = n;
    return 0;
}

void hwav_lend(AVPacket *p, const uint8_t *data, int n, int64_t pts, int64_t dts) {
    p->data = (uint8_t *)data;
    p->size = n;
    p->pts = pts;
    p->dts = dts;
}

void hwav_take_back(AVPacket *p) {
    p->data = NULL;
    p->size = 0;
    av_packet_unref(p);
}

int hwav_new_extradata(AVPacket *p, const uint8_t *data, int n) {
    if (n <= 0) return 0;
    uint8_t *side = av_packet_new_side_data(p, AV_PKT_DATA_NEW_EXTRADATA, n);
    if (!side) return AVERROR(ENOMEM);
    memcpy(side, data, n);
    return 0;
}
