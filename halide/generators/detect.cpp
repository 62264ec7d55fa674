// What detectors look at: small luma, differences, gradients, squared error.
#include "Halide.h"
using namespace Halide;

namespace {

constexpr int Tile = 64;

Expr u16(Expr e) { return cast<uint16_t>(e); }
Expr u32(Expr e) { return cast<uint32_t>(e); }

// Mean of cells of size x size pixels, rounded.
//
// Schedule, 720x1280 by 8: 51 us at v1, 53 at v3 (60 with vectors of 64 bytes). The rows of a cell
// are summed as whole vectors into a stack tile, whose columns are then summed with a constant
// stride.
class Thumbnail : public Generator<Thumbnail> {
public:
    GeneratorParam<int> size{"size", 8};
    Input<Buffer<uint8_t>> in{"in", 2};
    Output<Buffer<uint8_t>> out{"out", 2};

    void generate() {
        const int n = size;
        ky = RDom(0, n);
        kx = RDom(0, n);
        column(x, y) = u16(0);
        column(x, y) += u16(in(x, y * n + ky));
        cell(x, y) = u16(0);
        cell(x, y) += column(x * n + kx, y);
        out(x, y) = cast<uint8_t>((cell(x, y) + u16(n * n / 2)) / u16(n * n));
    }

    void schedule() {
        const int tile = size == 16 ? 16 : 32;
        const int v = std::min(natural_vector_size<uint16_t>(), 16), w = std::min(v, tile);
        in.dim(0).set_stride(1);
        out.dim(0).set_stride(1);
        in.set_estimates({{0, 720}, {0, 1280}});
        out.set_estimates({{0, 720 / (int)size}, {0, 1280 / (int)size}});
        out.split(x, xo, xi, tile, TailStrategy::ShiftInwards).vectorize(xi, w).unroll(xi);
        cell.compute_at(out, xo).vectorize(x, w).unroll(x);
        cell.update().reorder(kx, x).unroll(kx).vectorize(x, w).unroll(x);
        column.compute_at(out, xo).vectorize(x, v);
        column.update().reorder(ky, x).vectorize(x, v).unroll(ky);
    }

private:
    Var x{"x"}, y{"y"}, xo{"xo"}, xi{"xi"};
    Func column{"column"}, cell{"cell"};
    RDom ky, kx;
};

// Sums of |a - b| by row and by column of a band of at most 256 rows and 2048 columns, and the sum
// of `a` by row. The caller walks the bands, so that the second pass finds the band in the cache.
//
// Schedule, two frames of 720x1280: 190 us at v1, 101 at v4; gradients without the sums of `a` take
// 10 % less. A row is summed in one vector of 16 bit lanes (2048 columns are at most 256 additions
// a lane), then across lanes; columns are summed two vectors at a time down the band.
class Sad : public Generator<Sad> {
public:
    GeneratorParam<bool> sums{"sums", true};  // of a too; gradients have no use for them
    Input<Buffer<uint8_t>> a{"a", 2}, b{"b", 2};  // compared for the rows
    Input<Buffer<uint8_t>> c{"c", 2}, d{"d", 2};  // compared for the columns
    Output<Buffer<uint32_t>> rows{"rows", 2};     // (0: SAD, 1: sum of a; row)
    Output<Buffer<uint16_t>> columns{"columns", 1};

    void generate() {
        lanes = natural_vector_size<uint16_t>();
        Expr w = a.dim(0).extent();
        auto diff = [&](Expr x, Expr y) { return u16(absd(a(x, y), b(x, y))); };
        blocks = RDom(0, w / lanes);
        RDom rest(0, w % lanes);
        Expr x = blocks * lanes + u, t = (w / lanes) * lanes + rest;
        body(u, y) = Tuple(u16(0), u16(0));
        Expr sa = sums ? u16(a(x, y)) : u16(0), ta = sums ? u32(a(t, y)) : u32(0);
        body(u, y) = Tuple(body(u, y)[0] + diff(x, y), body(u, y)[1] + sa);
        tail(y) = Tuple(u32(0), u32(0));
        tail(y) = Tuple(tail(y)[0] + u32(diff(t, y)), tail(y)[1] + ta);
        across = RDom(0, lanes);
        sad(y) = tail(y)[0];
        sad(y) += u32(body(across, y)[0]);
        sum(y) = tail(y)[1];
        sum(y) += u32(body(across, y)[1]);
        rows(k, y) = select(k == 0, sad(y), sum(y));

        down = RDom(c.dim(1).min(), c.dim(1).extent());
        column(z) = u16(0);
        column(z) += u16(absd(c(z, down), d(z, down)));
        columns(z) = column(z);
    }

