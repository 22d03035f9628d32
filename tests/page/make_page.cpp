// Writes pages of invented but plausible data with the real writer: make_page KIND FILE [ROWS [REPORT]].
// KIND: plain, hostile, empty, one, same (all points equal), unplaced (no points), many (2,000 clusters),
// cut (row 0 is longer than the page may hold), noise (every row is in no cluster), far (small islands far
// out), words (words that move, at 6 times; the first ones hostile). REPORT: JSON on the clusters.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numbers>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/map/page.h"
#include "shoal/map/words_page.h"
#include "shoal/store/archive/archive.h"

namespace {

using shoal::Index;

struct Theme {
  const char* group;
  std::vector<const char*> topics;
};

const std::vector<Theme>& themes() {
  static const std::vector<Theme> all = {
      {"Kitchen",
       {"sourdough bread", "knife sharpening", "cast iron pans", "pickled vegetables", "coffee grinders"}},
      {"Garden",
       {"tomato seedlings", "compost heaps", "rose pruning", "greenhouse heating", "slug control", "bulbs"}},
      {"Travel", {"night trains", "lost luggage", "mountain huts", "ferry timetables", "visa questions"}},
      {"Music",
       {"violin strings", "choir rehearsals", "vinyl pressing", "synthesizers", "film scores", "drum kits"}},
      {"Sport", {"marathon training", "climbing gyms", "cycling routes", "sailing knots", "table tennis"}},
      {"Health",
       {"sleep diaries", "back pain", "hay fever", "vaccination cards", "hearing aids", "physiotherapy"}},
      {"Money", {"tax returns", "rental deposits", "pension funds", "currency exchange", "card refunds"}},
      {"Science",
       {"exoplanet transits", "coral reefs", "sea ice", "gut bacteria", "perovskite cells",
        "bird migration"}},
      {"Software",
       {"memory safety", "build systems", "font rendering", "package mirrors", "log rotation",
        "code review"}},
      {"Home", {"heat pumps", "squeaky floors", "window seals", "paint removal", "smoke alarms"}},
  };
  return all;
}

constexpr const char* kOpenings[] = {"How to choose",          "A question about", "Notes on",
                                     "What nobody says about", "Trouble with",     "Ten years of",
                                     "In praise of",           "A short guide to"};
constexpr const char* kEndings[] = {"for beginners",       "in a small flat",   "after the winter",
                                    "that actually works", "on a budget",       "with children",
                                    "and its limits",      "when time is short"};
constexpr const char* kRegions[] = {"north", "south", "east", "west", "centre", "coast", "islands"};

/// Draws one after the other: enough for a picture.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(shoal::Seed{seed}) {}
  double uniform() { return random_.uniform(next_++); }
  double normal() { return random_.normal((std::uint64_t{1} << 40) + next_++); }

 private:
  shoal::Random random_;
  std::uint64_t next_ = 0;
};

struct Invented {
  shoal::PageData page;
  std::vector<std::string> texts, regions;
};

void add_clusters(Invented& out, Index repeat) {
  for (Index copy = 0; copy < repeat; ++copy)
    for (Index g = 0; g < themes().size(); ++g) {
      if (copy == 0) out.page.groups.push_back({.name = themes()[g].group});
      for (const char* topic : themes()[g].topics) {
        const std::string name = copy == 0 ? topic : topic + (" " + std::to_string(copy));
        out.page.clusters.push_back({.name = name, .group = static_cast<shoal::Label>(g)});
        std::string& words = out.page.clusters.back().words.emplace_back(topic);
        out.page.clusters.back().words.push_back(words.substr(0, words.find(' ')));
        out.page.clusters.back().words.insert(out.page.clusters.back().words.end(),
                                              {"guide", "question", "budget"});
      }
    }
}

