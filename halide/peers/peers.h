#ifndef PEERS_H
#define PEERS_H
#include <stdint.h>
#include <stdlib.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct { uint8_t *p; int stride, w, h; } plane;
enum { BOX, GAUSS, PIXELATE, HALF, SCALE, THUMBNAIL, DIFF, EDGES, SQUARED };
void peer_copy(plane out, plane in);
double c_level(int16_t *p, int n);
double c_k_weighted(double *c, float *p, int n, double *s);
void c_run(int kind, plane out, plane in, int n);
void yuv_run(int kind, plane out, plane in, int n);
void cv_run(int kind, plane out, plane in, int n);
void cv_match(float *out, plane in, plane t, int ow, int oh);
void c_match(float *out, plane in, int16_t *t, int16_t *m, plane size, int ow, int oh);
typedef struct graph graph;
graph *av_graph(char *description, int w, int h);
void av_run(graph *g, plane y, plane u, plane v);
#ifdef __cplusplus
}
#endif
#endif