    void schedule() {
        for (auto *p : {&a, &b, &c, &d}) {
            (*p).dim(0).set_stride(1).set_min(0);
            (*p).set_estimates({{0, 720}, {0, 32}});
        }
        rows.set_estimates({{0, 2}, {0, 32}});
        columns.set_estimates({{0, 720}});
        rows.dim(0).set_bounds(0, 2).set_stride(1);
        rows.compute_root().bound(k, 0, 2).reorder(k, y).unroll(k);
        body.compute_at(rows, y).bound_extent(u, lanes).store_in(MemoryType::Stack).vectorize(u);
        body.update().reorder(u, blocks).vectorize(u);
        tail.compute_at(rows, y);
        sad.compute_at(rows, y).update().atomic().vectorize(across);
        sum.compute_at(rows, y).update().atomic().vectorize(across);
        columns.compute_root().split(z, zo, zi, Tile, TailStrategy::ShiftInwards)
            .vectorize(zi, lanes).unroll(zi);
        column.compute_at(columns, zo).vectorize(z, lanes).unroll(z);
        column.update().reorder(z, down).vectorize(z, lanes).unroll(z);
    }

private:
    Var u{"u"}, y{"y"}, k{"k"}, z{"z"}, zo{"zo"}, zi{"zi"};
    Func body{"body"}, tail{"tail"}, sad{"sad"}, sum{"sum"}, column{"column"};
    RDom blocks, across, down;
    int lanes = 0;
};

// Sum of squared differences by row; a row of 32768 pixels fits 32 bits.
//
// Schedule, 720x1280: 89 us at v1, 61 at v4. The squares of two neighbours are one pmaddwd of 16
// bit differences; one vector of 32 bit sums per row, then across lanes.
class SquaredError : public Generator<SquaredError> {
public:
    Input<Buffer<uint8_t>> a{"a", 2}, b{"b", 2};
    Output<Buffer<uint32_t>> out{"out", 1};

    void generate() {
        lanes = natural_vector_size<int32_t>();
        Expr w = a.dim(0).extent();
        auto diff = [&](Expr x) { return cast<int16_t>(a(x, y)) - cast<int16_t>(b(x, y)); };
        blocks = RDom(0, w / (2 * lanes));
        two = RDom(0, 2);
        RDom rest(0, w % (2 * lanes));
        Expr e = diff(q * 2 * lanes + 2 * u + two);
        pair(u, q, y) = cast<int32_t>(0);
        pair(u, q, y) += cast<int32_t>(e) * cast<int32_t>(e);
        body(u, y) = cast<int32_t>(0);
        body(u, y) += pair(u, blocks, y);
        Expr t = cast<int32_t>(diff((w / (2 * lanes)) * 2 * lanes + rest));
        tail(y) = u32(0);
        tail(y) += u32(t * t);
        across = RDom(0, lanes);
        sum(y) = tail(y);
        sum(y) += u32(body(across, y));
        out(y) = sum(y);
    }

    void schedule() {
        for (auto *p : {&a, &b}) {
            (*p).dim(0).set_stride(1).set_min(0);
            (*p).set_estimates({{0, 720}, {0, 1280}});
        }
        out.set_estimates({{0, 1280}});
        tail.compute_at(out, y);
        sum.compute_at(out, y).update().atomic().vectorize(across);
        body.compute_at(out, y).bound_extent(u, lanes).store_in(MemoryType::Stack).vectorize(u);
        body.update().reorder(u, blocks).vectorize(u);
        pair.compute_at(body, blocks).store_in(MemoryType::Stack).bound_extent(u, lanes)
            .vectorize(u);
        pair.update().reorder(two, u).atomic().vectorize(two).vectorize(u);
    }

private:
    Var u{"u"}, y{"y"}, q{"q"};
    Func pair{"pair"}, body{"body"}, tail{"tail"}, sum{"sum"};
    RDom blocks, two, across;
    int lanes = 0;
};

}  // namespace

HALIDE_REGISTER_GENERATOR(Thumbnail, thumbnail)
HALIDE_REGISTER_GENERATOR(Sad, sad)
HALIDE_REGISTER_GENERATOR(SquaredError, squared_error)
