#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <numeric>
#include <stop_token>
#include <system_error>
#include <thread>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/random.h"
#include "shoal/core/rows.h"
#include "shoal/core/stage.h"
#include "shoal/core/texts.h"
#include "tests/error_of.h"

namespace shoal {
namespace {

TEST(Chunks, EveryRowOnceForAnyThreads) {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    for (Index n : {0u, 1u, 7u, 8u, 9u, 1000u}) {
      std::vector<std::atomic<int>> seen(n);
      for_chunks({.threads = threads}, n, 8, [&](Index chunk, Index first, Index last) {
        EXPECT_EQ(first, chunk * 8);
        for (Index i = first; i < last; ++i) ++seen[i];
      });
      for (auto& s : seen) EXPECT_EQ(s, 1);
    }
  }
}

TEST(Chunks, LowestFailingChunkWins) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    try {
      for_chunks({.threads = 4}, 100, 1, [](Index chunk, Index, Index) {
        if (chunk >= 3) throw Error(Fault::data, std::to_string(chunk));
      });
      FAIL() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_STREQ(e.what(), "3");
    }
  }
}

TEST(Chunks, StopIsHeardAndProgressAddsUp) {
  std::stop_source source;
  double last = 0;
  shoal::Run run{
      .threads = 2, .stop = source.get_token(), .progress = [&](std::string_view, double done, double total) {
        EXPECT_GT(done, last);
        EXPECT_EQ(total, 50);
        last = done;
      }};
  for_chunks(
      run, 50, 7, [](Index, Index, Index) {}, "step");
  EXPECT_EQ(last, 50);
  source.request_stop();
  try {
    for_chunks(run, 50, 7, [](Index, Index, Index) { FAIL(); });
    FAIL() << "not cancelled";
  } catch (const Error& e) {
    EXPECT_EQ(e.fault, Fault::cancelled);
  }
}

TEST(Chunks, FoldIsInOrderAndNestingStaysInTheThread) {
  const auto text = fold_chunks(
      shoal::Run{.threads = 8}, 26, 3, std::string(),
      [](Index first, Index last) {
        std::string s;
        for_chunks({.threads = 8}, last - first, 1,
                   [&](Index, Index a, Index) { s += char('a' + first + a); });
        return s;
      },
      [](std::string& all, std::string part) { all += part; });
  EXPECT_EQ(text, "abcdefghijklmnopqrstuvwxyz");
}

TEST(Chunks, ThreadsThatDoNotStartAreDoneWithout) {
  pthread_attr_t usual, huge;  // no machine has room for such a stack
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, std::size_t{1} << 48), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  std::vector<int> seen(100);
  // More than any call before wanted, so that new threads are asked for.
  EXPECT_NO_THROW(for_chunks({.threads = 64}, 100, 1, [&](Index chunk, Index, Index) { ++seen[chunk]; }));
  EXPECT_EQ(pthread_setattr_default_np(&usual), 0);
  EXPECT_EQ(seen, std::vector<int>(100, 1));
}

std::vector<int> squares(unsigned threads) {
  std::vector<int> out(500);
  for_chunks({.threads = threads}, out.size(), 1,
             [&](Index chunk, Index, Index) { out[chunk] = static_cast<int>(chunk * chunk); });
  return out;
}

TEST(Chunks, ManyCallersAtOnceShareTheThreads) {
  const std::vector<int> right = squares(1);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i)
      callers.emplace_back([&] {
        for (int turn = 0; turn < 200; ++turn) wrong += squares(3) != right;
      });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Chunks, AForkedProcessHasItsOwnThreads) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer ends a fork that makes threads";