/// A few bent islands a cluster, neighbours in a group, a tenth of noise with heavy tails.
void add_rows(Invented& out, Index rows) {
  Draws random(7);
  const Index count = out.page.clusters.size();
  out.page.points = shoal::Matrix(rows, 2);
  out.page.labels.count = count;
  for (Index i = 0; i < rows; ++i) {
    const Index c = static_cast<Index>(std::pow(random.uniform(), 1.7) * count) * 37 % count;
    const bool noise = random.uniform() < 0.1;
    const double group = out.page.clusters[c].group * 2 * std::numbers::pi / themes().size();
    Draws place(4 * c + (noise ? 0 : 1 + static_cast<std::uint64_t>(random.uniform() * 2.6)) + 1000);
    const double angle = group + 0.2 * place.normal(), far = 6.5 + 1.6 * place.normal();
    const double along = random.normal(), across = random.normal(), turn = 3 * place.uniform();
    const double wide = noise ? 1.2 / (0.25 + random.uniform()) : 0.75, thin = noise ? wide : 0.22;
    out.page.points[i][0] =
        static_cast<float>(1.3 * far * std::cos(angle) + wide * along * std::cos(turn) - thin * across);
    out.page.points[i][1] =
        static_cast<float>(far * std::sin(angle) + wide * along * std::sin(turn) + thin * across);
    out.page.labels.of.push_back(noise ? shoal::kNoise : static_cast<shoal::Label>(c));
    const auto pick = [&](auto& from) {
      return from[static_cast<Index>(random.uniform() * std::size(from))];
    };
    out.texts.push_back(std::string(pick(kOpenings)) + " " + out.page.clusters[c].name + " " +
                        pick(kEndings) + ", part " + std::to_string(i));
    out.regions.push_back(
        kRegions[static_cast<Index>(std::pow(random.uniform(), 1.5) * std::size(kRegions))]);
  }
}

void count_clusters(shoal::PageData& page) {
  for (Index i = 0; i < page.labels.of.size(); ++i) {
    const shoal::Label label = page.labels.of[i];
    if (label == shoal::kNoise) continue;
    auto& cluster = page.clusters[label];
    ++cluster.size;
    ++page.groups[cluster.group].size;
    if (cluster.medoids.size() < 3) cluster.medoids.push_back(i);
  }
}

/// What must never be read as markup, a formula, a separator, or text in one direction only.
void add_hostile(Invented& out) {
  const std::string hostile[] = {
      "</script><script>window.broken = 1</script>",
      "<!--DATA--><!-- <script> -->",
      "<img src=x onerror=\"window.broken = 1\">",
      std::string("a NUL \0 inside", 14),
      "broken UTF-8: \xff\xfe \xc3( \xed\xa0\x80 end",
      "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\xa2\xd7\x95\xd7\x9c\xd7\x9d right to left",
      "family \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 and flag "
      "\xf0\x9f\x87\xaa\xf0\x9f\x87\xba",
      "=HYPERLINK(\"http://example.org\",\"click\")",
      "+1+1, \"quoted\", and a comma",
      "-2\r\nsecond line\nthird line",
      "@SUM(A1:A9)",
      "\tstarts with a tab",
      "line separators \xe2\x80\xa8 and \xe2\x80\xa9 inside",
      "\xc4\xb0STANBUL with a dotted capital I",
      std::string(100000, 'x'),
      "",
      "   ",
      "$& $1 \\u003c \\n `${window.broken = 1}`",
  };
  for (Index i = 0; i < std::size(hostile); ++i) out.texts[i] = hostile[i], out.regions[i] = hostile[i];
  out.page.title = "Hostile </title><script>window.broken = 1</script> & co";
  out.page.made_by = "<b>nobody</b> \xe2\x80\xa8";
  out.page.clusters[0].name = "</script><script>window.broken = 1</script>";
  out.page.clusters[0].words = {"<i>", "\xff", ""};
  out.page.groups[0].name = "<!-- group";
  out.page.points[20][0] = std::nanf("");
  out.page.points[21][1] = INFINITY;
}

Invented invent(const std::string& kind, Index rows) {
  Invented out;
  out.page.title = "Letters to the editor";
  out.page.made_by = "shoal " SHOAL_VERSION ", invented data for tests";
  if (kind != "empty") {
    add_clusters(out, kind == "many" ? 37 : 1);
    add_rows(out, kind == "one" ? 1 : rows);
  }
  if (kind == "hostile") add_hostile(out);
  if (kind == "cut") {
    out.texts[0] = "beginning " + std::string(1000, 'x') + " hidden";
    out.page.text_budget = 0;
  }
  if (kind == "far")  // three in a hundred
    for (Index i = 0; i < rows; ++i)
      if (i % 33 == 7) {
        out.page.points[i][0] += i % 2 == 0 ? 60.f : -45.f;
        out.page.points[i][1] += i % 4 < 2 ? 50.f : -30.f;
      }
  if (kind == "same") std::fill_n(out.page.points.data(), 2 * out.page.points.rows(), 3.25f);
  if (kind == "noise") {
    out.page.labels = {std::vector<shoal::Label>(rows, shoal::kNoise), 0};
    out.page.clusters.clear();
    out.page.groups.clear();
  }
  if (kind == "strange")  // a row in a hundred, and those beside it
    out.page.layers.push_back(
        {"how strange", {"0 to 90%", "90 to 99%", "99 to 100%"}, [](Index first, Index count) {
           shoal::Texts values;
           for (Index i = first; i < first + count; ++i)
             values.add(i % 100 == 3 ? "99 to 100%" : i % 10 == 3 ? "90 to 99%" : "0 to 90%");
           return values;
         }});
  if (kind == "unplaced") out.page.points = shoal::Matrix();
  count_clusters(out.page);
  return out;
}

