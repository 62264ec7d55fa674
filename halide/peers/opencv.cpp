//go:build peers && cgo

#include "peers.h"
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

static cv::Mat mat(plane p) { return cv::Mat(p.h, p.w, CV_8UC1, p.p, p.stride); }
static volatile double sink;

void cv_run(int kind, plane out, plane in, int n) {
    cv::setNumThreads(1);
    cv::Mat a = mat(in), b = mat(out);
    const int border = cv::BORDER_REPLICATE | cv::BORDER_ISOLATED;
    const cv::Size window(2 * n + 1, 2 * n + 1);
    switch (kind) {
    case BOX: cv::blur(a, b, window, cv::Point(-1, -1), border); return;
    case GAUSS: cv::GaussianBlur(a, b, window, 0.4 * n, 0.4 * n, border); return;
    case PIXELATE: {
        cv::Mat s;
        cv::resize(a, s, cv::Size((in.w + n - 1) / n, (in.h + n - 1) / n), 0, 0, cv::INTER_AREA);
        cv::resize(s, b, b.size(), 0, 0, cv::INTER_NEAREST);
        return;
    }
    case HALF:
    case THUMBNAIL: cv::resize(a, b, b.size(), 0, 0, cv::INTER_AREA); return;
    case SCALE:
        cv::resize(a, b, b.size(), 0, 0, n == 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
        return;
    case DIFF: sink = cv::norm(a, b, cv::NORM_L1); return;
    case SQUARED: sink = cv::norm(a, b, cv::NORM_L2SQR); return;
    case EDGES: {
        cv::Mat d, r;
        cv::absdiff(a(cv::Rect(1, 0, in.w - 1, in.h)), a(cv::Rect(0, 0, in.w - 1, in.h)), d);
        cv::reduce(d, r, 0, cv::REDUCE_SUM, CV_32S);
        cv::absdiff(a(cv::Rect(0, 1, in.w, in.h - 1)), a(cv::Rect(0, 0, in.w, in.h - 1)), d);
        cv::reduce(d, r, 1, cv::REDUCE_SUM, CV_32S);
        return;
    }
    }
}

void cv_match(float *out, plane in, plane t, int ow, int oh) {
    cv::setNumThreads(1);
    cv::Mat r(oh, ow, CV_32FC1, out);
    cv::Mat searched = mat(in)(cv::Rect(0, 0, ow + t.w - 1, oh + t.h - 1));
    cv::matchTemplate(searched, mat(t), r, cv::TM_CCOEFF_NORMED);
}
