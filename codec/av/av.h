// The C side of codec/av: flat calls over libav, each one crossing from Go. A negative result is an
// AVERROR. Nothing here keeps a pointer that it was lent; what an open call returns is the caller's
// to close. One object is used by one thread at a time, any thread.
#ifndef HEADWATER_AV_H
#define HEADWATER_AV_H

#include <libavutil/error.h>
#include <stdint.h>

typedef struct hwav_frame hwav_frame; // an AVFrame, which Go has no need to see into
typedef struct hwav_decoder hwav_decoder;
typedef struct hwav_encoder hwav_encoder;
typedef struct hwav_audio hwav_audio;
typedef struct hwav_resampler hwav_resampler;

// How pixels are to be shown: ITU-T H.273 code points, 0 where a stream does not tell.
typedef struct {
    int32_t full, primaries, transfer, matrix, aspect_width, aspect_height;
} hwav_display;

// What Go knows of a frame. The planes are lent: they live as long as the frame's buffers.
typedef struct {
    uint8_t *plane[3];
    int32_t stride[3];
    int32_t width, height;
    int32_t i420;    // 8 bit 4:2:0, of either range
    int32_t corrupt; // libav concealed damage
    int64_t pts;
    hwav_display display;
} hwav_view;

// object.c
unsigned hwav_version(void);
const char *hwav_license(void);
void hwav_reason(int code, char *text, int n);
int hwav_live_codecs(void);
int hwav_live_frames(void);
int hwav_noop(int x);

// frame.c
int hwav_frame_new(hwav_frame **out);
int hwav_frame_alloc(hwav_frame **out, int width, int height, hwav_view *view);
void hwav_frame_clear(hwav_frame *f);
void hwav_frame_free(hwav_frame *f);

// decode.c: send one unit, then receive until the result is 0.
int hwav_decoder_open(hwav_decoder **out, const uint8_t *record, int n, int width, int height);
int hwav_decoder_send(hwav_decoder *d, const uint8_t *unit, int n, int64_t pts, int64_t dts,
                      const uint8_t *record, int record_n);
int hwav_decoder_drain(hwav_decoder *d);
int hwav_decoder_receive(hwav_decoder *d, hwav_frame *f, hwav_view *view);
void hwav_decoder_restart(hwav_decoder *d);
void hwav_decoder_close(hwav_decoder *d);

// x264.c, or openh264.c under that build tag
typedef struct {
    int32_t width, height;
    int32_t fps_num, fps_den;
    int32_t bitrate; // bits/s
    int32_t gop;     // frames
    hwav_display display;
} hwav_video;

// A packet's data is lent until the next call of its encoder.
typedef struct {
    uint8_t *data;
    int32_t size;
    int32_t idr;
    int64_t pts;
} hwav_packet;

int hwav_encoder_open(hwav_encoder **out, const hwav_video *o, const char *preset);
int hwav_encode(hwav_encoder *e, hwav_frame *f, int64_t number, int idr, hwav_packet *out);
void hwav_encoder_bitrate(hwav_encoder *e, int32_t bitrate);
int hwav_encoder_headers(hwav_encoder *e, uint8_t **data);
void hwav_encoder_close(hwav_encoder *e);

// Samples of the first one or two channels, full scale 1, lent until the next call.
typedef struct {
    float *plane[2];
    int32_t rate, channels, length;
} hwav_samples;

// audio_decode.c: a decoder of sound is sent to, drained and closed as one of pictures is.
int hwav_aac_open(hwav_decoder **out, const uint8_t *config, int n);
int hwav_aac_receive(hwav_decoder *d, hwav_samples *out);

// audio_encode.c: fill until it takes no more, encode, receive until the result is 0.
int hwav_audio_open(hwav_audio **out, const char *codec, int rate, int channels, int bitrate);
int hwav_audio_fill(hwav_audio *a, const float *left, const float *right, int n);
int hwav_audio_send(hwav_audio *a, int last);
int hwav_audio_receive(hwav_audio *a, hwav_packet *out, int32_t *length);
int hwav_audio_config(hwav_audio *a, uint8_t **data);
int hwav_audio_frame(hwav_audio *a);   // samples in a packet
int hwav_audio_priming(hwav_audio *a); // samples that a decoder puts out before the first
void hwav_audio_close(hwav_audio *a);

// resample.c: n is 0 to get what the filter holds back.
int hwav_resampler_open(hwav_resampler **out, int rate, int channels, int out_rate,
                        int out_channels);
int hwav_resample(hwav_resampler *r, const float *left, const float *right, int n,
                  hwav_samples *out);
void hwav_resampler_close(hwav_resampler *r);

#endif
