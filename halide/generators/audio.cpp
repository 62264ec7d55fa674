// Audio meters: the energy, the extremes and the K-weighted energy of one frame of samples.
#include "Halide.h"
using namespace Halide;

namespace {

// Sum of squares, largest and smallest sample of 16 bit samples, exactly.
//
// The samples are one flat array of whole blocks (a multiple of 64 samples, at most 65536); with
// two channels left and right alternate and the even and the odd lanes are summed apart, so that
// nothing is ever deinterleaved. A pair of squares fills 32 bits unsigned; its halves are summed
// apart (lo, hi), which cannot overflow in 32 bits within 65536 additions.
//
// Schedule, 2x1024 samples: 0.38 us at v1, 0.24 at v4. Two passes over an array that fits the first
// cache, so that each pass keeps its accumulators in registers (2 vectors of 16 bit lanes, then 2
// or 4 of 32 bit lanes). The pair of squares is a two-lane reduction, which becomes one pmaddwd.
class LevelS16 : public Generator<LevelS16> {
public:
    GeneratorParam<int> channels{"channels", 1};
    Input<Buffer<int16_t>> in{"in", 1};
    Output<Buffer<uint32_t>> squares{"squares", 2};  // (0: low halves, 1: high halves; channel)
    Output<Buffer<int16_t>> extremes{"extremes", 2};  // (0: largest, 1: smallest; channel)

    void generate() {
        const int nc = channels;
        v16 = natural_vector_size<int16_t>();
        v32 = natural_vector_size<int32_t>();
        Expr n = in.dim(0).extent();

        pairs = RDom(0, n / (2 * v32));
        two = RDom(0, 2);
        Expr s = in(q * 2 * v32 + 2 * u + two);
        Expr mine = nc == 1 ? s : select(two == c, s, cast<int16_t>(0));
        sq(u, c, q) = cast<int32_t>(0);
        sq(u, c, q) += cast<int32_t>(s) * cast<int32_t>(mine);
        Expr p = cast<uint32_t>(sq(u, c, pairs));
        acc(u, c) = Tuple(cast<uint32_t>(0), cast<uint32_t>(0));
        acc(u, c) = Tuple(acc(u, c)[0] + (p & 0xffff), acc(u, c)[1] + (p >> 16));
        lanes32 = RDom(0, v32);
        lo(c) = cast<uint32_t>(0);
        lo(c) += acc(lanes32, c)[0];
        hi(c) = cast<uint32_t>(0);
        hi(c) += acc(lanes32, c)[1];
        squares(k, c) = select(k == 0, lo(c), hi(c));

        blocks = RDom(0, n / v16);
        Expr e = in(blocks * v16 + u);
        ends(u) = Tuple(cast<int16_t>(-32768), cast<int16_t>(32767));
        ends(u) = Tuple(max(ends(u)[0], e), min(ends(u)[1], e));
        lanes16 = RDom(0, v16 / nc);
        big(c) = cast<int16_t>(-32768);
        big(c) = max(big(c), ends(lanes16 * nc + c)[0]);
        small(c) = cast<int16_t>(32767);
        small(c) = min(small(c), ends(lanes16 * nc + c)[1]);
        extremes(k, c) = select(k == 0, big(c), small(c));
    }

    void schedule() {
        const int nc = channels;
        in.dim(0).set_min(0).set_stride(1).set_estimate(0, 2048);
        squares.dim(0).set_bounds(0, 2).set_stride(1);
        squares.dim(1).set_bounds(0, nc).set_stride(2);
        extremes.dim(0).set_bounds(0, 2).set_stride(1);
        extremes.dim(1).set_bounds(0, nc).set_stride(2);
        squares.set_estimates({{0, 2}, {0, nc}});
        extremes.set_estimates({{0, 2}, {0, nc}});
        squares.compute_root().bound(k, 0, 2).bound(c, 0, nc).unroll(k).unroll(c);
        extremes.compute_root().bound(k, 0, 2).bound(c, 0, nc).unroll(k).unroll(c);
        for (Func f : {lo, hi, big, small}) f.compute_root().bound_extent(c, nc);
        for (Func f : {lo, hi}) f.update().unroll(c).atomic().vectorize(lanes32);
        for (Func f : {big, small}) f.update().unroll(c).atomic().vectorize(lanes16);
        acc.compute_root().store_in(MemoryType::Stack).bound_extent(u, v32).bound_extent(c, nc)
            .vectorize(u).unroll(c);
        acc.update().reorder(u, c, pairs).vectorize(u).unroll(c);
        sq.compute_at(acc, pairs).store_in(MemoryType::Stack).bound_extent(u, v32)
            .bound_extent(c, nc).vectorize(u).unroll(c);
        sq.update().reorder(two, u, c).atomic().vectorize(two).vectorize(u).unroll(c);
        ends.compute_root().store_in(MemoryType::Stack).bound_extent(u, v16).vectorize(u);
        ends.update().reorder(u, blocks).vectorize(u);
    }

private:
    Var u{"u"}, c{"c"}, k{"k"}, q{"q"};
    Func sq{"sq"}, acc{"acc"}, lo{"lo"}, hi{"hi"}, ends{"ends"}, big{"big"}, small{"small"};
    RDom pairs, two, blocks, lanes16, lanes32;
    int v16 = 0, v32 = 0;
};

// Sum of squares and largest magnitude of float samples, flat as above, in whole blocks of 64.
//
// Schedule, 2x1024 samples: 0.34 us at v1, 0.22 at v4. Four vectors of accumulators (an FMA takes
// four cycles and one starts each cycle), folded and then added across lanes as a tree.
class LevelF32 : public Generator<LevelF32> {
public:
    GeneratorParam<int> channels{"channels", 1};
    Input<Buffer<float>> in{"in", 1};
    Output<Buffer<float>> out{"out", 2};  // (0: sum of squares, 1: peak; channel)