shoal::Texts part(const std::vector<std::string>& all, Index first, Index count) {
  shoal::Texts texts;
  for (Index i = first; i < first + count; ++i) texts.add(all[i]);
  return texts;
}

/// Words that begin anywhere and gather in seven heaps; the nearest are the next ones of the same heap.
shoal::WordsPageData invent_words(Index rows) {
  constexpr Index kTimes = 6, kNear = 3, kHeaps = 7;
  const char* hostile[] = {"</script><script>window.broken = 1</script>",
                           "<img src=x onerror=\"window.broken = 1\">",
                           "<!--DATA-->",
                           "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                           "broken \xff\xfe",
                           "&lt;b&gt; $& `${1}`"};
  shoal::WordsPageData out;
  out.title = "Words </title><b> & co";
  out.subtitle = "invented";
  out.made_by = "shoal " SHOAL_VERSION;
  out.layout = "Invented.";
  out.notes = {"Training was stopped <b>early</b>."};
  for (Index i = 0; i < rows; ++i)
    out.words.add(i < std::size(hostile) ? hostile[i] : "word" + std::to_string(i));
  for (Index t = 0; t < kTimes; ++t) {
    Draws random(3);
    const double there = static_cast<double>(t) / (kTimes - 1);
    out.epochs.push_back(2 * t);
    shoal::Matrix map(rows, 2);
    shoal::Neighbours near{kNear, {}, {}};
    for (Index i = 0; i < rows; ++i) {
      const double angle = 2 * std::numbers::pi * (i % kHeaps) / kHeaps;
      const double x = 3 * random.uniform() - 1.5, y = 3 * random.uniform() - 1.5;
      map[i][0] = static_cast<float>(there * (4 * std::cos(angle) + 0.4 * x) + (1 - there) * x);
      map[i][1] = static_cast<float>(there * (4 * std::sin(angle) + 0.4 * y) + (1 - there) * y);
      for (Index k = 1; k <= kNear; ++k) {
        near.id.push_back(static_cast<std::uint32_t>((i + (t < 2 ? k : kHeaps * k)) % rows));
        near.distance.push_back(static_cast<float>(1 - 0.8 * there / k));
      }
    }
    out.points.push_back(std::move(map));
    out.near.push_back(std::move(near));
  }
  out.curves = {{"loss", "what is made small", {2, 4, 6, 8, 10}, {0.5, 0.1, -0.1, -0.2, -0.25}},
                {"uniformity", "0 is a collapse", {0, 2, 4, 6, 8, 10}, {-3.9, -3.2, -3, -2.9, -2.85, -2.8}}};
  out.chosen = {6};
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "make_page KIND FILE [ROWS [REPORT]]\n";
    return 2;
  }
  try {
    if (std::string_view(arguments[1]) == "words") {
      shoal::write_file(
          arguments[2],
          shoal::words_page(invent_words(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 500)));
      return 0;
    }
    Invented all = invent(arguments[1], count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 2000);
    all.page.texts = [&](Index first, Index n) { return part(all.texts, first, n); };
    all.page.column_name = "region";
    all.page.column = [&](Index first, Index n) { return part(all.regions, first, n); };
    if (std::string_view(arguments[1]) == "strange")
      all.page.plots = {{"Drift over time",
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 20\"><title>50% &amp; "
                         "more #1</title><rect width=\"40\" height=\"20\" fill=\"#c33\"/></svg>"}};
    if (count > 4) all.page.report = shoal::read_file(arguments[4], Index{1} << 30);
    write_page(arguments[2], all.page);
  } catch (const shoal::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.fault);
  }
}
