// Template matching.
#include "Halide.h"
using namespace Halide;

namespace {

// The three sums that a masked, zero-mean, normalised cross-correlation needs, at every place:
// pixels times template, pixels under the mask, their squares. All are exact in 32 bits for
// templates of up to 32768 pixels; the caller finishes them in floating point. The template is zero
// outside its mask; t and m are padded with zeros to a multiple of 32 columns.
//
// Schedule, 96x18 at 192 places: 61 us at v1, 24 at v4. Each sum is one vector per place of
// products of neighbours (pmaddwd); four places side by side share the loads of template and mask
// and give four independent chains.
class Match : public Generator<Match> {
public:
    Input<Buffer<uint8_t>> in{"in", 2};
    Input<Buffer<int16_t>> t{"t", 2}, m{"m", 2};  // m is 0 or -1
    Output<Buffer<int32_t>> out{"out", 3};        // (0: in*t, 1: in, 2: in*in; place x; place y)

    void generate() {
        lanes = natural_vector_size<int32_t>();
        Expr w = t.dim(0).extent() / (2 * lanes), h = t.dim(1).extent();
        r = RDom(0, w, 0, h);
        two = RDom(0, 2);
        Expr tx = i * 2 * lanes + 2 * u + two;
        Expr p = cast<int16_t>(in(x + tx, y + j)), pm = p & m(tx, j);
        auto i32 = [](Expr e) { return cast<int32_t>(e); };
        pt(u, x, i, j, y) = i32(0);
        pt(u, x, i, j, y) += i32(p) * i32(t(tx, j));
        p1(u, x, i, j, y) = i32(0);
        p1(u, x, i, j, y) += i32(pm) * i32(cast<int16_t>(1));
        p2(u, x, i, j, y) = i32(0);
        p2(u, x, i, j, y) += i32(pm) * i32(pm);
        acc(u, x, y) = Tuple(i32(0), i32(0), i32(0));
        acc(u, x, y) = Tuple(acc(u, x, y)[0] + pt(u, x, r.x, r.y, y),
                             acc(u, x, y)[1] + p1(u, x, r.x, r.y, y),
                             acc(u, x, y)[2] + p2(u, x, r.x, r.y, y));
        across = RDom(0, lanes);
        for (int n = 0; n < 3; n++) {
            sum[n](x, y) = i32(0);
            sum[n](x, y) += acc(across, x, y)[n];
        }
        out(k, x, y) = mux(k, {sum[0](x, y), sum[1](x, y), sum[2](x, y)});
    }

    void schedule() {
        in.dim(0).set_stride(1);
        in.set_estimates({{0, 104}, {0, 42}});
        for (auto *p : {&t, &m}) {
            (*p).dim(0).set_min(0).set_stride(1);
            (*p).dim(1).set_min(0);
            (*p).set_estimates({{0, 96}, {0, 18}});
        }
        m.dim(0).set_bounds(0, t.dim(0).extent());
        m.dim(1).set_bounds(0, t.dim(1).extent());
        out.dim(0).set_bounds(0, 3).set_stride(1);
        out.set_estimates({{0, 3}, {0, 8}, {0, 24}});
        out.bound(k, 0, 3).split(x, xo, xi, 4, TailStrategy::ShiftInwards)
            .reorder(k, xi, xo, y).unroll(k);
        for (Func &f : sum) {
            f.compute_at(out, xo);
            f.update().unroll(x).atomic().vectorize(across);
        }
        acc.compute_at(out, xo).store_in(MemoryType::Stack).bound_extent(u, lanes)
            .vectorize(u).unroll(x);
        acc.update().reorder(u, x, r.x, r.y).vectorize(u).unroll(x);
        for (Func f : {pt, p1, p2}) {
            f.compute_at(acc, r.x).store_in(MemoryType::Stack).bound_extent(u, lanes)
                .vectorize(u).unroll(x);
            f.update().reorder(two, u, x).atomic().vectorize(two).vectorize(u).unroll(x);
        }
    }

private:
    Var u{"u"}, x{"x"}, y{"y"}, i{"i"}, j{"j"}, k{"k"}, xo{"xo"}, xi{"xi"};
    Func pt{"pt"}, p1{"p1"}, p2{"p2"}, acc{"acc"};
    Func sum[3];
    RDom r, two, across;
    int lanes = 0;
};

}  // namespace

HALIDE_REGISTER_GENERATOR(Match, match)
