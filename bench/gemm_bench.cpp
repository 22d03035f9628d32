// Our gemm beside oneDNN, MKL and OpenBLAS, in one run, at the encoder's and the clusterer's shapes.
//
//   gemm_bench [--openblas LIB] [--onednn LIB] [--mkl LIB] [--rounds N] [--cpu-time] [--json]
//
// The peers are loaded at run time, so that the program builds and runs without them. c = a b with a: m x k
// and b: k x n, both row-major. Ours has b packed beforehand, as the encoder's weights are; the peers get
// plain memory, and MKL also its own packed form ("mkl packed"). Contenders take turns; a round is one turn
// of each. With two threads each works on its half of the rows, as the encoder's threads work on their own
// pieces of text, and they meet at the end of a turn; a peer runs the faster of that, single-threaded in
// each of our threads, and of its own two threads. Products too small to be cut are run as two at once, by
// all. The peers' threads are told not to spin while they wait: they would take the other's core.

#include <dlfcn.h>
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/core/random.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"

namespace {

using shoal::Index;
using shoal::Matrix;

struct Shape {
  Index m, n, k;
};
constexpr Shape kShapes[] = {{4096, 1536, 384}, {4096, 384, 1536}, {4096, 1152, 384}, {4096, 384, 384},
                             {128, 1536, 384},  {32, 384, 384},    {4096, 100, 384},  {4096, 1000, 384},
                             {12, 12, 32},      {12, 32, 12},      {64, 64, 32},      {64, 32, 64},
                             {128, 128, 32},    {128, 32, 128},    {256, 256, 32},    {256, 32, 256}};

bool cpu_time = false;

/// Seconds of the wall clock, or those for which the CPU worked for this thread.
double now() {
  if (!cpu_time)
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// The three matrices of one product; `b` also in our packed form.
struct Problem {
  explicit Problem(Shape s) : shape(s), a(s.m, s.k), b(s.k, s.n), c(s.m, s.n) {
    const shoal::Random random(shoal::Seed{s.m * s.n + s.k});
    for (Index i = 0; i < s.m * s.k; ++i) a.data()[i] = static_cast<float>(random.uniform(i) - 0.5);
    for (Index i = 0; i < s.k * s.n; ++i) b.data()[i] = static_cast<float>(random.uniform(~i) - 0.5);
    packed = shoal::Packed::columns(b.view());
  }
  double flops() const { return 2.0 * static_cast<double>(shape.m * shape.n) * static_cast<double>(shape.k); }
  /// Largest error of c against sums in double, in a sample of rows.
  double error() const {
    double worst = 0;
    for (Index i = 0; i < shape.m; i += std::max<Index>(1, shape.m / 7))
      for (Index j = 0; j < shape.n; ++j) {
        double s = 0;
        for (Index t = 0; t < shape.k; ++t) s += static_cast<double>(a[i][t]) * b[t][j];
        worst = std::max(worst, std::fabs(s - c[i][j]));
      }
    return worst;
  }
  Shape shape;
  Matrix a, b, c;
  shoal::Packed packed;
};

/// c rows [first, last) of a problem, in the calling thread or in the peer's threads.
using Product = std::function<void(Problem&, Index first, Index last)>;

struct Contender {
  std::string name;
  Product product;
  std::function<void(int)> set_threads;  // its own threads; empty for ours
};

void ours(Problem& p, Index first, Index last) {
  shoal::multiply(p.a.view().slice(first, last - first), p.packed, {}, shoal::Activation::none,
                  p.c.span().slice(first, last - first));
}

using Cblas = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                       float*, int);
Product by_cblas(Cblas sgemm) {
  return [sgemm](Problem& p, Index first, Index last) {
    const int n = static_cast<int>(p.shape.n), k = static_cast<int>(p.shape.k);
    constexpr int kRowMajor = 101, kAsIs = 111;
    sgemm(kRowMajor, kAsIs, kAsIs, static_cast<int>(last - first), n, k, 1, p.a[first].data(), k, p.b.data(),
          n, 0, p.c[first].data(), n);
  };
}

template <class F>
F symbol(void* library, const char* name) {
  return reinterpret_cast<F>(dlsym(library, name));
}

void* open_library(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) std::fprintf(stderr, "gemm_bench: %s\n", dlerror());
  return library;
}

