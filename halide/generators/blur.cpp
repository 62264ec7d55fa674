// Blurs of one plane, edges replicated. The output may be any run of rows of the whole: the halo
// that it needs is read from the input.
#include "Halide.h"
using namespace Halide;

namespace {

// Tile is the width of the inner tile and so the smallest width; the same on every CPU.
constexpr int Tile = 64;

Expr u16(Expr e) { return cast<uint16_t>(e); }

// Padded is a widened row with `reach` replicated pixels on either side, written as a copy and two
// fills: clamping the coordinate inside vectors costs as much again as the row.
struct Padded {
    Func row{"row"};
    RDom inside, out;
    void define(Func in, Expr x0, Expr x1, Expr reach, Var x, Var y) {
        inside = RDom(0, x1 - x0 + 1);
        out = RDom(0, reach);
        row(x, y) = undef<uint16_t>();
        row(x0 + inside, y) = u16(in(x0 + inside, y));
        row(x0 - 1 - out, y) = u16(in(x0, y));
        row(x1 + 1 + out, y) = u16(in(x1, y));
    }
    void schedule(Func at, Var y, int vec) {
        row.store_root().compute_at(at, y);
        row.update(0).vectorize(inside, vec);
        row.update(1).vectorize(out, 8);
        row.update(2).vectorize(out, 8);
    }
};

// Box blur of radius r: a running mean along x, rounded to 8 bits, then one along y. The mean is
// (sum + r) * ((65536 + r) / (2r + 1)) >> 16, so that every lane has 16 bits and the product is one
// pmulhuw (the min keeps the narrowing from being folded into a 32 bit product).
//
// Schedule, 720x160 with its chroma, r 16: 101 us at v1, 62 at v3. Along x sums of eight neighbours
// make the window cost w/8 + w%8 additions whatever the tile; along y the column sums live in a
// tile of 64 columns that walks down the rows. Both tiles hold 4 or 8 vectors, which hides the
// latency of the additions. Vectors of 64 bytes cost 77 us: their unaligned loads straddle a line
// each time.
class Box : public Generator<Box> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<int32_t> r{"r", 1, 1, 127};
    Input<int32_t> top{"top"}, rows{"rows"};  // the rows of `out`
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        Expr x0 = in.dim(0).min(), x1 = in.dim(0).max(), y0 = in.dim(1).min(), y1 = in.dim(1).max();
        Expr w = 2 * r + 1, inv = u16((65536 + r) / w);
        auto mean = [&](Expr s) {
            Expr p = cast<uint32_t>(s + u16(r)) * cast<uint32_t>(inv);
            return cast<uint8_t>(min(u16(p >> 16), u16(255)));
        };
        pad.define(in, x0, x1, r + 8, x, y);
        Func &row = pad.row;
        s4(x, y) = (row(x, y) + row(x + 1, y)) + (row(x + 2, y) + row(x + 3, y));
        s8(x, y) = s4(x, y) + s4(x + 4, y);
        by8 = RDom(0, w / 8);
        by1 = RDom(0, w % 8);
        along(x, y) = u16(0);
        along(x, y) += s8(x - r + 8 * by8, y);
        along(x, y) += row(x - r + (w / 8) * 8 + by1, y);
        h(x, y) = mean(along(x, y));

        auto at = [&](Expr yy) { return u16(h(x, clamp(yy, y0, y1))); };
        window = RDom(-r, w);
        down = RDom(1, rows - 1);
        first(x) = u16(0);
        first(x) += at(top + window);
        column(x, y) = undef<uint16_t>();
        column(x, top) = first(x);
        Expr yy = top + down;
        column(x, yy) = column(x, yy - 1) + at(yy + r) - at(yy - r - 1);
        out(x, y) = mean(column(x, y));
    }

    void schedule() {
        const int v = std::min(natural_vector_size<uint16_t>(), 16);
        in.dim(0).set_stride(1);
        out.dim(0).set_stride(1);
        out.dim(1).set_bounds(top, rows);
        in.set_estimates({{0, 720}, {0, 160}});
        out.set_estimates({{0, 720}, {0, 160}});
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).reorder(xi, y, xo)
            .vectorize(xi, v).unroll(xi);
        column.compute_at(out, xo);
        column.update(0).vectorize(x, v);
        column.update(1).reorder(x, down).vectorize(x, v).unroll(x);
        first.compute_at(out, xo).vectorize(x, v);
        first.update().reorder(x, window).vectorize(x, v).unroll(x);
        h.compute_root().split(x, xo, xi, Tile, TailStrategy::ShiftInwards)
            .vectorize(xi, v).unroll(xi);
        along.compute_at(h, xo).vectorize(x, v).unroll(x);
        along.update(0).reorder(x, by8).vectorize(x, v).unroll(x);
        along.update(1).reorder(x, by1).vectorize(x, v).unroll(x);
        for (Func f : {s4, s8})
            f.store_root().compute_at(h, y).vectorize(x, v, TailStrategy::RoundUp);
        pad.schedule(h, y, v);
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
    Padded pad;
    Func s4{"s4"}, s8{"s8"}, along{"along"}, h{"h"}, first{"first"}, column{"column"};
    RDom by8, by1, window, down;
};

