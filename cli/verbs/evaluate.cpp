#include "shoal/flow/evaluation/evaluate.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/encode/cross_encoder.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct EvaluateFlags {
  std::string model, file, corpus, queries, train;
  std::vector<std::string> compare;
  ReadTaskOptions read;
  EvaluateOptions how;
  EncodeOptions encode;
  RolePrompts prompts;
};

/// A model and what it is worth.
struct Tried {
  std::string given;  // as the user calls it
  std::string id;
  EncodeCounts counts;
  Evaluation found;
  bool cross = false;  // a cross-encoder
};

Json to_json(const Measured& m) { return {{"value", m.value}, {"low", m.low}, {"high", m.high}}; }

std::string number(double x) { return rounded(x, "%.4f"); }

std::string with_interval(const Measured& m, const char* format) {
  return rounded(m.value, format) + " [" + rounded(m.low, format) + ", " + rounded(m.high, format) + "]";
}

const char* verdict_of(const Measured& difference) {
  return difference.low > 0 ? "better" : difference.high < 0 ? "worse" : "none";
}

Tried try_cross(const std::string& given, const std::filesystem::path& folder, const EvaluationTask& task,
                const EvaluateFlags& flags, const Run& run) {
  const CrossEncoder model = CrossEncoder::load(folder, run);
  require(model.labels().size() == 1, Fault::unsupported,
          given + " gives " + std::to_string(model.labels().size()) +
              " scores a pair; a cross-encoder of one is needed");
  Tried out{.given = given, .id = model.id(), .counts = {}, .found = {}, .cross = true};
  const ScoreOptions options{.max_tokens = flags.encode.max_tokens, .prompt = flags.encode.prompt};
  const ScorePairs score = [&](const Texts& firsts, const Texts& seconds) {
    Index cut = 0;
    const Matrix found = model.scores(firsts, seconds, options, run, &cut);
    out.counts.cut += cut;
    return std::vector<float>(found.data(), found.data() + found.rows());
  };
  out.found = evaluate_pairs(task, score, run, flags.how);
  return out;
}

Tried try_model(const std::string& given, const EvaluationTask& task, const EvaluateFlags& flags,
                const Run& run, const Notice& notice) {
  const auto folder = find_model(given, models_folder());
  if (is_cross_folder(folder)) return try_cross(given, folder, task, flags, run);
  const Encoder encoder = load_model(given, models_folder(), run);
  if (notice)
    for (const auto& line : poor_fit(model_fit(encoder, task.texts.texts, run), encoder.name())) notice(line);
  Tried out{given, encoder.space().id, {}, {}};
  const Embedders embed = embedders_of(encoder, flags.encode, flags.prompts, run, &out.counts);
  out.found = evaluate(task, embed, run, flags.how);
  return out;
}

Json to_json(const Tried& tried) {
  Json metrics = Json::object();
  for (const NamedMetric& metric : tried.found.metrics) metrics[metric.name] = metric.value;
  Json out{{"model", tried.id}};
  if (tried.cross)
    out["by"] = "cross-encoder";
  else
    out["dims"] = tried.found.dims;
  out["metric"] = tried.found.main;
  out.update(to_json(tried.found.value));
  out["metrics"] = metrics;
  out[tried.cross ? "truncated_pairs" : "truncated_texts"] = tried.counts.cut;
  if (!tried.cross) out["unknown_texts"] = tried.counts.unknown;
  return out;
}

