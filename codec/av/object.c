// What every object needs: counts, messages, silence.
#include "internal.h"
#include <malloc.h>
#include <stdatomic.h>

static atomic_int codecs, frames;

void hwav_count_codec(int by) { atomic_fetch_add(&codecs, by); }
void hwav_count_frame(int by) { atomic_fetch_add(&frames, by); }
int hwav_live_codecs(void) { return atomic_load(&codecs); }
int hwav_live_frames(void) { return atomic_load(&frames); }

unsigned hwav_version(void) { return avcodec_version(); }
const char *hwav_license(void) { return avcodec_license(); }
int hwav_noop(int x) { return x; }

void hwav_reason(int code, char *text, int n) { av_strerror(code, text, n); }

// A constructor, so that there is no moment before it.
__attribute__((constructor)) static void prepare(void) {
    // libav writes to stderr what a stranger's stream makes it find, without bound; errors are
    // returned to us anyway.
    av_log_set_level(AV_LOG_QUIET);
#ifdef __GLIBC__
    // Pictures are mapped, so that a codec that is closed gives its memory back. By itself glibc
    // comes to serve sizes that were freed once from an arena of each thread, which keeps them.
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}