void add_openblas(const char* path, std::vector<Contender>& out) {
  void* library = open_library(path);
  if (!library) return;
  auto sgemm = symbol<Cblas>(library, "cblas_sgemm");
  auto threads = symbol<void (*)(int)>(library, "openblas_set_num_threads");
  if (!sgemm) {  // the build that SciPy's wheels carry
    sgemm = symbol<Cblas>(library, "scipy_cblas_sgemm");
    threads = symbol<void (*)(int)>(library, "scipy_openblas_set_num_threads");
  }
  if (sgemm && threads) out.push_back({"openblas", by_cblas(sgemm), threads});
}

/// MKL's b packed once for each problem; kept by the address of the problem.
Product by_mkl_packed(void* library) {
  using Size = std::size_t (*)(int, int, int, int);
  using Pack = void (*)(int, int, int, int, int, int, float, const float*, int, float*);
  using Compute =
      void (*)(int, int, int, int, int, int, const float*, int, const float*, int, float, float*, int);
  const auto size = symbol<Size>(library, "cblas_sgemm_pack_get_size");
  const auto pack = symbol<Pack>(library, "cblas_sgemm_pack");
  const auto compute = symbol<Compute>(library, "cblas_sgemm_compute");
  if (!size || !pack || !compute) return {};
  return [=, packed = Matrix(), of = Shape{}](Problem& p, Index first, Index last) mutable {
    constexpr int kRowMajor = 101, kAsIs = 111, kB = 162, kPacked = 151;
    const int m = static_cast<int>(p.shape.m), n = static_cast<int>(p.shape.n),
              k = static_cast<int>(p.shape.k);
    if (of.m != p.shape.m || of.n != p.shape.n || of.k != p.shape.k) {
      packed = Matrix(1, size(kB, m, n, k) / sizeof(float) + 1);
      pack(kRowMajor, kB, kAsIs, m, n, k, 1, p.b.data(), n, packed.data());
      of = p.shape;
    }
    compute(kRowMajor, kAsIs, kPacked, static_cast<int>(last - first), n, k, p.a[first].data(), k,
            packed.data(), n, 0, p.c[first].data(), n);
  };
}

void add_mkl(const char* path, std::vector<Contender>& out) {
  setenv("MKL_THREADING_LAYER", "GNU", 0);
  open_library("libgomp.so.1");
  void* library = open_library(path);
  if (!library) return;
  const auto sgemm = symbol<Cblas>(library, "cblas_sgemm");
  const auto threads = symbol<void (*)(int)>(library, "MKL_Set_Num_Threads");
  if (!sgemm || !threads) return;
  out.push_back({"mkl", by_cblas(sgemm), threads});
  if (Product packed = by_mkl_packed(library)) out.push_back({"mkl packed", packed, threads});
}

void add_onednn(const char* path, std::vector<Contender>& out) {
  void* library = open_library(path);
  if (!library) return;
  using Sgemm = int (*)(char, char, std::int64_t, std::int64_t, std::int64_t, float, const float*,
                        std::int64_t, const float*, std::int64_t, float, float*, std::int64_t);
  const auto sgemm = symbol<Sgemm>(library, "dnnl_sgemm");
  const auto threads = symbol<void (*)(int)>(RTLD_DEFAULT, "omp_set_num_threads");
  if (!sgemm || !threads) return;
  const Product product = [sgemm](Problem& p, Index first, Index last) {
    const auto n = static_cast<std::int64_t>(p.shape.n), k = static_cast<std::int64_t>(p.shape.k);
    sgemm('N', 'N', static_cast<std::int64_t>(last - first), n, k, 1, p.a[first].data(), k, p.b.data(), n, 0,
          p.c[first].data(), n);
  };
  out.push_back({"onednn", product, threads});
}

