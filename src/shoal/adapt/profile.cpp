#include "shoal/adapt/profile.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "shoal/adapt/centers_impl.h"
#include "shoal/adapt/half_impl.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/linear/topk.h"
#include "shoal/near/drawn_rows.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kMostClustered = 20000;  // rows of a corpus whose clusters are looked for
constexpr Index kMostSampled = 3000;     // of the corpus and of the feedback, by which the gate is learnt

Space known(const Rows& x) {
  Space out = x.space();
  out.dims = x.cols();
  return out;
}

void check_texts(const CorpusClusters& corpus, const Rows& texts, const Run& run) {
  require(texts.rows() > 0, Fault::data, "a profile needs feedback on texts");
  check_input(texts, corpus.space.dims, corpus.space, "the corpus");
  check_finite(texts, run);
}

}  // namespace

CorpusClusters CorpusClusters::of(const Rows& corpus, const ProfileOptions& options, const Run& run) {
  require(corpus.rows() > 0, Fault::data, "there are no texts to search");
  check_finite(corpus, run);
  const Seed seed = options.seed.child(1);
  const Matrix x = unit_matrix(select_rows(corpus, drawn_rows(corpus.rows(), kMostClustered, seed)));
  const auto drawn = drawn_rows(x.rows(), kMostSampled, seed.child(2));
  return {known(corpus), unit_centers(x.view(), options.n_centroids, seed.child(1), run).centers,
          select_rows(Rows(x), drawn).to_matrix()};
}

CorpusClusters CorpusClusters::without(MatrixView texts) const {
  const auto bytes = [](std::span<const float> row) {
    return std::string_view(reinterpret_cast<const char*>(row.data()), row.size_bytes());
  };
  std::unordered_set<std::string_view> known;
  for (Index i = 0; i < texts.rows; ++i) known.insert(bytes(texts[i]));
  std::vector<Index> others;
  for (Index i = 0; i < sample.rows(); ++i)
    if (!known.contains(bytes(sample[i]))) others.push_back(i);
  if (others.empty() || others.size() == sample.rows()) return *this;
  return {space, centers, select_rows(Rows(sample), others).to_matrix()};
}

Profile::Profile(const CorpusClusters& corpus, const Matrix& about, const Options& options, const Run& run)
    : space_(corpus.space), options_(options), preferences_(corpus.centers) {
  const CorpusClusters rest = corpus.without(about.view());
  const auto drawn = drawn_rows(about.rows(), kMostSampled, options.seed.child(4));
  const Matrix some = select_rows(Rows(about), drawn).to_matrix();
  const Matrix of_some = preferences_.memberships(some.view()),
               of_rest = preferences_.memberships(rest.sample.view());
  gate_ = FeedbackGate::fit({some.view(), of_some.view()}, {rest.sample.view(), of_rest.view()},
                            options.seed.child(2), run);
}

Profile::Profile(Space space, Options options, ClusterPreferences preferences, FeedbackGate gate)
    : space_(std::move(space)),
      options_(options),
      preferences_(std::move(preferences)),
      gate_(std::move(gate)) {}

void Profile::take_map(Matrix map) {
  const Index rank = options_.rank;
  if (rank > 0 && rank < std::min(map.rows(), map.cols()) &&
      rank * (map.rows() + map.cols()) < map.rows() * map.cols()) {
    auto parts = low_rank(map, rank);
    left_ = std::move(parts.left);
    right_ = std::move(parts.right);
    round_to_half(left_);
  } else {
    right_ = std::move(map);
  }
  round_to_half(right_);
}

