#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/steps/step.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

class StepRun {
 public:
  StepRun(Collection& collection, std::string_view rows_key, const std::vector<Step>& steps, const Run& run)
      : collection_(collection), steps_(steps), run_(run) {
    for (const Step& step : steps) {
      std::string before;
      std::vector<Index> makers;
      for (const std::string_view need : step.needs) {
        const auto maker = maker_.find(need);
        require(maker != maker_.end() || need == kRows, Fault::argument,
                "step " + std::string(step.name) + " needs " + std::string(need) +
                    ", which no step before it makes");
        if (maker == maker_.end()) {
          before += before.empty() ? "" : " ";
          before += rows_key;
        } else if (std::ranges::find(makers, maker->second) == makers.end()) {
          makers.push_back(maker->second);
          before += (before.empty() ? "" : " ") + work_[maker->second].key;
        }
      }
      for (const std::string_view made : step.makes) maker_[made] = work_.size();
      work_.push_back({.key = step_key(before, step.name,
                                       step.options ? step.options() : std::vector<Field>{}, step.version),
                       .after = std::move(makers)});
    }
  }

  std::vector<std::string> finish() {
    find_due();
    for (Index s = 0; s < steps_.size(); ++s)
      if (work_[s].due) forget(s);
    std::vector<std::string> done_before;
    for (Index s = 0; s < steps_.size(); ++s) {
      if (work_[s].due)
        do_step(s);
      else
        done_before.emplace_back(steps_[s].name);
    }
    return done_before;
  }

 private:
  struct Work {
    std::string key;
    std::vector<Index> after;  ///< the steps that make what it needs
    bool due = false;
    bool spoilt = false;  ///< it was finished, and its files are not as it left them
  };

  void find_due() {
    for (Index s = 0; s < steps_.size(); ++s) {
      Work& work = work_[s];
      const bool done = collection_.done(steps_[s].name, work.key);
      work.spoilt = done && !std::ranges::all_of(steps_[s].makes, [&](auto made) { return whole(made); });
      work.due = !done || work.spoilt;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (Index s = 0; s < steps_.size(); ++s) {
        const auto is_due = [&](Index maker) { return work_[maker].due; };
        if (!work_[s].due && std::ranges::any_of(work_[s].after, is_due)) work_[s].due = changed = true;
        if (!work_[s].due) continue;
        for (const std::string_view need : steps_[s].needs) {
          const auto maker = maker_.find(need);
          if (maker == maker_.end() || work_[maker->second].due || as_written(need)) continue;
          work_[maker->second].due = work_[maker->second].spoilt = changed = true;
        }
      }
    }
  }

  /// Whether a file that a finished step left is still there and, so far as its header tells, whole.
  bool whole(std::string_view made) const {
    if (!is_file(made)) return true;
    const fs::path path = collection_.file(made);
    if (!fs::exists(path)) return false;
    constexpr Index kMostJson = Index{256} << 20;  // bytes
    if (path.extension() == ".json") return nlohmann::json::accept(read_file(path, kMostJson));
    if (path.extension() != ".safetensors") return true;
    try {
      ArchiveReader{path};
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// Whether a file has the checksum that was kept of it; each is read once.
  bool as_written(std::string_view made) {
    if (!is_file(made) || !compared_.insert(made).second) return true;
    check_stop(run_);
    if (run_.progress) run_.progress("check", 0, 1);
    const std::string sum = collection_.manifest(checksum_key(made)).value_or("");
    const bool same = sum.empty() || sha256_file(collection_.file(made)) == sum;
    if (run_.progress) run_.progress("check", 1, 1);
    return same;
  }

  void forget(Index s) {
    const Step& step = steps_[s];
    collection_.forget_step(step.name);
    for (const std::string_view made : step.makes) {
      if (!is_file(made)) continue;
      if (collection_.manifest(checksum_key(made))) collection_.set_manifest(checksum_key(made), "");
      if (work_[s].spoilt) fs::remove(collection_.file(made));
    }
  }

  void do_step(Index s) {
    check_stop(run_);
    const Step& step = steps_[s];
    step.run(work_[s].key);
    for (const std::string_view made : step.makes)
      if (is_file(made)) collection_.set_manifest(checksum_key(made), sha256_file(collection_.file(made)));
    collection_.finish_step(step.name, work_[s].key);
  }

  Collection& collection_;
  const std::vector<Step>& steps_;
  const Run& run_;
  std::vector<Work> work_;                   // of each step
  std::map<std::string_view, Index> maker_;  // of what is made
  std::set<std::string_view> compared_;      // files that were
};

}  // namespace

std::vector<std::string> run_steps(Collection& collection, std::string_view rows_key,
                                   const std::vector<Step>& steps, const Run& run) {
  return StepRun(collection, rows_key, steps, run).finish();
}

}  // namespace shoal
