// Downscaling of one plane.
#include "Halide.h"
using namespace Halide;

namespace {

constexpr int Tile = 64;

Expr u16(Expr e) { return cast<uint16_t>(e); }

// 2:1 by the mean of 2x2 pixels. The plane is read as pairs: the low and the high byte of a 16 bit
// lane are the two neighbours, so that no byte is ever shuffled.
//
// Schedule, 720x1280 with its chroma: 73 us at v1, 60 at v4. One tile of 64 outputs; memory bound.
class Half : public Generator<Half> {
public:
    Input<Buffer<uint16_t>> in{"in", 2};
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        auto pair = [&](Expr yy) { return (in(x, yy) & u16(255)) + (in(x, yy) >> 8); };
        out(x, y) = cast<uint8_t>((pair(2 * y) + pair(2 * y + 1) + 2) >> 2);
    }

    void schedule() {
        in.dim(0).set_stride(1);
        out.dim(0).set_stride(1);
        in.set_estimates({{0, 360}, {0, 1280}});
        out.set_estimates({{0, 360}, {0, 640}});
        const int v = natural_vector_size<uint8_t>();
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).vectorize(xi, v).unroll(xi);
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
};

// num:den by the mean of the area, num pixels to num-1: an output covers parts of two pixels along
// each axis. The result is dense, one value for each input column, of which the caller keeps num-1
// out of num: that packing is a byte shuffle that the compiler spells as scalar loads, and one
// shuffle instruction in the caller. left(x) and right(x) are the weights of a column and of its
// right neighbour, in 1/num.
//
// Schedule: the rows of a group are unrolled and share their loads. Vertical sums are computed
// twice, for a column and for its neighbour: passing them through memory stalls on loads that
// straddle two stores (720x1280 by 3:2, v4: 340 us with it, 184 us without).
class Phase32 : public Generator<Phase32> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<Buffer<uint8_t>> left{"left", 1}, right{"right", 1};
    Output<Buffer<uint8_t>> out{"out", 3};  // (x, row of the group, group)

    void generate() {
        // Row p covers 2/3, 1/3 of rows 0 and 1, or 1/3, 2/3 of rows 1 and 2.
        Expr top = in(x, 3 * g + p), bottom = in(x, 3 * g + p + 1);
        v(x, p, g) = u16(2 - p) * u16(top) + u16(p + 1) * u16(bottom);
        Expr s = u16(left(x)) * v(x, p, g) + u16(right(x)) * v(x + 1, p, g);
        Expr m = cast<uint32_t>(s + u16(4)) * cast<uint32_t>(u16(7282));  // 65536/9, rounded up
        out(x, p, g) = cast<uint8_t>(min(u16(m >> 16), u16(255)));
    }

    void schedule() {
        const int vec = natural_vector_size<uint16_t>();
        in.dim(0).set_min(0).set_stride(1);
        left.dim(0).set_min(0);
        right.dim(0).set_min(0);
        out.dim(0).set_min(0).set_stride(1);
        out.dim(1).set_bounds(0, 2);
        in.set_estimates({{0, 720}, {0, 1280}});
        left.set_estimates({{0, 720}});
        right.set_estimates({{0, 720}});
        out.set_estimates({{0, 720}, {0, 2}, {0, 426}});
        out.bound(p, 0, 2).split(x, xo, xi, Tile, TailStrategy::ShiftInwards)
            .reorder(xi, p, xo, g).vectorize(xi, vec).unroll(xi).unroll(p);
    }

private:
    Var x{"x"}, p{"p"}, g{"g"}, xo{"xo"}, xi{"xi"};
    Func v{"v"};
};

// 4:3 in bytes alone: quarters are averages of averages. Averages round up along y and, by way of
// the complement, down along x, so that the picture gets neither lighter nor darker.
//
// Schedule, 720x1280 with its chroma: 70 us at v3 and 55 at v4 (Zen 5), half of it in the packing;
// as Phase32, but nothing is widened.
class Phase43 : public Generator<Phase43> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<Buffer<uint8_t>> left{"left", 1}, right{"right", 1};
    Output<Buffer<uint8_t>> out{"out", 3};  // (x, row of the group, group)

    void generate() {
        auto average = [](Expr a, Expr b) {
            return cast<uint8_t>((u16(a) + u16(b) + u16(1)) >> 1);
        };
        Expr a = in(x, 4 * g + p), b = in(x, 4 * g + p + 1), ab = average(a, b);
        v(x, p, g) = ~average(ab, select(p == 0, a, p == 1, ab, b));
        Expr c = v(x, p, g), d = v(x + 1, p, g), cd = average(c, d);
        Expr near = select(left(x) > right(x), c, left(x) < right(x), d, cd);
        out(x, p, g) = ~average(cd, near);
    }

    void schedule() {
        const int vec = natural_vector_size<uint8_t>();
        in.dim(0).set_min(0).set_stride(1);
        left.dim(0).set_min(0);
        right.dim(0).set_min(0);
        out.dim(0).set_min(0).set_stride(1);
        out.dim(1).set_bounds(0, 3);
        in.set_estimates({{0, 720}, {0, 1280}});
        left.set_estimates({{0, 720}});
        right.set_estimates({{0, 720}});
        out.set_estimates({{0, 720}, {0, 3}, {0, 320}});
        out.bound(p, 0, 3).split(x, xo, xi, Tile, TailStrategy::ShiftInwards)
            .reorder(xi, p, xo, g).vectorize(xi, vec).unroll(xi).unroll(p);
    }

private:
    Var x{"x"}, p{"p"}, g{"g"}, xo{"xo"}, xi{"xi"};
    Func v{"v"};
};