#endif
  const std::vector<int> right = squares(3);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(squares(3) == right ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Random, DrawsAreFunctionsOfSeedAndIndex) {
  const Random a({7}), b({7}), c({8});
  EXPECT_EQ(a.bits(123456789), b.bits(123456789));
  EXPECT_NE(a.bits(0), c.bits(0));
  EXPECT_NE(Seed{7}.child(1).value, Seed{7}.child(2).value);
  double mean = 0, square = 0, uniform = 0;
  constexpr int kDraws = 200000;
  std::vector<int> faces(6);
  for (int i = 0; i < kDraws; ++i) {
    const double x = a.normal(i);
    mean += x / kDraws;
    square += x * x / kDraws;
    uniform += a.uniform(i) / kDraws;
    ++faces[a.below(i, 6)];
  }
  EXPECT_NEAR(mean, 0, 0.01);  // 4.5 standard errors
  EXPECT_NEAR(square, 1, 0.015);
  EXPECT_NEAR(uniform, 0.5, 0.003);
  double chi = 0;
  for (int f : faces) chi += std::pow(f - kDraws / 6.0, 2) / (kDraws / 6.0);
  EXPECT_LT(chi, 20.5);  // 5 degrees of freedom, 0.999
}

TEST(Matrix, CopiesMovesAndRefusesTheAbsurd) {
  Matrix a(2, 3);
  std::iota(a.data(), a.data() + 6, 0.0f);
  Matrix b = a;
  EXPECT_TRUE(a == b);
  b[1][2] = 9;
  EXPECT_FALSE(a == b);
  Matrix c = std::move(b);
  EXPECT_EQ(c[1][2], 9);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(c.data()) % 64, 0u);
  EXPECT_THROW(Matrix(Index(1) << 40, Index(1) << 40), Error);
  EXPECT_EQ(Matrix(0, 5).rows(), 0u);
}

TEST(Rows, BlocksAreViewsAndRangesAreChecked) {
  Matrix a(5, 2), scratch;
  std::iota(a.data(), a.data() + 10, 0.0f);
  const Rows rows(a, {.id = "m", .dims = 2});
  const MatrixView b = rows.block(3, 2, scratch);
  EXPECT_EQ(b.data, a.data() + 6);
  EXPECT_EQ(rows.space().id, "m");
  EXPECT_TRUE(rows.to_matrix() == a);
  EXPECT_THROW(rows.block(4, 2, scratch), Error);
  EXPECT_THROW(rows.block(6, 0, scratch), Error);
}

TEST(Texts, KeepsAnyBytes) {
  Texts t;
  t.add("a");
  t.add("");
  t.add(std::string_view("\0\n", 2));
  ASSERT_EQ(t.size(), 3u);
  EXPECT_EQ(t[1], "");
  EXPECT_EQ(t[2], std::string_view("\0\n", 2));
}

struct ExampleOptions {
  Index n_clusters = 8;
  std::optional<Index> limit;
  Seed seed{3};
};
template <class V>
void fields(ExampleOptions& o, V&& visit) {
  visit("n_clusters", o.n_clusters, "groups");
  visit("limit", o.limit, "most");
  visit("seed", o.seed, "start");
}

TEST(Fields, ListsEveryFieldInOrder) {
  const auto list = list_fields(ExampleOptions{});
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name, "n_clusters");
  EXPECT_EQ(std::get<std::int64_t>(list[0].value), 8);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(list[1].value));
  EXPECT_EQ(std::get<std::int64_t>(list[2].value), 3);
}

enum class Colour : std::uint8_t { red, green, blue };
constexpr auto names_of(Colour) { return std::array{"red", "green", "blue"}; }

struct EveryKind {
  bool fast = false;
  Index count = 3;
  std::optional<double> share;
  float small = 0.1f;
  Colour colour = Colour::red;
  std::string text;
};
template <class V>
void fields(EveryKind& o, V&& visit) {
  visit("fast", o.fast, "");
  visit("count", o.count, "", at_least(1).below(1001));
  visit("share", o.share, "", above(0).at_most(1));
  visit("small", o.small, "", between(0.1, 2));
  visit("colour", o.colour, "");
  visit("text", o.text, "");
}