std::string table_of(const std::vector<Tried>& models) {
  std::vector<std::vector<std::string>> rows{{""}};
  for (const Tried& tried : models) rows[0].push_back(one_line(tried.given, 40));
  if (models.size() == 1) rows.clear();
  for (Index i = 0; i < models[0].found.metrics.size(); ++i) {
    rows.push_back({models[0].found.metrics[i].name});
    for (const Tried& tried : models) rows.back().push_back(number(tried.found.metrics[i].value));
  }
  std::vector<std::size_t> widths(models.size() + 1);
  for (const auto& row : rows)
    for (Index c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string out;
  for (const auto& row : rows) {
    out += "  " + row[0] + std::string(widths[0] - row[0].size(), ' ');
    for (Index c = 1; c < row.size(); ++c) out += std::string(2 + widths[c] - row[c].size(), ' ') + row[c];
    out += "\n";
  }
  return out;
}

std::string in_words(const EvaluationTask& task, const std::vector<Tried>& models, const EvaluateFlags& flags,
                     const Progress& progress) {
  const bool intervals = flags.how.resamples > 1;
  std::string out = std::string(name_of(task.kind)) + " " + task.name + ": " + task.in_words() + "\n";
  for (const Tried& tried : models)
    out += tried.given + ": " + tried.found.main + " " +
           (intervals ? with_interval(tried.found.value, "%.4f") : number(tried.found.value.value)) + "\n";
  out += table_of(models);
  for (Index i = 1; i < models.size(); ++i) {
    const Measured apart = difference(models[0].found.resampled, models[i].found.resampled);
    const std::string verdict = verdict_of(apart);
    out += models[0].given;
    out += !intervals          ? " over "
           : verdict == "none" ? ": no difference that shows to "
                               : " is " + verdict + " than ";
    out += models[i].given + ": " + models[0].found.main + " " +
           (intervals ? with_interval(apart, "%+.4f") : rounded(apart.value, "%+.4f")) + "\n";
  }
  if (intervals) out += "[low, high]: 95% intervals\n";
  return out + time_line(progress) + "\n";
}

void refuse_useless(const CLI::App& verb, TaskKind task, const EvaluateFlags& flags) {
  const auto only = [&](const char* flag, std::initializer_list<TaskKind> kinds) {
    if (verb.count(flag) == 0 || std::ranges::find(kinds, task) != kinds.end()) return;
    std::string names;
    for (const TaskKind kind : kinds) names += (names.empty() ? "" : " and ") + std::string(name_of(kind));
    throw Error(Fault::argument, std::string(flag) + " is of --task " + names + ", not of " + name_of(task));
  };
  only("--k", {TaskKind::retrieval, TaskKind::rerank});
  for (const char* flag : {"--shots", "--draws", "--c"}) only(flag, {TaskKind::classification});
  for (const char* flag : {"--query-prompt", "--document-prompt"})
    only(flag, {TaskKind::triplet, TaskKind::retrieval, TaskKind::rerank});
  require(verb.count("--split") == 0 || std::filesystem::is_directory(flags.file), Fault::argument,
          "--split is of a folder in BEIR's layout");
}

/// Cross-encoders make no vectors: what is of vectors alone is refused, and metrics of two names are not
/// compared.
void check_kinds(const CLI::App& verb, const std::vector<std::string>& given, TaskKind task) {
  Index cross = 0;
  for (const std::string& model : given) cross += is_cross_folder(find_model(model, models_folder()));
  if (cross == 0) return;
  require(
      scores_pairs(task), Fault::argument,
      std::string("--task ") + name_of(task) +
          " needs vectors of single texts; cross-encoders can be tried on sts, triplet, pairs and rerank");
  require(
      cross == given.size() || task == TaskKind::rerank, Fault::argument,
      std::string("--task ") + name_of(task) +
          " measures cross-encoders by other metrics than encoders; --compare takes both for rerank alone");
  for (const char* flag : {"--long", "--overlap", "--query-prompt", "--document-prompt"})
    require(cross < given.size() || verb.count(flag) == 0, Fault::argument,
            std::string(flag) + " is of encoders; a cross-encoder reads two texts as one input");
}

void remark_rows(const EvaluationTask& task, const Session& session) {
  remark_report(session, task.read);
  std::string columns;
  for (const auto& name : task.columns) columns += (columns.empty() ? "" : ", ") + name;
  if (!columns.empty()) session.remark("columns: " + columns);
  if (task.blank > 0)
    session.remark("note: " + counted(task.blank, "row") + " left out: a cell is empty; the first is " +
                   task.first_blank);
  const bool labels = task.kind == TaskKind::classification || task.kind == TaskKind::clustering;
  if (task.lonely > 0)
    session.remark("note: " + (labels
                                   ? counted(task.lonely, "row") + " left out: the only one of a label"
                                   : with_commas(task.lonely) + (task.lonely == 1 ? " query" : " queries") +
                                         " left out: no relevant passage, or no other one"));
}

void run_evaluate(EvaluateFlags& flags, CLI::App& verb, Session& session) {
  check_encoding(verb, flags.encode);
  refuse_useless(verb, flags.read.task, flags);
  std::vector<std::string> given{flags.model};
  given.insert(given.end(), flags.compare.begin(), flags.compare.end());
  check_kinds(verb, given, flags.read.task);
  flags.read.file = flags.file, flags.read.corpus = flags.corpus;
  flags.read.queries = flags.queries, flags.read.train = flags.train;
  const Run run = session.run();
  const EvaluationTask task = read_evaluation(flags.read, run);
  std::vector<Tried> models;
  for (const std::string& model : given)
    models.push_back(try_model(model, task, flags, run, language_notice(session)));
  session.progress().finish();
  remark_rows(task, session);
  Json out{{"task", name_of(task.kind)},       {"file", flags.file},
           {"columns", task.columns},          {"size", task.in_words()},
           {"texts", task.texts.texts.size()}, {"left_out", task.blank + task.lonely}};
  out.update(to_json(models[0]));
  Json compared = Json::array();
  for (Index i = 1; i < models.size(); ++i) {
    const Measured apart = difference(models[0].found.resampled, models[i].found.resampled);
    Json one = to_json(models[i]);
    one["difference"] = to_json(apart);
    one["verdict"] = verdict_of(apart);
    compared.push_back(std::move(one));
  }
  if (!compared.empty()) out["compared"] = compared;
  out["seconds_total"] = session.progress().seconds();
  session.answer(out, in_words(task, models, flags, session.progress()));
}

}  // namespace

