#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shoal/core/error.h"
#include "shoal/tokenize/language.h"
#include "shoal/tokenize/rust_stop_words.h"
#include "shoal/tokenize/stop_words.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

constexpr auto kStopWords = std::to_array<std::string_view>({
    "a",       "about",     "above",   "across",  "after",    "again",      "against",  "all",     "almost",
    "alone",   "along",     "already", "also",    "although", "always",     "am",       "among",   "an",
    "and",     "another",   "any",     "anyone",  "anything", "are",        "aren't",   "around",  "as",
    "at",      "away",      "be",      "became",  "because",  "become",     "been",     "before",  "behind",
    "being",   "below",     "between", "both",    "but",      "by",         "can",      "can't",   "cannot",
    "could",   "couldn't",  "did",     "didn't",  "do",       "does",       "doesn't",  "doing",   "don't",
    "done",    "down",      "during",  "each",    "either",   "else",       "enough",   "etc",     "even",
    "ever",    "every",     "few",     "for",     "from",     "further",    "get",      "gets",    "getting",
    "got",     "had",       "hadn't",  "has",     "hasn't",   "have",       "haven't",  "having",  "he",
    "her",     "here",      "hers",    "herself", "him",      "himself",    "his",      "how",     "however",
    "i",       "i'd",       "i'll",    "i'm",     "i've",     "if",         "in",       "into",    "is",
    "isn't",   "it",        "its",     "itself",  "just",     "least",      "less",     "let",     "like",
    "made",    "make",      "many",    "may",     "me",       "might",      "mine",     "more",    "most",
    "much",    "must",      "my",      "myself",  "neither",  "no",         "nor",      "not",     "nothing",
    "now",     "of",        "off",     "often",   "on",       "once",       "one",      "only",    "onto",
    "or",      "other",     "others",  "our",     "ours",     "ourselves",  "out",      "over",    "own",
    "per",     "perhaps",   "quite",   "rather",  "really",   "said",       "same",     "several", "she",
    "should",  "shouldn't", "since",   "so",      "some",     "something",  "still",    "such",    "than",
    "that",    "the",       "their",   "theirs",  "them",     "themselves", "then",     "there",   "these",
    "they",    "this",      "those",   "though",  "through",  "to",         "together", "too",     "toward",
    "towards", "under",     "until",   "up",      "upon",     "us",         "use",      "used",    "uses",
    "using",   "various",   "very",    "via",     "was",      "wasn't",     "we",       "well",    "were",
    "weren't", "what",      "when",    "where",   "whether",  "which",      "while",    "who",     "whom",
    "whose",   "why",       "will",    "with",    "within",   "without",    "won't",    "would",   "wouldn't",
    "yet",     "you",       "you'd",   "you'll",  "you're",   "you've",     "your",     "yours",   "yourself",
});
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