    void generate() {
        const int nc = channels;
        vec = natural_vector_size<float>();
        Expr n = in.dim(0).extent();
        blocks = RDom(0, n / (4 * vec));
        Expr v = in(blocks * 4 * vec + u);
        body(u) = Tuple(0.0f, 0.0f);
        body(u) = Tuple(body(u)[0] + v * v, max(body(u)[1], abs(v)));
        Expr s = 0.0f, p = 0.0f;
        for (int i = 0; i < 4; i++) {
            s += body(u + i * vec)[0];
            p = max(p, body(u + i * vec)[1]);
        }
        fold(u) = Tuple(s, p);
        lanes = RDom(0, vec / nc);
        sum(c) = 0.0f;
        sum(c) += fold(lanes * nc + c)[0];
        peak(c) = 0.0f;
        peak(c) = max(peak(c), fold(lanes * nc + c)[1]);
        out(k, c) = select(k == 0, sum(c), peak(c));
    }

    void schedule() {
        const int nc = channels;
        in.dim(0).set_min(0).set_stride(1).set_estimate(0, 2048);
        out.dim(0).set_bounds(0, 2).set_stride(1);
        out.dim(1).set_bounds(0, nc).set_stride(2);
        out.set_estimates({{0, 2}, {0, nc}});
        out.bound(k, 0, 2).bound(c, 0, nc).unroll(k).unroll(c);
        sum.compute_root().bound_extent(c, nc).update().unroll(c).atomic().vectorize(lanes);
        peak.compute_root().bound_extent(c, nc).update().unroll(c).atomic().vectorize(lanes);
        fold.compute_root().store_in(MemoryType::Stack).bound_extent(u, vec).vectorize(u);
        body.compute_root().store_in(MemoryType::Stack).bound_extent(u, 4 * vec).vectorize(u, vec)
            .unroll(u);
        body.update().reorder(u, blocks).vectorize(u, vec).unroll(u);
    }

private:
    Var u{"u"}, c{"c"}, k{"k"};
    Func body{"body"}, fold{"fold"}, sum{"sum"}, peak{"peak"};
    RDom blocks, lanes;
    int vec = 0;
};

// K-weighted energy: the two biquads of ITU-R BS.1770-5 annex 1 in cascade, in doubles.
//
// A recursion over n samples cannot be vectorised, so the frame is cut into 16 blocks that run side
// by side as lanes, all from a zero state. The true state at the start of each block follows from
// s(k+1) = z(k) + A^L s(k), where z is the state that a zero start leads to, and each output is put
// right by adding H(n) s(k), the response to the state. The tables A^L and H belong to one rate.
//
// Schedule, 2x1024 samples: 7.3 us at v1, 3.5 at v4. Channels and blocks are the inner lanes of
// every loop; the time loop is unrolled by four so that the last values stay in registers instead
// of coming back through memory.
class KWeighted : public Generator<KWeighted> {
public:
    Input<Buffer<float>> in{"in", 2};         // (sample, channel): 16 * L samples
    Input<Buffer<double>> coef{"coef", 1};    // b0 b1 b2 a1 a2 of the shelf, a1 a2 of the high-pass
    Input<Buffer<double>> power{"power", 2};  // A^L, (row, column)
    Input<Buffer<double>> reply{"reply", 2};  // H, (state, sample)
    Input<Buffer<double>> state{"state", 2};  // (w1 w2 y1 y2 x1 x2, channel)
    Output<Buffer<double>> energy{"energy", 1};
    Output<Buffer<double>> next{"next", 2};