TEST(Fields, AreSetFromTextAndWrongOnesAreNamed) {
  EveryKind o;
  const OptionRefs refs = option_refs(o);
  const auto said = [&](std::size_t i, const char* text) -> std::string {
    try {
      refs[i].set_text(text);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.option(), refs[i].name);
      return e.what();
    }
  };
  EXPECT_EQ(said(0, "true"), "");
  EXPECT_EQ(said(0, "yes"), "fast is 'yes'; allowed: true or false");
  EXPECT_EQ(said(1, "1000"), "");
  EXPECT_EQ(said(1, "1001"), "count is 1001; allowed: at least 1, below 1,001");
  EXPECT_EQ(said(1, "-1"), "count is -1; allowed: at least 1, below 1,001");
  EXPECT_EQ(said(1, "2.5"), "count is '2.5'; allowed: a whole number, at least 1, below 1,001");
  EXPECT_EQ(said(2, "0.25"), "");
  EXPECT_EQ(o.share, 0.25);
  EXPECT_EQ(said(2, "none"), "");
  EXPECT_EQ(o.share, std::nullopt);
  EXPECT_EQ(said(2, "0"), "share is 0; allowed: above 0, at most 1");
  EXPECT_EQ(said(2, "nan"), "share is nan; allowed: above 0, at most 1");
  EXPECT_EQ(said(2, "x"), "share is 'x'; allowed: a number, above 0, at most 1");
  EXPECT_EQ(said(3, "0.1"), "") << "a float's own 0.1";
  EXPECT_EQ(refs[3].text(), "0.1");
  EXPECT_EQ(said(3, "0.09"), "small is 0.09; allowed: 0.1 to 2");
  EXPECT_EQ(said(4, "blue"), "");
  EXPECT_EQ(o.colour, Colour::blue);
  EXPECT_EQ(said(4, "none"), "colour is 'none'; allowed: red, green or blue");
  EXPECT_EQ(said(5, "none"), "");
  EXPECT_EQ(o.text, "none");
  EXPECT_NO_THROW(check_options(o));
  o.count = 0;
  EXPECT_THROW(check_options(o), Error);
}

TEST(Error, WritesOptionsAsTheDoorDoes) {
  const Error e(Fault::argument, option_name("n_clusters") + " is 0; allowed: 1 or more",
                "give " + option_name("overwrite"));
  EXPECT_STREQ(e.what(), "n_clusters is 0; allowed: 1 or more; give overwrite");
  EXPECT_EQ(e.option(), "n_clusters");
  EXPECT_EQ(e.text([](std::string_view name) { return "--" + std::string(name); }),
            "--n_clusters is 0; allowed: 1 or more; give --overwrite");
  EXPECT_EQ(Error(Fault::data, "no option here").option(), "");
}

TEST(Rows, OfATemporaryOwnIt) {
  Rows rows = [] {
    Matrix x(2, 1);
    x[1][0] = 7;
    return x;
  }();
  Matrix scratch;
  EXPECT_EQ(rows.block(1, 1, scratch)[0][0], 7);
}

TEST(Rows, GiveTheirMatrixAwayWhenNobodyElseHasIt) {
  const auto made = [] { return Rows(Matrix(2, 1), {.id = "m", .dims = 1}); };
  Rows rows = made();
  Matrix scratch;
  const float* numbers = rows.block(0, 2, scratch).data;
  {
    const Rows shared = rows;
    const Matrix copied = std::move(rows).to_matrix();
    EXPECT_NE(copied.data(), numbers);
    rows = shared;
  }
  const Matrix moved = std::move(rows).to_matrix();
  EXPECT_EQ(moved.data(), numbers);
  EXPECT_TRUE(made().to_matrix() == moved);
}

TEST(Rows, AreOfAnotherSpaceOnlyWhenDeclared) {
  const Matrix x(2, 3);
  const Rows declared = Rows(x, {.unit = true}).assume_space({.id = "m@1", .dims = 9, .unit = false});
  EXPECT_EQ(declared.space(), (Space{.id = "m@1", .dims = 3, .unit = true}));
  EXPECT_EQ(declared.assume_space({}).space(), (Space{.dims = 3, .unit = true}));
  EXPECT_TRUE(declared.to_matrix() == x);
}