Profile Profile::fit(const CorpusClusters& corpus, const Rows& texts, const std::vector<JudgedPair>& pairs,
                     const Options& options, const Run& run) {
  check_options(options);
  check_texts(corpus, texts, run);
  const Matrix x = unit_matrix(texts);
  std::vector<Index> used;
  for (const JudgedPair& p : pairs) used.push_back(p.a), used.push_back(p.b);
  std::ranges::sort(used);
  used.erase(std::ranges::unique(used).begin(), used.end());
  require(!used.empty() && used.back() < texts.rows(), Fault::data,
          "the feedback names rows that are not there");
  const Matrix about = select_rows(Rows(x), used).to_matrix();
  Profile out(corpus, about, options, run);
  out.preferences_.learn(x.view(), pairs);
  out.take_map(learn_pair_map(x.view(), pairs, PairLoss::cosine, options.seed.child(3), run.quiet()));
  return out;
}

Profile Profile::fit(const CorpusClusters& corpus, const Rows& texts, const Labels& labels,
                     const Options& options, const Run& run) {
  check_options(options);
  check_texts(corpus, texts, run);
  check_labels(labels, texts.rows());
  std::vector<Index> used;
  for (Index i = 0; i < texts.rows(); ++i)
    if (labels.of[i] != kNoise) used.push_back(i);
  const auto sizes = label_sizes(labels);
  require(std::ranges::count_if(sizes, [](Index n) { return n > 0; }) >= 2, Fault::data,
          "folders teach by their differences: at least two need texts");
  const Matrix x = unit_matrix(texts);
  const Matrix about = select_rows(Rows(x), used).to_matrix();
  Profile out(corpus, about, options, run);
  out.residual_ = false;
  out.preferences_.learn(x.view(), labels);
  out.take_map(label_map(x.view(), labels, options.lambda));
  return out;
}

void Profile::map_rows(MatrixView x, MatrixSpan out) const {
  if (left_.rows() == 0) {
    multiply(x, Packed::rows(right_), {}, Activation::none, out);
  } else {
    Matrix between(x.rows, right_.rows());
    multiply(x, Packed::rows(right_), {}, Activation::none, between.span());
    multiply(between.view(), Packed::rows(left_), {}, Activation::none, out);
  }
  if (residual_)
    for (Index i = 0; i < x.rows; ++i) kernels().axpy(1, x[i].data(), out[i].data(), x.cols);
  unit_rows(out);
}

Profile::Query Profile::ask(std::span<const float> q) const {
  const MatrixView one{q.data(), 1, q.size(), q.size()};
  Query out;
  const Texts prepared = prepare(one);
  out.mapped.assign(prepared.mapped[0].begin(), prepared.mapped[0].end());
  out.preferred = preferences_.ask(prepared.memberships[0]);
  const float near = gate_.nearness(q, prepared.memberships[0]);
  out.wide = gate_.wide(near);
  // Half open or less: the top stays as it is.
  const float narrow = gate_.narrow(near);
  out.narrow = narrow < 0.5f ? 0 : narrow;
  return out;
}

Profile::Texts Profile::prepare(MatrixView x) const {
  Texts out{Matrix(x.rows, mapped_dims()), preferences_.memberships(x)};
  map_rows(x, out.mapped.span());
  return out;
}

void Profile::compare(const Query& query, const Texts& texts, std::span<float> map,
                      std::span<float> preferred) const {
  const Kernels& k = kernels();
  for (Index i = 0; i < map.size(); ++i) {
    map[i] = k.dot(query.mapped.data(), texts.mapped[i].data(), query.mapped.size());
    preferred[i] = k.dot(query.preferred.data(), texts.memberships[i].data(), query.preferred.size());
  }
}

void Profile::add(const Query& query, const Texts& texts, std::span<float> order,
                  std::span<float> top) const {
  std::vector<float> map(order.size()), preferred(order.size());
  compare(query, texts, map, preferred);
  for (Index i = 0; i < order.size(); ++i) {
    order[i] += query.wide * (order_.map * map[i] + order_.preferences * preferred[i]);
    top[i] += query.narrow * (top_.map * map[i] + top_.preferences * preferred[i]);
  }
}

Index Profile::out_dims() const { return space_.dims + (order_.map > 0 ? mapped_dims() : 0); }