    void generate() {
        Expr L = (in.dim(0).extent() / 128) * 8;
        r = RDom(0, L);
        RDom rb(1, K - 1), j4(0, 4), rk(0, K);
        x(b, n, c) = undef<double>();
        x(b, r, c) = cast<double>(in(b * L + r, c));
        x(rb, -1, c) = cast<double>(in(rb * L - 1, c));
        x(rb, -2, c) = cast<double>(in(rb * L - 2, c));
        x(0, -1, c) = state(4, c);
        x(0, -2, c) = state(5, c);

        wy(b, n, c) = Tuple(undef<double>(), undef<double>());
        wy(b, -1, c) = Tuple(cast<double>(0), cast<double>(0));
        wy(b, -2, c) = Tuple(cast<double>(0), cast<double>(0));
        Expr w1 = wy(b, r - 1, c)[0], w2 = wy(b, r - 2, c)[0];
        Expr y1 = wy(b, r - 1, c)[1], y2 = wy(b, r - 2, c)[1];
        Expr feed = coef(0) * x(b, r, c) + coef(1) * x(b, r - 1, c) + coef(2) * x(b, r - 2, c);
        Expr w = feed - coef(4) * w2 - coef(3) * w1;
        Expr y = w - 2 * w1 + w2 - coef(6) * y2 - coef(5) * y1;
        wy(b, r, c) = Tuple(w, y);

        s(j, b, c) = undef<double>();
        s(j4, 0, c) = state(j4, c);
        q = RDom(0, 4, 1, K);
        auto end = [&](Expr back, int i) { return wy(q.y - 1, L - back, c)[i]; };
        Expr z = mux(q.x, {end(1, 0), end(2, 0), end(1, 1), end(2, 1)});
        for (int i = 0; i < 4; i++) z += power(q.x, i) * s(i, q.y - 1, c);
        s(q.x, q.y, c) = z;

        Expr full = wy(b, r, c)[1];
        for (int i = 0; i < 4; i++) full += reply(i, r) * s(i, b, c);
        e(b, c) = cast<double>(0);
        e(b, c) += full * full;
        total(c) = cast<double>(0);
        total(c) += e(rk, c);
        energy(c) = total(c);
        Expr last = cast<double>(in(K * L - 1 - clamp(j - 4, 0, 1), c));
        next(j, c) = select(j < 4, s(clamp(j, 0, 3), K, c), last);
    }

    void schedule() {
        const int vec = std::min(natural_vector_size<double>(), (int)K);
        in.dim(0).set_min(0).set_stride(1).set_estimate(0, 1024);
        in.dim(1).set_estimate(0, 2);
        coef.dim(0).set_bounds(0, 7);
        power.dim(0).set_bounds(0, 4);
        power.dim(1).set_bounds(0, 4);
        reply.dim(0).set_bounds(0, 4);
        reply.dim(1).set_min(0).set_estimate(0, 64);
        state.dim(0).set_bounds(0, 6);
        state.dim(1).set_estimate(0, 2);
        next.dim(0).set_bounds(0, 6);
        next.dim(1).set_estimate(0, 2);
        energy.dim(0).set_estimate(0, 2);
        x.compute_root().bound_extent(b, K).reorder_storage(b, c, n);
        for (int i : {1, 2, 3, 4}) x.update(i).unscheduled();
        s.update(0).unscheduled();
        x.update(0).reorder(b, c, r).vectorize(b, vec).unroll(b);
        wy.compute_root().bound_extent(b, K).reorder_storage(b, c, n);
        wy.update(0).vectorize(b, vec).unroll(b);
        wy.update(1).vectorize(b, vec).unroll(b);
        wy.update(2).unroll(r, 4).reorder(b, r, c).vectorize(b, vec).unroll(b);
        s.compute_root();
        s.update(1).unroll(q.x);
        e.compute_root().bound_extent(b, K).vectorize(b, vec);
        e.update().reorder(b, r, c).vectorize(b, vec).unroll(b);
        total.compute_root();
    }

private:
    static constexpr int K = 16;
    Var b{"b"}, n{"n"}, c{"c"}, j{"j"};
    Func x{"x"}, wy{"wy"}, s{"s"}, e{"e"}, total{"total"};
    RDom r, q;
};

}  // namespace

HALIDE_REGISTER_GENERATOR(LevelS16, level_s16)
HALIDE_REGISTER_GENERATOR(LevelF32, level_f32)
HALIDE_REGISTER_GENERATOR(KWeighted, k_weighted)