// 3:1 by the mean of 3x3 pixels, dense along x: the caller keeps every third.
//
// Schedule, 720x1280 with its chroma: 149 us at v3, 110 at v4. As Phase32.
class Third : public Generator<Third> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        v(x, y) = u16(in(x, 3 * y)) + u16(in(x, 3 * y + 1)) + u16(in(x, 3 * y + 2));
        Expr s = v(x, y) + v(x + 1, y) + v(x + 2, y) + u16(4);
        Expr m = cast<uint32_t>(s) * cast<uint32_t>(u16(7282));
        out(x, y) = cast<uint8_t>(min(u16(m >> 16), u16(255)));
    }

    void schedule() {
        const int vec = natural_vector_size<uint16_t>();
        in.dim(0).set_min(0).set_stride(1);
        out.dim(0).set_min(0).set_stride(1);
        in.set_estimates({{0, 720}, {0, 1280}});
        out.set_estimates({{0, 718}, {0, 426}});
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).vectorize(xi, vec).unroll(xi);
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
    Func v{"v"};
};

// Any ratio, by tables: separable, weights in 1.14 fixed point that sum to 1 << 14, an even number
// of taps. Along y a row of 15 bit values is made and stored as pairs of neighbours, so that along
// x one 32 bit gather fetches two taps.
//
// Schedule, 720x1280 to 500x888 with its chroma: 1120 us at v1, 585 at v3. One row at a time, which
// stays in the first cache; the row is stored at the root so that it is allocated once.
class General : public Generator<General> {
public:
    GeneratorParam<int> taps{"taps", 2};  // 0: as many as the tables have
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<Buffer<int32_t>> xs{"xs", 1}, ys{"ys", 1};  // the first tap of each column and row
    Input<Buffer<int16_t>> xw{"xw", 2};               // (column, tap)
    Input<Buffer<int16_t>> yw{"yw", 2};               // (tap, row)
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        auto i32 = [](Expr e) { return cast<int32_t>(e); };
        const int n = taps;
        Expr count = n ? Expr(n) : xw.dim(1).extent();
        Expr lastx = in.dim(0).extent() - 1, lasty = in.dim(1).extent() - 1;
        Expr y0 = unsafe_promise_clamped(ys(y), 0, lasty);
        Expr x0 = unsafe_promise_clamped(xs(x), 0, lastx - 1);
        t = RDom(0, count);
        h = RDom(0, count / 2);
        sum(x, y) = i32(64);
        Expr row = unsafe_promise_clamped(y0 + t, 0, lasty);
        sum(x, y) += i32(yw(t, y)) * i32(cast<int16_t>(in(x, row)));
        v(x, y) = cast<int16_t>(sum(x, y) >> 7);
        pair(x, y) = (cast<uint32_t>(v(x, y)) & 0xffff) | (cast<uint32_t>(v(x + 1, y)) << 16);
        Expr w = pair(unsafe_promise_clamped(x0 + 2 * h, 0, lastx - 1), y);
        acc(x, y) = i32(1 << 20);
        acc(x, y) += i32(cast<int16_t>(w & 0xffff)) * i32(xw(x, 2 * h)) +
                     i32(cast<int16_t>(w >> 16)) * i32(xw(x, 2 * h + 1));
        out(x, y) = cast<uint8_t>(clamp(acc(x, y) >> 21, 0, 255));
    }

    void schedule() {
        const int vec = natural_vector_size<int32_t>(), n = taps;
        in.dim(0).set_min(0).set_stride(1);
        in.dim(1).set_min(0);
        out.dim(0).set_min(0).set_stride(1);
        for (auto *p : {&xs, &ys}) (*p).dim(0).set_min(0).set_stride(1);
        xw.dim(0).set_min(0).set_stride(1);
        yw.dim(0).set_min(0).set_stride(1);
        xw.dim(1).set_min(0);
        if (n) {
            xw.dim(1).set_bounds(0, n);
            yw.dim(0).set_bounds(0, n);
        }
        in.set_estimates({{0, 720}, {0, 1280}});
        xs.set_estimates({{0, 480}});
        ys.set_estimates({{0, 854}});
        xw.set_estimates({{0, 480}, {0, 2}});
        yw.set_estimates({{0, 2}, {0, 854}});
        out.set_estimates({{0, 480}, {0, 854}});
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).vectorize(xi, vec).unroll(xi);
        acc.compute_at(out, xo).vectorize(x, vec).unroll(x);
        acc.update().reorder(x, h).vectorize(x, vec).unroll(x);
        pair.store_root().compute_at(out, y).vectorize(x, vec, TailStrategy::ShiftInwards);
        v.store_root().compute_at(out, y).split(x, xo, xi, 2 * vec, TailStrategy::ShiftInwards)
            .vectorize(xi, vec).unroll(xi);
        sum.compute_at(v, xo).vectorize(x, vec).unroll(x);
        sum.update().reorder(x, t).vectorize(x, vec).unroll(x);
        if (n) {
            acc.update().unroll(h);
            sum.update().unroll(t);
        }
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
    Func sum{"sum"}, v{"v"}, pair{"pair"}, acc{"acc"};
    RDom t, h;
};

}  // namespace

HALIDE_REGISTER_GENERATOR(Half, half)
HALIDE_REGISTER_GENERATOR(Phase32, phase_32)
HALIDE_REGISTER_GENERATOR(Phase43, phase_43)
HALIDE_REGISTER_GENERATOR(Third, third)
HALIDE_REGISTER_GENERATOR(General, general)
