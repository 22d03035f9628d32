#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/explain/ctfidf.h"
#include "shoal/tokenize/language.h"

namespace shoal {
namespace {

using Lines = std::vector<std::string>;
using Groups = std::vector<Lines>;

/// The names of clusters, each of the lines of one group, as `map` finds them.
Lines names_of(const Groups& groups, const CtfidfOptions& options = {.min_count = 1}) {
  Texts texts;
  std::vector<Label> labels;
  for (Index g = 0; g < groups.size(); ++g)
    for (const std::string& line : groups[g]) {
      texts.add(line);
      labels.push_back(static_cast<Label>(g));
    }
  Ctfidf counted(groups.size(), options, sample_languages(texts, {}));
  counted.add(texts, labels.data(), {});
  Lines out;
  for (const auto& words : counted.top_words()) out.push_back(cluster_name(words));
  return out;
}

Lines case_lines(const std::string& name) {
  std::ifstream file(std::filesystem::path(SHOAL_SOURCE) / "tests/cases" / name);
  EXPECT_TRUE(file) << name;
  Lines out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

/// The lines of a case as groups: group of line i is `of[i % of.size()]`.
Groups grouped(const Lines& lines, const std::vector<Index>& of) {
  Groups out(*std::ranges::max_element(of) + 1);
  for (Index i = 0; i < lines.size(); ++i) out[of[i % of.size()]].push_back(lines[i]);
  return out;
}

bool holds(const std::string& name, std::string_view part) { return name.find(part) != std::string::npos; }

TEST(Names, Russian) {
  const Lines names = names_of(grouped(case_lines("rus.txt"), {0, 0, 0, 1, 1, 1, 2, 2, 2}));
  EXPECT_TRUE(holds(names[0], "банк")) << names[0];
  EXPECT_TRUE(holds(names[1], "кошка")) << names[1];
  EXPECT_TRUE(holds(names[2], "ракет")) << names[2];
  for (const std::string& name : names)
    for (const char* word : {"было", "тот", "это", "раз", "этом", " не "})
      EXPECT_FALSE(holds(name, word)) << name;
}

TEST(Names, ChineseAndJapanese) {
  const Lines names =
      names_of(grouped(case_lines("cjk.txt"), {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8}));
  EXPECT_TRUE(holds(names[0], "野党") && holds(names[0], "国会")) << names[0];
  EXPECT_TRUE(holds(names[2], "東京") && holds(names[2], "天気")) << names[2];
  EXPECT_TRUE(holds(names[3], "金利")) << names[3];
  EXPECT_TRUE(holds(names[5], "银行") && holds(names[5], "利率")) << names[5];
  EXPECT_TRUE(holds(names[6], "火箭")) << names[6];
  EXPECT_TRUE(holds(names[7], "猫")) << names[7];
  EXPECT_TRUE(holds(names[8], "股票")) << names[8];
  for (const std::string& name : names) EXPECT_FALSE(name.empty());
}

TEST(Names, NewsIsNotNew) {
  Groups groups(2);
  for (const std::string& line : case_lines("news.txt")) groups[!holds(line, "news")].push_back(line);
  const Lines names = names_of(groups);
  EXPECT_TRUE(holds(names[0], "news")) << names[0];
  EXPECT_TRUE(names[1].starts_with("new ") || names[1] == "new" || holds(names[1], "new")) << names[1];
  EXPECT_FALSE(holds(names[1], "news")) << names[1];
}

TEST(Names, AClusterShowsAFormThatItHolds) {
  const Groups groups = {{"one cat here", "the cat there", "my cat"},
                         {"cats sleep", "cats play", "two cats"},
                         {"a dog", "dogs", "the dog barks"}};
  Lines all;
  for (const auto& name : names_of(groups)) all.push_back(name);
  EXPECT_FALSE(holds(all[0], "cats")) << all[0];
  EXPECT_TRUE(all[1].empty() || !holds(all[1], "cat ")) << all[1];
  EXPECT_TRUE(holds(all[2], "dog")) << all[2];
}

TEST(Names, PluralsJoinWhereTheTextsUseThemAlike) {
  const Groups groups = {{"a cat", "cats", "the cat", "cats"}, {"a dog", "dogs", "the dog", "cat and dogs"}};
  Texts texts;
  std::vector<Label> labels;
  for (Index g = 0; g < 2; ++g)
    for (const std::string& line : groups[g]) texts.add(line), labels.push_back(static_cast<Label>(g));
  Ctfidf counted(2, {.max_ngram = 1, .min_count = 1});
  counted.add(texts, labels.data(), {});
  EXPECT_EQ(counted.top_words()[0].size(), 1u);
  EXPECT_EQ(counted.top_words()[1].size(), 1u);
}

TEST(Names, Turkish) {
  const Lines names = names_of(grouped(case_lines("tr.txt"), {0, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_TRUE(holds(names[0], "istanbul")) << names[0];
  EXPECT_TRUE(holds(names[1], "ısparta")) << names[1];
  for (const std::string& name : names) EXPECT_FALSE(holds(name, "çok") || holds(name, "bir ")) << name;
}

TEST(Names, LongWordsStay) {
  const Lines names = names_of(grouped(case_lines("longw.txt"), {0, 1, 2, 3, 4}));
  EXPECT_TRUE(holds(names[0], "പ്രധാനമന്ത്രിയുടെ")) << names[0];
  EXPECT_TRUE(holds(names[1], "ప్రధానమంత్రిని")) << names[1];
  EXPECT_TRUE(holds(names[2], "തിരുവനന്തപുരത്തുനിന്ന്")) << names[2];
  EXPECT_TRUE(holds(names[3], "частнопредпринимательского")) << names[3];
  EXPECT_TRUE(holds(names[4], "сельскохозяйственного")) << names[4];
}

TEST(Names, KhmerBesideEnglish) {
  const Lines names = names_of(grouped(case_lines("khmer_mixed.txt"), {0, 0, 1, 1}));
  EXPECT_TRUE(holds(names[0], "ឆ្មា") || holds(names[0], "cat")) << names[0];
  EXPECT_TRUE(holds(names[1], "ធនាគារ") || holds(names[1], "bank")) << names[1];
  for (const std::string& name : names) EXPECT_FALSE(holds(name, "\u200B")) << name;
}

TEST(Names, MarkupIsNoWordUnlessAsked) {
  Groups groups(2);
  for (const std::string& line : case_lines("half.csv"))
    if (line != "text") groups[holds(line, "<p")].push_back(line);
  const Lines names = names_of(groups);
  EXPECT_TRUE(holds(names[0], "cat")) << names[0];
  EXPECT_TRUE(holds(names[1], "bank") || holds(names[1], "rate") || holds(names[1], "stock")) << names[1];
  for (const char* word : {"nbsp", "lead", "https", "example", "utm", "rss", "twitter", "user", "rt "})
    EXPECT_FALSE(holds(names[1] + " ", word)) << names[1];
  const Lines kept = names_of(groups, {.n_words = 30, .min_count = 1, .keep_markup = true});
  EXPECT_TRUE(holds(kept[1], "amp") || holds(kept[1], "class") || holds(kept[1], "br")) << kept[1];
}

TEST(Names, NumbersUnlessAsked) {
  const Groups groups = {{"2024 ٢٠٢٤ cat", "2024 cat"}, {"1999 dog", "1999 dog"}};
  EXPECT_EQ(names_of(groups), (Lines{"cat", "dog"}));
  EXPECT_TRUE(holds(names_of(groups, {.min_count = 1, .keep_numbers = true})[1], "1999"));
}

TEST(Names, AMadeUpLanguageWithoutAList) {
  // zu, ka and mip stand in every second text, whatever it is about.
  Groups groups;
  for (const char* topic : {"borlan", "fidrek", "gupsot", "hamwin"}) {
    Lines lines;
    for (int i = 0; i < 30; ++i)
      lines.push_back(std::string(i % 2 ? "zuva " : "kare ") + (i % 3 ? topic : "nelo") +
                      (i % 2 ? " kare " : " zuva ") + "x" + std::to_string(i) + "q" + (i % 3 ? " mip" : ""));
    groups.push_back(lines);
  }
  const Lines names = names_of(groups, {});
  EXPECT_EQ(names, (Lines{"borlan", "fidrek", "gupsot", "hamwin"}));
}

TEST(Names, MixedSetsHaveTheStopWordsOfEachText) {
  const Groups groups = {
      {"die Katze schläft auf dem Sofa", "die Katze trinkt und die Milch ist warm",
       "der Hund jagt die Katze"},
      {"the soldiers die at the front", "people die there every day", "they die from hunger and the cold"}};
  const Lines names = names_of(groups);
  EXPECT_TRUE(holds(names[0], "katze")) << names[0];
  EXPECT_FALSE(holds(names[0], "die ")) << names[0];
  EXPECT_TRUE(holds(names[1], "die")) << names[1];
}

struct Case {
  const char* language;
  Groups groups;
  Lines expected;  // in the name of each group
  Lines never;
};

TEST(Names, InOtherLanguages) {
  const std::vector<Case> cases = {
      {"Vietnamese",
       {{"ngân hàng tăng lãi suất", "lãi suất của ngân hàng lại tăng",
         "ngân hàng đã cho vay với lãi suất cao"},
        {"con mèo đang ngủ trên ghế", "con mèo của tôi bắt chuột", "mèo đen và con chuột"}},
       {"ngân hàng", "mèo"},
       {"của", "đã", "và"}},
      {"Greek",
       {{"η τράπεζα αύξησε το επιτόκιο", "το επιτόκιο της τράπεζας ανέβηκε", "ΤΟ ΕΠΙΤΟΚΙΟ ΚΑΙ Η ΤΡΑΠΕΖΑ"},
        {"η γάτα κοιμάται στον καναπέ", "η γάτα μου έπιασε ένα ποντίκι", "μια μαύρη γάτα και το ποντίκι"}},
       {"επιτόκιο", "γάτα"},
       {"της", "και ", "το "}},
      {"Hebrew",
       {{"הבנק העלה את הריבית", "הריבית של הבנק עלתה", "הבנק נלחם על הריבית"},
        {"החתול ישן על הספה", "החתול שלי תפס עכבר", "חתול שחור והעכבר של החתול"}},
       {"הריבית", "חתול"},
       {"של", "את"}},
      {"Arabic",
       {{"رفع البنك سعر الفائدة", "سعر الفائدة في البنك ارتفع", "البنك المركزي وسعر الفائدة"},
        {"القطة تنام على الأريكة", "قطتي أمسكت بالفأر", "القطة السوداء في الشارع"}},
       {"الفائدة", "القطة"},
       {"في ", "على "}},
      {"Persian",
       {{"بانک نرخ بهره را بالا می\u200Cبرد", "نرخ بهره بانک بالا رفت",
         "بانک برای نرخ بهره تصمیم می\u200Cگیرد"},
        {"گربه روی مبل می\u200Cخوابد", "گربه من یک موش گرفت", "گربه سیاه و موش"}},
       {"بهره", "گربه"},
       {"برای", "را "}},
      {"Korean",
       {{"은행이 금리를 올렸다", "중앙은행의 금리 인상", "은행은 금리를 다시 올렸다"},
        {"고양이가 소파에서 잔다", "우리 고양이가 쥐를 잡았다", "검은 고양이가 길을 건넜다"}},
       {"금리", "고양이"},
       {}},
      {"Tamil",
       {{"வங்கி வட்டி விகிதத்தை உயர்த்தியது", "வங்கி வட்டி மீண்டும் உயர்ந்தது", "மத்திய வங்கி வட்டி"},
        {"பூனை சோபாவில் தூங்குகிறது", "என் பூனை எலியை பிடித்தது", "கருப்பு பூனை"}},
       {"வங்கி", "பூனை"},
       {}},
      {"Bengali",
       {{"ব্যাংক সুদের হার বাড়িয়েছে", "ব্যাংক আবার সুদের হার বাড়াল", "কেন্দ্রীয় ব্যাংক এবং সুদের হার"},
        {"বিড়াল সোফায় ঘুমায়", "আমার বিড়াল ইঁদুর ধরেছে", "কালো বিড়াল"}},
       {"সুদের", "বিড়াল"},
       {"এবং"}},
      {"Hindi",
       {{"बैंक ने ब्याज दर बढ़ाई", "बैंक की ब्याज दर फिर बढ़ी", "केंद्रीय बैंक और ब्याज दर"},
        {"बिल्ली सोफे पर सोती है", "मेरी बिल्ली ने चूहा पकड़ा", "काली बिल्ली और चूहा"}},
       {"ब्याज", "बिल्ली"},
       {"और"}},
      {"German",
       {{"Die Bank erhöht den Leitzinssatz", "der Leitzinssatz der Bank ist höher", "Leitzinssatz und Bank"},
        {"Die Straße ist gesperrt", "auf der Straße ist ein Unfall", "Unfall mit Übermüdung auf der Straße"}},
       {"leitzinssatz", "straße"},
       {"der ", "und "}},
      {"Polish",
       {{"bank podniósł stopę procentową", "stopa procentowa banku znów wzrosła", "bank i stopa procentowa"},
        {"kot śpi na kanapie", "nasz kot złapał mysz", "czarny kot i mysz"}},
       {"bank", "kot"},
       {"na ", "i "}},
      {"Ukrainian",
       {{"Банк підвищив відсоткову ставку", "ставка банку знову зросла, і це не все", "банк та його ставка"},
        {"Кішка спить на дивані", "наша кішка спіймала мишу", "чорна кішка і миша"}},
       {"банк", "кішка"},
       {"це", "та "}},
      {"Thai",
       {{"ธนาคารขึ้นอัตราดอกเบี้ย", "ดอกเบี้ยของธนาคารสูงขึ้น", "ธนาคารกลางและดอกเบี้ย"},
        {"แมวนอนบนโซฟา", "แมวของฉันจับหนู", "แมวดำข้ามถนน"}},
       {"ดอกเบี้ย", "แมว"},
       {"และ", "ของ"}},
      {"Burmese",
       {{"ဘဏ်က အတိုးနှုန်း တိုးမြှင့်ခဲ့သည်", "ဘဏ်အတိုးနှုန်း", "ဗဟိုဘဏ်နှင့် အတိုးနှုန်း"},
        {"ကြောင်က ဆိုဖာပေါ်မှာ အိပ်နေသည်", "ကြောင်နက်", "ကြောင်က ကြွက်ကို ဖမ်းသည်"}},
       {"ဘဏ်", "ကြောင်"},
       {}},
      {"Lao",
       {{"ທະນາຄານຂຶ້ນອັດຕາດອກເບ້ຍ", "ດອກເບ້ຍທະນາຄານ", "ທະນາຄານກາງ"}, {"ແມວນອນຢູ່ເທິງໂຊຟາ", "ແມວດຳ", "ແມວຈັບໜູ"}},
       {"ທະນາຄານ", "ແມວ"},
       {}},
      {"French",
       {{"La banque relève l'intérêt", "l’intérêt de la banque est élevé", "banque et intérêt"},
        {"L'eau du fleuve monte", "le niveau de l'eau est haut", "de l'eau dans la ville"}},
       {"intérêt", "eau"},
       {"l'", "de ", "est"}},
  };
  for (const Case& c : cases) {
    const Lines names = names_of(c.groups);
    for (Index g = 0; g < names.size(); ++g) {
      EXPECT_TRUE(holds(names[g], c.expected[g])) << c.language << ": " << names[g];
      for (const std::string& word : c.never)
        EXPECT_FALSE(holds(names[g] + " ", " " + word) || names[g].starts_with(word))
            << c.language << ": " << names[g];
    }
  }
}

TEST(Names, WrongLanguage) {
  EXPECT_THROW(Ctfidf(1, {.language = "klingon"}), Error);
  EXPECT_NO_THROW(Ctfidf(1, {.language = "ru"}));
}

}  // namespace
}  // namespace shoal