/// What the lists lack, parted by blanks; for Japanese what the dictionary parts off verbs.
struct More {
  std::string_view code, words;
};
constexpr auto kMore = std::to_array<More>({
    {"fr",
     "alors après aussi autre autres avant avoir car ceci cela celle celui cet cette ceux chaque chez comme "
     "comment "
     "contre deux donc dont depuis elles encore entre être fait faire ils jusque lors lorsque mais même "
     "moins non où "
     "ou parce pendant peu peut peuvent plus plusieurs pourquoi quand quel quelle quelles quels quelque "
     "quelques "
     "sans selon sera si sous souvent tandis tous tout toute toutes très trop vers voici voilà"},
    {"ja",
     "ござい ざいま ました ません でした ます です ない なかっ たい たら だっ だろう ている てい れる られる "
     "せる させる こと もの ため よう "
     "そう ところ さん くん ちゃん"},
    {"kk",
     "бұл және мен пен бен бар жоқ үшін осы сол ол олар біз сіз еді екен деп де да ма ме бір болып болды "
     "болған болады "
     "керек емес тек өте ең әр барлық кейін дейін арқылы туралы сияқты бірақ немесе егер қазір оның оны "
     "оған"},
    {"nl",
     "alle andere bent deze dit hebben hun kunnen maar nog ons onze over tot waren wij worden werd zijn "
     "zoals"},
    {"no",
     "bli blir ble eller etter flere før få får gjør ha han hun ikke inn kan kun mange mer noe noen nå også "
     "opp over "
     "seg siden skal slik som så være vært"},
    {"ru",
     "это этого этому этой этом эти этих этим этот эту эта еще ещё все всё всех всем весь вся который "
     "которая которое "
     "которые которых которым которой которого которому которую также тоже очень просто могут можно может "
     "нужно "
     "надо быть будут есть нет если когда где куда откуда зачем почему потому поэтому сейчас теперь снова "
     "опять "
     "уже лишь только свой своя своё свои своих своей своего своим свою сам сама само сами самый самая "
     "каждый "
     "каждая каждой другой другая другие других другого между около через после перед при про над под без "
     "для "
     "среди вместо из-за из-под ни не же ли бы мы вы они она оно он их ему ей им ими него неё нее нему ней "
     "ним "
     "ними наш наша наше наши наших ваш ваша ваши мой моя моё мои чтобы чем что как так то та те тех того "
     "тому "
     "той тем теми тот такой такая такие таких таким таком который кто кого кому ком ничего никто нигде "
     "никогда "
     "всегда иногда первый первая первое первые первого первой второй вторая один одна одно одни одного "
     "одной два две три год года году лет стал стала стало стали является вообще однако хотя пока затем "
     "тогда потом здесь там тут туда сюда вот"},
    {"tr",
     "bir bazı biraz böyle bütün değil dolayı fakat göre hiçbir iki ilk ise iken için kadar karşı kendi "
     "kendine nin "
     "olan olarak olduğu olduğunu oldu olması olsa olur onlar onu onun onlara önce sadece sonra şekilde "
     "tarafından "
     "üzere var yok yine zaman bunu bunun buna bunlar ben sen beni bana sana benim senin ancak ayrıca artık "
     "ile"},
    {"uk",
     "або але були було буде бути вже він вона вони його її їх їхній коли мав має мають може можна над на не "
     "ні ним них "
     "під після при про свій свої себе така таке такий такі там тим того тому ту тут у усі хто цього цьому "
     "ця це "
     "цю ці через чи що щоб як яка яке який яким які яких якого якої є ще із зі за рік року році років"},
});

struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};

/// English that stands in texts of all languages, in titles and names of firms.
constexpr std::string_view kEverywhere = "the of and for with from this that you your are is";

class Lists {
 public:
  Lists() {
    const auto& codes = known_languages();
    require(codes.size() <= LanguageSet().size(), Fault::argument, "too many languages");
    for (std::size_t l = 0; l < codes.size(); ++l) {
      const std::string& code = codes[l];
      if (code == "en") {
        for (std::string_view word : kStopWords) add(word, l, code);
        filled_.set(l);
        continue;
      }
      for (std::size_t i = 0;; ++i) {
        const ShoalStopWordBytes word = shoal_stop_word({code.data(), code.size()}, i);
        if (word.size == 0) break;
        filled_.set(l);
        add({word.data, word.size}, l, code);
      }
      add_all(kEverywhere, l, code);
      for (const More& more : kMore)
        if (more.code == code) add_all(more.words, l, code);
    }
  }

  LanguageSet of(std::string_view word) const {
    const auto at = of_.find(word);
    return at == of_.end() ? LanguageSet() : at->second;
  }
  const auto& all() const { return of_; }
  const LanguageSet& filled() const { return filled_; }

 private:
  /// As it stands in texts. What is several words is left out, but where the dictionary has parted one.
  void add(std::string_view given, std::size_t language, std::string_view code) {
    int words = 0;
    std::string only;
    visit_words(given, {.language = code == "tr" || code == "az" ? code : ""}, [&](const Word& word) {
      only = word.text;
      ++words;
    });
    if (words != 1) return;
    of_[only].set(language);
    if (std::string plain = plain_form(only); !plain.empty()) of_[plain].set(language);
  }

  void add_all(std::string_view words, std::size_t language, std::string_view code) {
    for (std::size_t at = 0; at < words.size();) {
      const std::size_t end = std::min(words.find(' ', at), words.size());
      add(words.substr(at, end - at), language, code);
      at = end + 1;
    }
  }

  std::unordered_map<std::string, LanguageSet, ViewHash, std::equal_to<>> of_;
  LanguageSet filled_;
};

const Lists& lists() {
  static const Lists lists;
  return lists;
}

}  // namespace

LanguageSet stop_languages(std::string_view word) { return lists().of(word); }

void visit_stop_words(const std::function<void(std::string_view word, const LanguageSet& languages)>& visit) {
  for (const auto& [word, languages] : lists().all()) visit(word, languages);
}

std::vector<std::string> languages_with_stop_words() {
  std::vector<std::string> out;
  for (std::size_t l = 0; l < known_languages().size(); ++l)
    if (lists().filled()[l]) out.push_back(known_languages()[l]);
  return out;
}

}  // namespace shoal
