// The resampler: planes of floats in and out.
#include "internal.h"
#include <libavutil/channel_layout.h>
#include <libavutil/mem.h>
#include <libswresample/swresample.h>

struct hwav_resampler {
    SwrContext *swr;
    float *plane[2];
    unsigned size[2]; // bytes of each
    int rate, channels;
};

int hwav_resampler_open(hwav_resampler **out, int rate, int channels, int out_rate,
                        int out_channels) {
    hwav_resampler *r = av_mallocz(sizeof *r);
    if (!r) return AVERROR(ENOMEM);
    hwav_count_codec(1);
    r->rate = out_rate;
    r->channels = out_channels;
    AVChannelLayout from, to;
    av_channel_layout_default(&from, channels);
    av_channel_layout_default(&to, out_channels);
    int e = swr_alloc_set_opts2(&r->swr, &to, AV_SAMPLE_FMT_FLTP, out_rate, &from,
                                AV_SAMPLE_FMT_FLTP, rate, 0, NULL);
    if (e >= 0) e = swr_init(r->swr);
    if (e < 0) {
        hwav_resampler_close(r);
        return e;
    }
    *out = r;
    return 0;
}

int hwav_resample(hwav_resampler *r, const float *left, const float *right, int n,
                  hwav_samples *out) {
    int most = swr_get_out_samples(r->swr, n);
    if (most < 0) return most;
    for (int i = 0; i < r->channels; i++) {
        av_fast_malloc(&r->plane[i], &r->size[i], (most + 1) * sizeof(float));
        if (!r->plane[i]) return AVERROR(ENOMEM);
    }
    const uint8_t *in[2] = {(const uint8_t *)left, (const uint8_t *)right};
    int got = swr_convert(r->swr, (uint8_t **)r->plane, most, n ? in : NULL, n);
    if (got < 0) return got;
    *out = (hwav_samples){{r->plane[0], r->plane[1]}, r->rate, r->channels, got};
    return 0;
}

void hwav_resampler_close(hwav_resampler *r) {
    if (!r) return;
    swr_free(&r->swr);
    av_free(r->plane[0]);
    av_free(r->plane[1]);
    av_free(r);
    hwav_count_codec(-1);
}