/// Seconds of one product in each round, for each contender, in turns.
std::vector<std::vector<double>> take_turns(const std::vector<std::function<void()>>& runs, int rounds) {
  std::vector<std::vector<double>> seconds(runs.size());
  for (int round = -1; round < rounds; ++round)  // the first is to warm up
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double start = now();
      runs[i]();
      if (round >= 0) seconds[i].push_back(now() - start);
    }
  return seconds;
}

struct Timing {
  double best, median;  // GFLOP/s
};
Timing timing(std::vector<double> seconds, double flops) {
  std::ranges::sort(seconds);
  return {flops / seconds.front() * 1e-9, flops / seconds[seconds.size() / 2] * 1e-9};
}

/// `times` products in a turn, so that a turn takes some milliseconds; by one thread or two.
std::function<void()> turn(const Contender& contender, Problem& p, Problem& q, bool two, bool own,
                           int times) {
  const Index m = p.shape.m;
  if (!two || own)
    return [=, &contender, &p] {
      if (contender.set_threads) contender.set_threads(two ? 2 : 1);
      for (int i = 0; i < times; ++i) contender.product(p, 0, m);
    };
  shoal::Run run;
  run.threads = 2;
  if (m < 1024)
    return [=, &contender, &p, &q] {
      if (contender.set_threads) contender.set_threads(1);
      shoal::for_chunks(run, 2, 1, [&](Index chunk, Index, Index) {
        for (int i = 0; i < times / 2; ++i) contender.product(chunk == 0 ? p : q, 0, m);
      });
    };
  return [=, &contender, &p] {
    if (contender.set_threads) contender.set_threads(1);
    shoal::for_chunks(run, m, (m + 1) / 2, [&](Index, Index first, Index last) {
      for (int i = 0; i < times; ++i) contender.product(p, first, last);
    });
  };
}

struct Result {
  std::string name;
  Timing timing;
  double error;
};

std::vector<Result> compare(const std::vector<Contender>& contenders, Shape shape, bool two, int rounds) {
  Problem p(shape), q(shape);
  const int times = std::max(2, static_cast<int>(1e9 / p.flops()) / 2 * 2);
  std::vector<std::function<void()>> runs;
  std::vector<std::size_t> who;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    contenders[i].product(p, 0, shape.m);
    runs.push_back(turn(contenders[i], p, q, two, false, times));
    who.push_back(i);
    if (two && contenders[i].set_threads) {
      runs.push_back(turn(contenders[i], p, q, two, true, times));
      who.push_back(i);
    }
  }
  const auto seconds = take_turns(runs, rounds);
  std::vector<Result> results;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const Timing t = timing(seconds[r], p.flops() * times);
    if (!results.empty() && results.back().name == contenders[who[r]].name) {
      if (t.median > results.back().timing.median) results.back().timing = t;
      continue;
    }
    contenders[who[r]].product(p, 0, shape.m);
    results.push_back({contenders[who[r]].name, t, p.error()});
  }
  return results;
}

// The multiply-add peak: ten or more independent chains in registers, no memory.
constexpr int kPeakRounds = 2'000'000;
__attribute__((target("avx512f"))) float peak_avx512() {
  __m512 s[16], x = _mm512_set1_ps(0.999f);
  for (__m512& v : s) v = x;
  for (int i = 0; i < kPeakRounds; ++i)
#pragma GCC unroll 16
    for (__m512& v : s) v = _mm512_fmadd_ps(v, x, x);
  float sum = 0;
  for (__m512& v : s) sum += _mm_cvtss_f32(_mm512_castps512_ps128(v));
  return sum;
}
__attribute__((target("avx2,fma"))) float peak_avx2() {
  __m256 s[12], x = _mm256_set1_ps(0.999f);
  for (__m256& v : s) v = x;
  for (int i = 0; i < kPeakRounds; ++i)
#pragma GCC unroll 12
    for (__m256& v : s) v = _mm256_fmadd_ps(v, x, x);
  float sum = 0;
  for (__m256& v : s) sum += _mm_cvtss_f32(_mm256_castps256_ps128(v));
  return sum;
}

