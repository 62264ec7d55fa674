// What the C files share and Go does not see.
#ifndef HEADWATER_AV_INTERNAL_H
#define HEADWATER_AV_INTERNAL_H

#include "av.h"
#include <libavcodec/avcodec.h>

// Counts of what lives, so that a leak is a number that is not zero.
void hwav_count_codec(int by);
void hwav_count_frame(int by);

static inline AVFrame *hwav_av(hwav_frame *f) { return (AVFrame *)f; }

// Describes a picture.
void hwav_view_of(const AVFrame *f, hwav_view *view);

// A decoder of pictures or of sound.
struct hwav_decoder {
    AVCodecContext *c;
    AVPacket *packet;
    AVFrame *frame;    // for sound, which is lent from here
    int width, height; // bounds of what is allocated for a picture
};

// Allocates a decoder, not opened yet.
int hwav_decoder_new(hwav_decoder **out, const char *codec);

// Copies n bytes into the context's extradata, padded as libav asks.
int hwav_extradata(AVCodecContext *c, const uint8_t *data, int n);

// Points a packet at memory that is lent for one avcodec_send_packet, which copies it as the packet
// has no buffer; and lets go of it.
void hwav_lend(AVPacket *p, const uint8_t *data, int n, int64_t pts, int64_t dts);
void hwav_take_back(AVPacket *p);

// Adds a new configuration to a packet.
int hwav_new_extradata(AVPacket *p, const uint8_t *data, int n);

#endif
