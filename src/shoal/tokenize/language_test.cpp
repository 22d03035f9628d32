#include "shoal/tokenize/language.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace shoal {
namespace {

using Lines = std::vector<std::string>;

Texts texts_of(const Lines& lines) {
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  return texts;
}

Lines codes(const std::vector<Language>& languages) {
  Lines out;
  for (const Language& l : languages) out.push_back(l.code);
  return out;
}

TEST(Languages, OfSentences) {
  const std::pair<const char*, const char*> cases[] = {
      {"en", "The bank has raised the interest rate again this week."},
      {"ru", "Банк повысил процентную ставку на этой неделе"},
      {"uk", "Банк підвищив відсоткову ставку цього тижня"},
      {"be", "Банк павысіў працэнтную стаўку на гэтым тыдні, як ён і казаў"},
      {"bg", "Банката повиши лихвения процент тази седмица, както се очакваше"},
      {"kk", "Банк осы аптада пайыздық мөлшерлемені қайта көтерді"},
      {"sr", "Банка је поново подигла каматну стопу, али то није све"},
      {"de", "Die Bank hat den Zins in dieser Woche noch einmal erhöht"},
      {"fr", "La banque a encore relevé son taux d'intérêt cette semaine"},
      {"es", "El banco ha vuelto a subir la tasa de interés esta semana"},
      {"pt", "O banco voltou a aumentar a taxa de juros nesta semana, mas não muito"},
      {"it", "La banca ha alzato di nuovo il tasso di interesse questa settimana"},
      {"nl", "De bank heeft de rente deze week opnieuw verhoogd"},
      {"pl", "Bank ponownie podniósł w tym tygodniu stopę procentową"},
      {"cs", "Banka tento týden znovu zvýšila úrokovou sazbu"},
      {"hu", "A bank ezen a héten ismét emelte a kamatot, de nem sokat"},
      {"tr", "Banka bu hafta faiz oranını yeniden artırdı"},
      {"az", "Bank bu həftə faiz dərəcəsini yenidən artırdı"},
      {"vi", "Ngân hàng đã tăng lãi suất một lần nữa trong tuần này"},
      {"id", "Bank itu kembali menaikkan suku bunga pada minggu ini dan tidak akan menurunkannya"},
      {"ar", "رفع البنك سعر الفائدة مرة أخرى هذا الأسبوع"},
      {"fa", "بانک این هفته دوباره نرخ بهره را افزایش داد"},
      {"ur", "بینک نے اس ہفتے دوبارہ شرح سود میں اضافہ کر دیا ہے"},
      {"he", "הבנק העלה שוב את הריבית השבוע"},
      {"hi", "बैंक ने इस सप्ताह फिर से ब्याज दर बढ़ा दी है"},
      {"bn", "ব্যাংক এই সপ্তাহে আবার সুদের হার বাড়িয়েছে"},
      {"ta", "வங்கி இந்த வாரம் மீண்டும் வட்டி விகிதத்தை உயர்த்தியது"},
      {"th", "ธนาคารขึ้นอัตราดอกเบี้ยอีกครั้งในสัปดาห์นี้"},
      {"km", "ធនាគារ​ឡើង​អត្រា​ការប្រាក់"},
      {"lo", "ທະນາຄານຂຶ້ນອັດຕາດອກເບ້ຍ"},
      {"my", "ဘဏ်က အတိုးနှုန်း တိုးမြှင့်ခဲ့သည်"},
      {"ka", "ბანკმა საპროცენტო განაკვეთი გაზარდა"},
      {"ko", "은행이 이번 주에 금리를 다시 올렸다"},
      {"ja", "銀行が今週また金利を上げた"},
      {"zh", "银行利率再次上升"},
      {"el", "Η τράπεζα αύξησε ξανά το επιτόκιο"},
  };
  Texts texts;
  for (const auto& [code, text] : cases) texts.add(text);
  const auto found = detect_languages(texts, {}, {});
  for (Index i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(found[i].code, cases[i].first) << texts[i];
    EXPECT_GT(found[i].confidence, 0.3) << texts[i];
    EXPECT_LE(found[i].confidence, 1.0) << texts[i];
  }
}

TEST(Languages, NothingToTell) {
  const auto found = detect_languages(texts_of({"", "12 345", "👍 …", "\xFF\xFE", std::string("\0", 1)}), {});
  EXPECT_EQ(codes(found), Lines(5, ""));
  for (const Language& l : found) EXPECT_EQ(l.confidence, 0);
  EXPECT_TRUE(detect_languages(Texts(), {}).empty());
  EXPECT_TRUE(sample_languages(Texts(), {}).empty());
}

TEST(Languages, TheCollectionDecidesForShortTexts) {
  Lines spanish(20, "El banco ha vuelto a subir la tasa de interés esta semana");
  Lines english(20, "The bank has raised the interest rate again this week");
  for (Lines* lines : {&spanish, &english}) lines->push_back("radio");
  EXPECT_EQ(detect_languages(texts_of(spanish), {}).back().code, "es");
  EXPECT_EQ(detect_languages(texts_of(english), {}).back().code, "en");
  const auto japanese =
      detect_languages(texts_of({"東京都の天気は晴れ", "日本銀行の金利政策", "東京都"}), {});
  EXPECT_EQ(japanese.back().code, "ja");
  EXPECT_EQ(detect_languages(texts_of({"東京都"}), {})[0].code, "zh");
}

TEST(Languages, MixedSetsAreDetectedTextByText) {
  const auto found =
      detect_languages(texts_of({"the cat sat on the mat", "кошка спит на диване и не хочет есть",
                                 "die Katze ist auf dem Sofa"}),
                       {});
  EXPECT_EQ(codes(found), (Lines{"en", "ru", "de"}));
  const auto counted = count_languages(found);
  ASSERT_EQ(counted.size(), 3u);
  EXPECT_EQ(counted[0].code, "de");
  EXPECT_EQ(counted[0].texts, 1);
}

TEST(Languages, SameForAnyThreads) {
  Texts texts;
  for (int i = 0; i < 3000; ++i)
    texts.add(i % 3 == 0   ? "una casa en la montaña " + std::to_string(i)
              : i % 3 == 1 ? "uma casa na montanha " + std::to_string(i)
                           : "maison " + std::to_string(i));
  const auto one = detect_languages(texts, {.threads = 1}), three = detect_languages(texts, {.threads = 3});
  EXPECT_EQ(codes(one), codes(three));
  for (Index i = 0; i < texts.size(); ++i) EXPECT_EQ(one[i].confidence, three[i].confidence);
}

TEST(Languages, KnownOnesAreSorted) {
  EXPECT_GT(known_languages().size(), 80u);
  EXPECT_TRUE(std::ranges::is_sorted(known_languages()));
}

}  // namespace
}  // namespace shoal