Space Profile::out_space() const {
  Space out{.id = space_.id, .dims = out_dims(), .unit = true};
  // Rows through two profiles are not of one space.
  if (!out.id.empty() && order_.map > 0)
    out.id += "+profile:" +
              sha256(std::as_bytes(std::span(right_.data(), right_.rows() * right_.cols()))).substr(0, 8);
  return out;
}

Rows Profile::applied(const Rows& x) const {
  check_input(x, space_.dims, space_, "the profile");
  const auto self = std::make_shared<const Profile>(*this);
  // Both sides of a product carry it.
  const float strength = std::sqrt(order_.map);
  const auto make = [x, self, strength](Index first, Index count, Matrix& scratch) {
    Matrix inner;
    const MatrixView block = x.block(first, count, inner);
    const Index d = self->space_.dims, more = self->out_dims() - d;
    scratch = Matrix(count, d + more);
    Matrix unit(count, d), mapped(count, more);
    for (Index i = 0; i < count; ++i) std::ranges::copy(block[i], unit[i].begin());
    unit_rows(unit.span());
    if (more > 0) self->map_rows(unit.view(), mapped.span());
    const Matrix memberships = self->preferences_.memberships(unit.view());
    for (Index i = 0; i < count; ++i) {
      std::ranges::copy(unit[i], scratch[i].begin());
      if (more == 0) continue;
      const float w = self->gate_.wide(self->gate_.nearness(unit[i], memberships[i])) * strength;
      for (Index j = 0; j < more; ++j) scratch[i][d + j] = w * mapped[i][j];
    }
    unit_rows(scratch.span());
    return scratch.view();
  };
  return Rows(x.rows(), out_dims(), Dtype::f32, make, out_space());
}

void Profile::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.meta("map", residual_ ? "pairs" : "labels");
  out.add("strengths",
          std::span<const float>(std::vector{order_.map, order_.preferences, top_.map, top_.preferences}));
  if (left_.rows() > 0) out.add_half("map.left", left_.view());
  out.add_half("map.right", right_.view());
  preferences_.save(out);
  gate_.save(out);
}

Profile Profile::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const Space space = read_space(in);
  ClusterPreferences preferences = ClusterPreferences::load(in, space.dims);
  FeedbackGate gate = FeedbackGate::load(in, space.dims, preferences.centers().rows());
  Profile out(space, read_options<Options>(in), std::move(preferences), std::move(gate));
  const std::string map = in.meta("map");
  out.residual_ = map == "pairs";
  require(out.residual_ || map == "labels", Fault::format,
          in.path().string() + ": its map is of no kind known");
  out.right_ = finite_matrix(in, "map.right");
  if (in.has("map.left")) out.left_ = finite_matrix(in, "map.left");
  const bool fits = out.right_.cols() == space.dims &&
                    (out.left_.rows() == 0 || out.left_.cols() == out.right_.rows()) &&
                    (!out.residual_ || out.mapped_dims() == space.dims);
  require(fits, Fault::format, in.path().string() + ": its map does not fit its dimensions");
  const auto strengths = in.floats("strengths", 4);
  require(std::ranges::all_of(strengths, [](float v) { return std::isfinite(v) && v >= 0; }), Fault::format,
          in.path().string() + ": its strengths are no numbers of 0 or more");
  out.set_strengths({strengths[0], strengths[1]}, {strengths[2], strengths[3]});
  return out;
}

std::vector<Index> personal_order(std::span<const float> order, std::span<const float> top, Index keep,
                                  Index n) {
  TopK first(std::min(keep, n));
  for (Index i = 0; i < top.size(); ++i) first.offer(top[i], static_cast<std::uint32_t>(i));
  std::vector<Index> out;
  for (const auto& item : first.sorted()) out.push_back(item.id);
  if (out.size() >= n) return out;
  TopK rest(n);
  for (Index i = 0; i < order.size(); ++i) rest.offer(order[i], static_cast<std::uint32_t>(i));
  const std::vector<Index> head = out;
  for (const auto& item : rest.sorted())
    if (out.size() < n && std::ranges::find(head, Index{item.id}) == head.end()) out.push_back(item.id);
  return out;
}

}  // namespace shoal
