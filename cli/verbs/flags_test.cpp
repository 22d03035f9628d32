// Every option of every struct through a saved model, JSON and the command line and back, and out of its
// range.
#include "verbs/flags.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "shoal/flow/ensembles/fit_ensemble.h"
#include "shoal/flow/ensembles/measure_gain.h"
#include "shoal/flow/evaluation/evaluate.h"
#include "shoal/flow/folders/lay_out.h"
#include "shoal/flow/folders/predict_clusters.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/names/compare_outcome.h"
#include "shoal/flow/names/explain.h"
#include "shoal/flow/negatives/negatives.h"
#include "shoal/flow/scoring/score_pairs.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/texts/token_attention.h"
#include "shoal/flow/words/evaluate_words.h"
#include "shoal/flow/words/prepare.h"
#include "shoal/flow/words/show_words.h"
#include "shoal/flow/words/train_words.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/json_value_impl.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

using cli::Session;

template <class Variant>
struct TypesOf;
template <class... O>
struct TypesOf<std::variant<O...>> {
  using type =
      ::testing::Types<O..., EncodeOptions, ReadOptions, PcaOptions, StandardiseOptions, UmapOptions,
                       AlignedUmapOptions, TsneOptions, CentroidFeaturesOptions, LogisticOptions,
                       ClusterClassifierOptions, StabilityOptions, CtfidfOptions, ExemplarOptions,
                       OutcomeOptions, ClusteringOptions, ClusterOptions, PredictOptions, LayoutOptions,
                       MapOptions, SearchOptions, ExplainOptions, TfidfOptions, FitEnsembleOptions,
                       MeasureGainOptions, ReadTaskOptions, EvaluateOptions, RolePrompts, MineOptions,
                       NegativesOptions, ScoreOptions, ScorePairsOptions, ContextOptions, MoveOptions,
                       ClosedFormOptions, TrainWordsOptions, EvaluateWordsOptions, VocabularyOptions,
                       DescriptionOptions, PrepareOptions, TokenAttentionOptions, ShowWordsOptions>;
};

template <class O>
class EveryOption : public ::testing::Test {};
TYPED_TEST_SUITE(EveryOption, TypesOf<decltype(MethodOptions::of)>::type, );

double just(double from, double towards, OptionKind kind) {
  if (kind == OptionKind::whole) return from + (towards > from ? 1 : -1);
  return std::nextafter(static_cast<float>(from), static_cast<float>(towards));
}
FieldValue number_of_kind(double x, OptionKind kind) {
  return kind == OptionKind::whole ? FieldValue(static_cast<std::int64_t>(x)) : FieldValue(x);
}

/// Values that the option may have, other than the one that it has.
std::vector<FieldValue> allowed_values(const OptionRef& option) {
  std::vector<FieldValue> out;
  const FieldValue now = option.get();
  if (option.optional) out.emplace_back();
  switch (option.kind) {
    case OptionKind::boolean:
      out.emplace_back(!std::get<bool>(now));
      break;
    case OptionKind::seed:
      out.emplace_back(std::int64_t{-7});  // of 64 bits
      break;
    case OptionKind::name:
      for (const char* name : option.names) out.emplace_back(std::string(name));
      break;
    case OptionKind::text:
      out.emplace_back(std::string("a b: \"ä\""));
      break;
    case OptionKind::whole:
    case OptionKind::number: {
      const Allowed& a = option.allowed;
      const double least = std::isfinite(a.least) ? a.least : -5,
                   most = std::isfinite(a.most) ? a.most : least + 9;
      out.push_back(number_of_kind(a.least_itself ? least : just(least, most, option.kind), option.kind));
      out.push_back(number_of_kind(a.most_itself ? most : just(most, least, option.kind), option.kind));
      out.push_back(number_of_kind(
          option.kind == OptionKind::whole ? std::floor((least + most) / 2) : (least + most) / 2,
          option.kind));
    }
  }
  return out;
}

/// Values just outside each end of its range.
std::vector<FieldValue> wrong_values(const OptionRef& option) {
  std::vector<FieldValue> out;
  if (option.kind != OptionKind::whole && option.kind != OptionKind::number) return out;
  const Allowed& a = option.allowed;
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (std::isfinite(a.least) && !(option.kind == OptionKind::whole && a.least == 0))
    out.push_back(number_of_kind(a.least_itself ? just(a.least, -kInf, option.kind) : a.least, option.kind));
  if (std::isfinite(a.most) && a.most < 2e9)
    out.push_back(number_of_kind(a.most_itself ? just(a.most, kInf, option.kind) : a.most, option.kind));
  if (option.kind == OptionKind::number) out.insert(out.end(), {kInf, -kInf, std::nan("")});
  return out;
}

std::string option_at_fault(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.option();
  }
  return "no error";
}