// Two-dimensional gaussian: the same symmetric weights along x and along y, each pass rounded to
// 8 bits. taps(0) is the centre; taps(0) + 2 * (the others) is 256, so sums stay within 16 bits.
//
// Schedule, 720x160 with its chroma, 25 taps: 316 us at v1, 204 at v3, 182 at v4. The two pixels
// that share a weight are added first, which halves the products; the sums of a tile of 64 pixels
// stay in registers. Unrolling the taps by two gained nothing.
class Gauss : public Generator<Gauss> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<Buffer<uint8_t>> taps{"taps", 1};  // r + 1 weights
    Input<int32_t> top{"top"}, rows{"rows"};
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        Expr x0 = in.dim(0).min(), x1 = in.dim(0).max(), y0 = in.dim(1).min(), y1 = in.dim(1).max();
        Expr r = taps.dim(0).extent() - 1;
        k = RDom(1, r);
        pad.define(in, x0, x1, r + 8, x, y);
        Func &row = pad.row;
        along(x, y) = u16(128) + u16(taps(0)) * row(x, y);
        along(x, y) += u16(taps(k)) * (row(x - k, y) + row(x + k, y));
        h(x, y) = cast<uint8_t>(along(x, y) >> 8);
        auto at = [&](Expr yy) { return u16(h(x, clamp(yy, y0, y1))); };
        down(x, y) = u16(128) + u16(taps(0)) * at(y);
        down(x, y) += u16(taps(k)) * (at(y - k) + at(y + k));
        out(x, y) = cast<uint8_t>(down(x, y) >> 8);
    }

    void schedule() {
        const int v = natural_vector_size<uint16_t>();
        in.dim(0).set_stride(1);
        out.dim(0).set_stride(1);
        out.dim(1).set_bounds(top, rows);
        taps.dim(0).set_min(0).set_stride(1).set_estimate(0, 13);
        in.set_estimates({{0, 720}, {0, 160}});
        out.set_estimates({{0, 720}, {0, 160}});
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).vectorize(xi, v).unroll(xi);
        down.compute_at(out, xo).vectorize(x, v).unroll(x);
        down.update().reorder(x, k).vectorize(x, v).unroll(x);
        h.compute_root().split(x, xo, xi, Tile, TailStrategy::ShiftInwards)
            .vectorize(xi, v).unroll(xi);
        along.compute_at(h, xo).vectorize(x, v).unroll(x);
        along.update().reorder(x, k).vectorize(x, v).unroll(x);
        pad.schedule(h, y, v);
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
    Padded pad;
    Func along{"along"}, h{"h"}, down{"down"};
    RDom k;
};

// Sums of each column over at most 256 rows: what a mosaic needs of the pixels. The cells of a row
// of the mosaic are then a few dozen additions and fills, which the caller does.
//
// Schedule, the mosaic of 720x160 with its chroma: 20 us at v1, 18 at v4. The sums of a tile of 64
// columns stay in registers while the rows go by.
class ColumnSum : public Generator<ColumnSum> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Output<Buffer<uint16_t>> out{"out", 1};

    void generate() {
        rows = RDom(in.dim(1).min(), in.dim(1).extent());
        sum(x) = u16(0);
        sum(x) += u16(in(x, rows));
        out(x) = sum(x);
    }

    void schedule() {
        const int v = natural_vector_size<uint16_t>();
        in.dim(0).set_stride(1);
        in.set_estimates({{0, 720}, {0, 16}});
        out.set_estimates({{0, 720}});
        out.split(x, xo, xi, Tile, TailStrategy::ShiftInwards).vectorize(xi, v).unroll(xi);
        sum.compute_at(out, xo).vectorize(x, v).unroll(x);
        sum.update().reorder(x, rows).vectorize(x, v).unroll(x);
    }

private:
    Var x{"x"}, xo{"xo"}, xi{"xi"};
    Func sum{"sum"};
    RDom rows;
};

}  // namespace

HALIDE_REGISTER_GENERATOR(Box, box)
HALIDE_REGISTER_GENERATOR(Gauss, gauss)
HALIDE_REGISTER_GENERATOR(ColumnSum, column_sum)