// What would outlive the numbers that it borrows does not compile.
template <class T>
concept Lends = requires(T x) {
  std::forward<T>(x)[0];
};
template <class T>
concept LendsNumbers = requires(T x) {
  std::forward<T>(x).view();
}
|| requires(T x) { std::forward<T>(x).data(); }
|| requires(T x) { std::forward<T>(x).span(); };
static_assert(Lends<Matrix&> && Lends<const Matrix&> && !Lends<Matrix> && !Lends<const Matrix>);
static_assert(LendsNumbers<Matrix&> && LendsNumbers<const Matrix&>);
static_assert(!LendsNumbers<Matrix> && !LendsNumbers<const Matrix>);
static_assert(Lends<const Texts&> && !Lends<Texts> && !Lends<const Texts>);
static_assert(std::is_constructible_v<Rows, Matrix&> && std::is_constructible_v<Rows, Matrix>);
static_assert(
    !std::is_constructible_v<Rows, const Matrix>);  // it could neither be owned nor outlive the line
static_assert(!std::is_reference_v<decltype(std::declval<Rows>().space())>);

TEST(Chunks, APoolMayDoLessThanItIsAskedFor) {
  for (const unsigned calls : {0u, 1u, 2u}) {
    const shoal::Run run{.threads = 4, .pool = [&](unsigned, const std::function<void()>& work) {
                           for (unsigned i = 0; i < calls; ++i) work();
                         }};
    std::vector<int> seen(10);
    for_chunks(run, 10, 1, [&](Index, Index first, Index) { ++seen[first]; });
    EXPECT_EQ(seen, std::vector<int>(10, 1)) << calls;
  }
}

TEST(Chunks, APoolIsAskedOnceAndHearsNoErrors) {
  std::atomic<int> calls{0};
  const shoal::Run run{.threads = 3, .pool = [&](unsigned workers, const std::function<void()>& work) {
                         ++calls;
                         std::vector<std::jthread> threads;
                         for (unsigned i = 0; i < workers; ++i) threads.emplace_back(work);
                       }};
  std::atomic<int> inner{0};
  for_chunks(run, 8, 1, [&](Index, Index, Index) {
    for_chunks(run, 5, 1, [&](Index, Index, Index) { ++inner; });  // stays in its thread
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(inner, 40);
  EXPECT_EQ(error_of([&] {
              for_chunks(run, 8, 1, [&](Index chunk, Index, Index) {
                if (chunk >= 2) throw Error(Fault::data, "chunk " + std::to_string(chunk));
              });
            }).fault,
            Fault::data);
}

TEST(Chunks, ProgressAndAStopMayComeFromAnyThread) {
  std::stop_source source;
  std::atomic<bool> begun{false};
  std::atomic<int> at_once{0};
  const shoal::Run run{.threads = 3,
                       .stop = source.get_token(),
                       .progress =
                           [&](std::string_view, double, double) {
                             EXPECT_EQ(++at_once, 1);
                             begun = true;
                             std::this_thread::yield();
                             --at_once;
                           },
                       .pool =
                           [](unsigned workers, const std::function<void()>& work) {
                             std::vector<std::jthread> threads;
                             for (unsigned i = 0; i < workers; ++i) threads.emplace_back(work);
                           }};
  std::jthread other([&] {
    while (!begun) std::this_thread::yield();
    source.request_stop();
  });
  const Error e = error_of([&] {
    for_chunks(
        run, 1'000'000'000, 1, [](Index, Index, Index) {}, "a step");
  });
  EXPECT_EQ(e.fault, Fault::cancelled);
}

TEST(Chunks, RunInTheCallersOwnThreads) {
  std::atomic<int> calls{0};
  const shoal::Run run{.threads = 3, .pool = [&](unsigned workers, const std::function<void()>& work) {
                         EXPECT_EQ(workers, 3u);
                         ++calls;
                         std::thread other(work);
                         other.join();
                         work();
                       }};
  std::vector<int> seen(10);
  for_chunks(run, 10, 1, [&](Index, Index first, Index) { ++seen[first]; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, std::vector<int>(10, 1));
}

}  // namespace
}  // namespace shoal
