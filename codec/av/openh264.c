//go:build cgo && openh264

// The H.264 encoder, by Cisco's openh264 (BSD-2-Clause) for who cannot ship the GPL's x264.
#include "internal.h"
#include <libavutil/mem.h>
#include <string.h>
#include <wels/codec_api.h>

struct hwav_encoder {
    ISVCEncoder *c;
    int width, height, bitrate;
    uint8_t *data; // what came out, with lengths in front
    unsigned room;
    uint8_t *headers;
    int headers_size;
};

static void display(SSpatialLayerConfig *l, const hwav_display *d) {
    l->bVideoSignalTypePresent = d->full || d->primaries || d->transfer || d->matrix;
    l->uiVideoFormat = 5; // unspecified
    l->bFullRange = d->full;
    l->bColorDescriptionPresent = d->primaries || d->transfer || d->matrix;
    l->uiColorPrimaries = d->primaries ? d->primaries : 2;
    l->uiTransferCharacteristics = d->transfer ? d->transfer : 2;
    l->uiColorMatrix = d->matrix ? d->matrix : 2;
    l->bAspectRatioPresent = d->aspect_width > 0;
    l->eAspectRatio = ASP_EXT_SAR;
    l->sAspectRatioExtWidth = d->aspect_width;
    l->sAspectRatioExtHeight = d->aspect_height;
}

static int configure(hwav_encoder *e, const hwav_video *o) {
    SEncParamExt p;
    if ((*e->c)->GetDefaultParams(e->c, &p)) return AVERROR_EXTERNAL;
    p.iUsageType = CAMERA_VIDEO_REAL_TIME;
    p.iPicWidth = o->width;
    p.iPicHeight = o->height;
    p.fMaxFrameRate = (float)o->fps_num / o->fps_den;
    p.iRCMode = RC_BITRATE_MODE;
    p.iTargetBitrate = p.iMaxBitrate = o->bitrate;
    p.bEnableFrameSkip = false; // a packet for each frame
    p.uiIntraPeriod = o->gop < 1 << 30 ? o->gop : 0;
    p.bEnableSceneChangeDetect = false;
    p.eSpsPpsIdStrategy = CONSTANT_ID;
    p.iEntropyCodingModeFlag = 1;
    p.iMultipleThreadIdc = 1;
    SSpatialLayerConfig *l = &p.sSpatialLayers[0];
    l->iVideoWidth = o->width;
    l->iVideoHeight = o->height;
    l->fFrameRate = p.fMaxFrameRate;
    l->iSpatialBitrate = l->iMaxSpatialBitrate = o->bitrate;
    l->uiProfileIdc = PRO_HIGH;
    l->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    display(l, &o->display);
    return (*e->c)->InitializeExt(e->c, &p) ? AVERROR(EINVAL) : 0;
}

// Gathers what came out, its start codes of four bytes replaced by lengths.
static int gather(hwav_encoder *e, const SFrameBSInfo *info) {
    int size = 0;
    for (int i = 0; i < info->iLayerNum; i++)
        for (int k = 0; k < info->sLayerInfo[i].iNalCount; k++)
            size += info->sLayerInfo[i].pNalLengthInByte[k];
    av_fast_malloc(&e->data, &e->room, size + 1);
    if (!e->data) return AVERROR(ENOMEM);
    uint8_t *to = e->data;
    for (int i = 0; i < info->iLayerNum; i++) {
        const uint8_t *from = info->sLayerInfo[i].pBsBuf;
        for (int k = 0; k < info->sLayerInfo[i].iNalCount; k++) {
            unsigned n = info->sLayerInfo[i].pNalLengthInByte[k];
            if (n < 4 || memcmp(from, "\0\0\0\1", 4)) return AVERROR_EXTERNAL;
            memcpy(to, from, n);
            for (int b = 0; b < 4; b++) to[b] = (n - 4) >> (24 - 8 * b);
            to += n;
            from += n;
        }
    }
    return size;
}

static int headers(hwav_encoder *e) {
    SFrameBSInfo info = {0};
    if ((*e->c)->EncodeParameterSets(e->c, &info)) return AVERROR_EXTERNAL;
    int n = gather(e, &info);
    if (n < 0) return n;
    if (!(e->headers = av_memdup(e->data, n))) return AVERROR(ENOMEM);
    e->headers_size = n;
    return 0;
}

int hwav_encoder_open(hwav_encoder **out, const hwav_video *o, const char *preset) {
    (void)preset; // x264's
    hwav_encoder *e = av_mallocz(sizeof *e);
    if (!e) return AVERROR(ENOMEM);
    hwav_count_codec(1);
    e->width = o->width;
    e->height = o->height;
    e->bitrate = o->bitrate;
    int r = WelsCreateSVCEncoder(&e->c) ? AVERROR_EXTERNAL : 0;
    int quiet = WELS_LOG_QUIET;
    if (r >= 0) (*e->c)->SetOption(e->c, ENCODER_OPTION_TRACE_LEVEL, &quiet);
    if (r >= 0) r = configure(e, o);
    if (r >= 0) r = headers(e);
    if (r < 0) {
        hwav_encoder_close(e);
        return r;
    }
    *out = e;
    return 0;
}

int hwav_encode(hwav_encoder *e, hwav_frame *f, int64_t number, int idr, hwav_packet *out) {
    const AVFrame *from = hwav_av(f);
    if (from->width != e->width || from->height != e->height || !from->data[2])
        return AVERROR(EINVAL);
    if (idr) (*e->c)->ForceIntraFrame(e->c, true);
    SSourcePicture p = {
        .iColorFormat = videoFormatI420,
        .iPicWidth = from->width,
        .iPicHeight = from->height,
    };
    for (int i = 0; i < 3; i++) {
        p.iStride[i] = from->linesize[i];
        p.pData[i] = from->data[i];
    }
    SFrameBSInfo info = {0};
    if ((*e->c)->EncodeFrame(e->c, &p, &info)) return AVERROR_EXTERNAL;
    int n = gather(e, &info);
    if (n < 1) return n < 0 ? n : AVERROR(EAGAIN);
    *out = (hwav_packet){e->data, n, info.eFrameType == videoFrameTypeIDR, number};
    return 0;
}

// The greatest rate must never be below the target, so the one that grows goes first.
void hwav_encoder_bitrate(hwav_encoder *e, int32_t bitrate) {
    SBitrateInfo info = {SPATIAL_LAYER_ALL, bitrate};
    ENCODER_OPTION order[2] = {ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE};
    int up = bitrate > e->bitrate;
    (*e->c)->SetOption(e->c, order[up], &info);
    (*e->c)->SetOption(e->c, order[!up], &info);
    e->bitrate = bitrate;
}

int hwav_encoder_headers(hwav_encoder *e, uint8_t **data) {
    *data = e->headers;
    return e->headers_size;
}

void hwav_encoder_close(hwav_encoder *e) {
    if (!e) return;
    if (e->c) {
        (*e->c)->Uninitialize(e->c);
        WelsDestroySVCEncoder(e->c);
    }
    av_free(e->data);
    av_free(e->headers);
    av_free(e);
    hwav_count_codec(-1);
}