template <class O>
void set(O& options, Index i, const FieldValue& value) {
  option_refs(options)[i].set(value);
}
/// The same, whatever the range.
template <class O>
void force(O& options, Index i, const FieldValue& value) {
  OptionRef option = option_refs(options)[i];
  option.allowed = {};
  const auto* x = std::get_if<double>(&value);
  if (x != nullptr && !std::isfinite(*x)) return;  // checked through set() alone
  option.set(value);
}

/// For each option and value: f(a struct that has it, the option's place, the value).
template <class O>
void each_value(std::vector<FieldValue> (*values)(const OptionRef&), const auto& f) {
  O options;
  const Index count = option_refs(options).size();
  for (Index i = 0; i < count; ++i)
    for (const FieldValue& value : values(option_refs(options)[i])) f(i, value);
}

template <class O>
std::string as_text(const O& options) {
  std::string out;
  O copy = options;
  for (const OptionRef& option : option_refs(copy)) out += option.name + "=" + option.text() + "\n";
  return out;
}

TYPED_TEST(EveryOption, HasANameOfItsOwnAndAHelp) {
  TypeParam options;
  std::set<std::string> names;
  for (const OptionRef& option : option_refs(options)) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_FALSE(std::string(option.help).empty()) << option.name;
  }
  EXPECT_NO_THROW(check_options(options)) << "as it is";
}

TYPED_TEST(EveryOption, ComesBackFromASavedModel) {
  const ScratchFolder folder;
  each_value<TypeParam>(allowed_values, [&](Index i, const FieldValue& value) {
    TypeParam given, read;
    set(given, i, value);
    ArchiveWriter out("options");
    out.options(list_fields(given));
    out.write(folder / "o.safetensors");
    ArchiveReader(folder / "o.safetensors").read(option_refs(read));
    EXPECT_EQ(as_text(read), as_text(given));
  });
}

TYPED_TEST(EveryOption, ComesBackFromJson) {
  each_value<TypeParam>(allowed_values, [&](Index i, const FieldValue& value) {
    TypeParam given, read;
    set(given, i, value);
    nlohmann::json json;
    for (const Field& field : list_fields(given)) json[field.name] = json_value<nlohmann::json>(field.value);
    json = nlohmann::json::parse(json.dump());
    for (const OptionRef& option : option_refs(read)) option.set(value_from(json.at(option.name)));
    EXPECT_EQ(as_text(read), as_text(given));
  });
}

TYPED_TEST(EveryOption, ComesFromTheCommandLine) {
  each_value<TypeParam>(allowed_values, [&](Index i, const FieldValue& value) {
    TypeParam given, read;
    set(given, i, value);
    const OptionRef option = option_refs(given)[i];
    if (option.kind == OptionKind::text && value.index() == 0) return;  // "none" is a text
    CLI::App app;
    Session session;
    cli::add_options(app, session, option_refs(read));
    std::vector<std::string> arguments{cli::flag_of(option.name)};
    if (option.kind != OptionKind::boolean) arguments.front() += "=" + option.text();
    app.parse(arguments);
    EXPECT_EQ(as_text(read), as_text(given)) << arguments.front();
  });
}

TYPED_TEST(EveryOption, OutOfItsRangeIsNamed) {
  each_value<TypeParam>(wrong_values, [&](Index i, const FieldValue& value) {
    TypeParam options;
    const OptionRef option = option_refs(options)[i];
    EXPECT_EQ(option_at_fault([&] { option.set(value); }), option.name) << text_of(value);
    CLI::App app;
    Session session;
    cli::add_options(app, session, option_refs(options));
    try {
      app.parse(std::vector<std::string>{cli::flag_of(option.name) + "=" + text_of(value)});
      ADD_FAILURE() << option.name << " " << text_of(value);
    } catch (const CLI::ParseError& e) {
      EXPECT_EQ(std::string(e.what()).rfind(cli::flag_of(option.name) + " is ", 0), 0u) << e.what();
      EXPECT_NE(std::string(e.what()).find("; allowed: " + option.allowed_in_words()), std::string::npos)
          << e.what();
    }
    force(options, i, value);
    const auto* x = std::get_if<double>(&value);
    if (x == nullptr || std::isfinite(*x)) {
      EXPECT_EQ(option_at_fault([&] { check_options(options); }), option.name) << text_of(value);
    }
  });
}

TEST(Flags, AreRenamedAndTurnABoolRound) {
  CLI::App app;
  Session session;
  LayoutOptions options;
  cli::add_options(app, session, option_refs(options), {{"keep_rows", "--no-rows"}});
  app.parse(std::vector<std::string>{"--no-rows"});
  EXPECT_FALSE(options.keep_rows);
  const Error e(Fault::argument, option_name("keep_rows") + " and " + option_name("n_iter"));
  EXPECT_EQ(cli::in_flags(e, app, session), "--no-rows and --n-iter");
}

}  // namespace
}  // namespace shoal