double peak(unsigned threads) {
  const bool wide = std::strcmp(shoal::kernels().level, "avx512") == 0;
  const double flops = 2.0 * kPeakRounds * (wide ? 16 * 16 : 12 * 8) * threads;
  shoal::Run run;
  run.threads = threads;
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    volatile float sink = 0;
    const double start = now();
    shoal::for_chunks(run, threads, 1,
                      [&](Index, Index, Index) { sink = wide ? peak_avx512() : peak_avx2(); });
    best = std::max(best, flops / (now() - start) * 1e-9);
  }
  return best;
}

void print_table(Shape s, unsigned threads, double limit, const std::vector<Result>& results) {
  double best_peer = 0;
  for (std::size_t i = 1; i < results.size(); ++i) best_peer = std::max(best_peer, results[i].timing.median);
  std::printf("%zu thread%s %5zu %5zu %5zu |", static_cast<std::size_t>(threads), threads > 1 ? "s" : " ",
              s.m, s.n, s.k);
  for (const Result& r : results)
    std::printf(" %s %.1f (%.1f) |", r.name.c_str(), r.timing.median, r.timing.best);
  if (best_peer > 0) std::printf(" ratio %.3f |", results[0].timing.median / best_peer);
  std::printf(" %.0f%% of peak | error %.1e\n", 100 * results[0].timing.median / limit, results[0].error);
  std::fflush(stdout);
}

void print_json(Shape s, unsigned threads, double limit, const std::vector<Result>& results, bool first) {
  std::printf("%s\n  {\"threads\": %u, \"m\": %zu, \"n\": %zu, \"k\": %zu, \"peak\": %.1f", first ? "" : ",",
              threads, s.m, s.n, s.k, limit);
  for (const Result& r : results)
    std::printf(", \"%s\": {\"median\": %.2f, \"best\": %.2f, \"error\": %.2e}", r.name.c_str(),
                r.timing.median, r.timing.best, r.error);
  std::printf("}");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Contender> contenders = {{"shoal", ours, {}}};
  int rounds = 11;
  bool json = false;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json") {
      json = true;
      continue;
    }
    if (option == "--cpu-time") {
      cpu_time = true;
      continue;
    }
    if (++i == argc) return std::fprintf(stderr, "gemm_bench: %s needs a value\n", option.c_str()), 2;
    if (option == "--openblas")
      add_openblas(argv[i], contenders);
    else if (option == "--mkl")
      add_mkl(argv[i], contenders);
    else if (option == "--onednn")
      add_onednn(argv[i], contenders);
    else if (option == "--rounds")
      rounds = std::max(1, std::atoi(argv[i]));
    else
      return std::fprintf(stderr, "gemm_bench: unknown option %s\n", option.c_str()), 2;
  }
  if (json) std::printf("{\"level\": \"%s\", \"unit\": \"GFLOP/s\", \"results\": [", shoal::kernels().level);
  bool first = true;
  for (const unsigned threads : {1u, 2u}) {
    if (threads > 1 && cpu_time) break;
    const double limit = peak(threads);
    if (!json)
      std::printf("level %s, %u thread(s): fma peak %.1f GFLOP/s; median (best)\n", shoal::kernels().level,
                  threads, limit);
    for (const Shape& shape : kShapes) {
      const std::vector<Result> results = compare(contenders, shape, threads == 2, rounds);
      if (json)
        print_json(shape, threads, limit, results, std::exchange(first, false));
      else
        print_table(shape, threads, limit, results);
    }
  }
  if (json) std::printf("\n]}\n");
}