void add_evaluate(CLI::App& app, Session& session) {
  auto flags = std::make_shared<EvaluateFlags>();
  EvaluateFlags& f = *flags;
  auto* verb = app.add_subcommand("evaluate", "How good is a model at a task of yours?");
  verb->footer(
      "Columns of FILE, found by name, or by order where there are just as many; --columns names them:\n"
      "  sts                         sentence1, sentence2, score: do cosines follow the scores?\n"
      "  triplet                     anchor, positive, negative: which of the two is nearer?\n"
      "  pairs                       sentence1, sentence2, label (1 or 0): do cosines tell the two apart?\n"
      "  retrieval                   query, passage: is the passage found among all (and those of "
      "--corpus)?\n"
      "                              Or a folder in BEIR's layout, or --queries, --corpus and a file of\n"
      "                              query-id, corpus-id, score\n"
      "  rerank                      query, positive, negative (lists in JSONL); or query, passage, label\n"
      "  clustering, classification  text, label: do clusters follow the labels? Can they be learnt from "
      "few?\n"
      "Metrics are named and computed as sentence-transformers' evaluators do. The main one has a 95% "
      "interval,\n"
      "and so has the difference to each model of --compare, on the same draws of the rows. MODEL may be a\n"
      "cross-encoder (see 'shoal score --help') for sts, triplet, pairs and rerank.\n\n"
      "Examples:\n"
      "  shoal evaluate all-MiniLM-L6-v2 --task sts sts_test.csv\n"
      "  shoal evaluate tuned --task triplet dev.csv --compare all-MiniLM-L6-v2\n"
      "  shoal evaluate all-MiniLM-L6-v2 --task retrieval questions.csv --corpus passages.txt\n"
      "  shoal evaluate all-MiniLM-L6-v2 --task retrieval scifact/ --json\n"
      "  shoal evaluate ms-marco-MiniLM-L6-v2 --task rerank candidates.csv --compare all-MiniLM-L6-v2\n"
      "  shoal evaluate all-MiniLM-L6-v2 --task classification test.csv --train train.csv");
  verb->add_option("model", f.model, "Name from 'shoal model list', or a folder")
      ->required()
      ->type_name("MODEL");
  verb->add_option("file", f.file, "A table of the task's rows; - is standard input")
      ->required()
      ->type_name("FILE");
  add_options(*verb, session, only(option_refs(f.read), {"task"}));
  verb->get_option("--task")->required()->default_str("");
  verb->add_option("--compare", f.compare, "A further model, tried on the same; may be given more than once")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("MODEL");
  verb->add_option("--columns", f.read.columns, "The columns of FILE, parted by commas, in the task's order")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("COLUMN,...");
  verb->add_option(
          "--corpus", f.corpus,
          "retrieval: passages among which is searched besides those of FILE; with --queries: ids and "
          "texts of all")
      ->type_name("FILE");
  verb->add_option("--queries", f.queries, "retrieval: ids and texts of the queries that FILE judges")
      ->type_name("FILE");
  verb->add_option("--train", f.train, "classification: rows to learn from. Default: drawn from FILE")
      ->type_name("FILE");
  add_options(*verb, session, only(option_refs(f.read), {"split"}));
  add_options(*verb, session, option_refs(f.how));
  add_options(*verb, session, option_refs(f.encode));
  add_options(*verb, session, option_refs(f.prompts));
  add_options(*verb, session, option_refs(f.read.read));
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_evaluate(*flags, *verb, session); });
}

}  // namespace shoal::cli
