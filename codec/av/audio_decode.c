// The AAC decoder, of floating point output.
#include "internal.h"

int hwav_aac_open(hwav_decoder **out, const uint8_t *config, int n) {
    hwav_decoder *d;
    int r = hwav_decoder_new(&d, "aac");
    if (r < 0) return r;
    if ((r = hwav_extradata(d->c, config, n)) < 0 || (r = avcodec_open2(d->c, NULL, NULL)) < 0) {
        hwav_decoder_close(d);
        return r;
    }
    *out = d;
    return 0;
}

int hwav_aac_receive(hwav_decoder *d, hwav_samples *out) {
    AVFrame *f = d->frame;
    int r = avcodec_receive_frame(d->c, f);
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
    if (r < 0) return r;
    int channels = f->ch_layout.nb_channels;
    if (f->format != AV_SAMPLE_FMT_FLTP || channels < 1 || f->nb_samples < 1)
        return AVERROR_INVALIDDATA;
    *out = (hwav_samples){
        .plane = {(float *)f->extended_data[0],
                  channels > 1 ? (float *)f->extended_data[1] : NULL},
        .rate = f->sample_rate,
        .channels = channels,
        .length = f->nb_samples,
    };
    return 1;
}
