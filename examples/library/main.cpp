// shoal as a library, as a program with a window would use it: texts to vectors to named groups, in the
// program's own threads; progress that comes from any of them is drawn by the main thread; and a long run is
// stopped by it. usage: example MODEL_FOLDER
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <stop_token>
#include <thread>

#include "pool.h"
#include "shoal/shoal.h"

namespace {

/// The main thread's side of the progress: workers only store a number. Nothing here waits for anybody, so
/// that the work does not wait either. A Python program would take its lock here, or as here leave it alone.
class Meter {
 public:
  void set(double done, double total) { share_.store(total > 0 ? done / total : 0); }
  /// Draws until `work` is finished.
  template <class T>
  T watch(std::future<T> work) {
    double drawn = -1;
    while (work.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready)
      if (const double now = share_; now != drawn) std::fprintf(stderr, "\r%3.0f%%", 100 * (drawn = now));
    return work.get();  // rethrows what the work has thrown
  }
  double share() const { return share_; }

 private:
  std::atomic<double> share_{0};
};

void group(const shoal::Encoder& encoder, const shoal::Run& run) {
  shoal::Texts texts;
  for (const char* text : {"the cat sleeps", "a dog runs", "shares fell today", "the bank raised rates"})
    texts.add(text);
  const shoal::Rows vectors = encoder.encode(texts, {}, run);
  const auto groups = shoal::SphericalKMeans::fit(vectors, {.n_clusters = 2, .n_init = 10}, run);

  shoal::Ctfidf words(2, {.min_count = 1});
  words.add(texts, groups.labels().of.data(), run);
  const auto top = words.top_words();
  for (shoal::Index i = 0; i < texts.size(); ++i) {
    const auto label = static_cast<shoal::Index>(groups.labels().of[i]);
    std::printf("%zu  %.*s  (%s)\n", label, static_cast<int>(texts[i].size()), texts[i].data(),
                shoal::cluster_name(top[label]).c_str());
  }

  // Vectors that do not say which model made them are refused, unless the program knows better.
  const shoal::Matrix numbers = vectors.to_matrix();
  const shoal::Rows unknown(numbers);
  try {
    groups.predict(unknown, run);
  } catch (const shoal::Error& error) {
    std::printf("refused: %s\n", error.what());
  }
  const bool same = groups.predict(unknown.assume_space(encoder.space()), run) == groups.labels();
  std::printf("assumed: %s\n", same ? "the same groups" : "other groups");
}

/// More than anybody waits for.
void work_long(const shoal::Run& run) {
  const shoal::Random random({1});
  shoal::Matrix x(20'000, 16);
  for (shoal::Index i = 0; i < 20'000 * 16; ++i) x.data()[i] = static_cast<float>(random.normal(i));
  shoal::KMeans::fit(x, {.n_clusters = 200, .tol = 0, .n_init = 10'000}, run);
}

}  // namespace

int main(int argc, char** argv) try {
  Pool pool(3);
  Meter meter;
  std::stop_source stop;
  const shoal::Run run{
      .threads = 4,
      .stop = stop.get_token(),
      .progress = [&](std::string_view, double done, double total) { meter.set(done, total); },
      .pool = [&](unsigned workers, const std::function<void()>& work) { pool.run(workers, work); }};

  const auto encoder = shoal::Encoder::load(argc > 1 ? argv[1] : "", run);
  meter.watch(std::async(std::launch::async, [&] { group(encoder, run); }));

  meter.set(0, 1);
  std::jthread patience([&] {
    while (meter.share() == 0) std::this_thread::yield();  // until it has begun
    stop.request_stop();
  });
  try {
    meter.watch(std::async(std::launch::async, [&] { work_long(run); }));
    std::puts("the long run ended");
  } catch (const shoal::Error& error) {
    std::printf("%s\n", error.what());
    if (error.fault != shoal::Fault::cancelled) throw;
  }
} catch (const shoal::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.fault);
}
