"""How often shoal finds the encoding of a file: texts of many languages, written by Python in the encodings that
their readers use, from one line to hundreds.

    tests/files/encodings.py DUMP_TEXTS DATA [--markdown]

DATA is the folder of data sets (sib200, tatoeba). An answer is right if every text comes out as it went in. For each
language, encoding and number of lines, 20 files (fewer if the texts end); a text that the encoding cannot write is left
out. Exit status 1 if fewer are right than `AT_LEAST` asks."""
import argparse
import collections
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

LANGUAGES = {
    "English": ("sib200/eng_Latn_train.csv", ["cp1252", "utf_16_le", "utf_16_be", "utf_32_le"]),
    "German": ("sib200/deu_Latn_train.csv", ["latin_1", "cp1252", "utf_16_le"]),
    "French": ("sib200/fra_Latn_train.csv", ["latin_1", "cp1252"]),
    "Spanish": ("sib200/spa_Latn_train.csv", ["latin_1", "cp1252"]),
    "Italian": ("sib200/ita_Latn_train.csv", ["latin_1", "cp1252"]),
    "Portuguese": ("sib200/por_Latn_train.csv", ["latin_1", "cp1252"]),
    "Polish": ("sib200/pol_Latn_train.csv", ["cp1250", "iso8859_2"]),
    "Turkish": ("sib200/tur_Latn_train.csv", ["cp1254", "iso8859_9"]),
    "Russian": ("sib200/rus_Cyrl_train.csv", ["cp1251", "koi8_r", "iso8859_5", "cp866", "utf_16_be"]),
    "Ukrainian": ("sib200/ukr_Cyrl_train.csv", ["cp1251", "koi8_u"]),
    "Arabic": ("sib200/arb_Arab_train.csv", ["cp1256", "iso8859_6"]),
    "Chinese": ("sib200/zho_Hans_train.csv", ["gbk", "gb18030", "big5", "utf_16_le", "utf_16_be"]),
    "Japanese": ("sib200/jpn_Jpan_train.csv", ["shift_jis", "euc_jp", "iso2022_jp", "utf_16_le"]),
}
# Languages that the data sets lack.
SENTENCES = {
    "Korean": (["euc_kr", "cp949", "utf_16_le"], """오늘은 날씨가 아주 좋습니다
저는 어제 친구와 함께 영화를 보았습니다
이 제품은 배송이 너무 늦어서 실망했습니다
은행이 금리를 다시 올렸다고 합니다
고양이가 소파 위에서 자고 있어요
새로운 로켓이 궤도에 진입했습니다
내일 아침에 회의가 있습니다
김치찌개를 맛있게 끓이는 방법을 알려 주세요
서비스가 친절하고 음식도 맛있었어요
비가 오면 집에서 책을 읽습니다"""),
    "Greek": (["cp1253", "iso8859_7"], """Ο καιρός σήμερα είναι πολύ καλός
Η γάτα κοιμάται πάνω στον καναπέ
Το προϊόν έφτασε με μεγάλη καθυστέρηση
Η τράπεζα αύξησε ξανά τα επιτόκια
Χθες είδα μια ταινία με τους φίλους μου
Ο πύραυλος μπήκε σε τροχιά
Το φαγητό ήταν νόστιμο και η εξυπηρέτηση ευγενική
Αύριο το πρωί έχουμε συνάντηση
Όταν βρέχει διαβάζω βιβλία στο σπίτι
Πού μπορώ να αγοράσω ένα εισιτήριο;"""),
    "Hebrew": (["cp1255", "iso8859_8"], """מזג האוויר היום יפה מאוד
החתול ישן על הספה
המוצר הגיע באיחור רב
הבנק העלה שוב את הריבית
אתמול ראיתי סרט עם חברים
הטיל נכנס למסלול
האוכל היה טעים והשירות אדיב
מחר בבוקר יש לנו פגישה
כשיורד גשם אני קורא ספרים בבית
איפה אפשר לקנות כרטיס"""),
    "Thai": (["cp874", "tis_620"], """วันนี้อากาศดีมาก
แมวนอนหลับอยู่บนโซฟา
สินค้ามาถึงช้ามาก
ธนาคารขึ้นดอกเบี้ยอีกครั้ง
เมื่อวานฉันดูหนังกับเพื่อน
จรวดเข้าสู่วงโคจรแล้ว
อาหารอร่อยและบริการดี
พรุ่งนี้เช้ามีประชุม
เวลาฝนตกฉันอ่านหนังสืออยู่บ้าน
ซื้อตั๋วได้ที่ไหน"""),
    "Czech": (["cp1250", "iso8859_2"], """Dnes je velmi hezké počasí
Kočka spí na pohovce
Zboží přišlo s velkým zpožděním
Banka znovu zvýšila úrokové sazby
Včera jsem viděl film s přáteli
Raketa dosáhla oběžné dráhy
Jídlo bylo chutné a obsluha příjemná
Zítra ráno máme schůzku
Když prší, čtu si doma knížky
Kde si můžu koupit jízdenku?"""),
    "Hungarian": (["cp1250", "iso8859_2"], """Ma nagyon szép idő van
A macska a kanapén alszik
A termék nagy késéssel érkezett meg
A bank ismét megemelte a kamatokat
Tegnap megnéztem egy filmet a barátaimmal
A rakéta pályára állt
Az étel finom volt, a kiszolgálás kedves
Holnap reggel megbeszélésünk lesz
Ha esik az eső, otthon könyvet olvasok
Hol lehet jegyet venni?"""),
    "Bulgarian": (["cp1251", "iso8859_5"], """Днес времето е много хубаво
Котката спи на дивана
Стоката пристигна с голямо закъснение
Банката отново повиши лихвите
Вчера гледах филм с приятели
Ракетата влезе в орбита
Храната беше вкусна, а обслужването любезно
Утре сутринта имаме среща
Когато вали, чета книги у дома
Къде мога да купя билет?"""),
    "Swedish": (["latin_1", "cp1252"], """Vädret är mycket fint idag
Katten sover på soffan
Varan kom fram alldeles för sent
Banken höjde räntan igen
Igår såg jag en film med mina vänner
Raketen nådde sin bana
Maten var god och servicen trevlig
I morgon bitti har vi möte på jobbet
När det regnar läser jag böcker hemma
Var kan jag köpa en biljett till tåget?"""),
}
LINES = (1, 3, 10, 100)
FILES = 20
AT_LEAST = {1: 0.85, 3: 0.95, 10: 0.97, 100: 0.98}


def sentences_of(language, encoding):
    lines = SENTENCES[language][1].split("\n")
    out = []
    for line in lines:
        try:
            if any(ord(c) > 127 for c in line) and line.encode(encoding):
                out.append(line)
        except UnicodeError:
            pass
    return out


def texts_of(path, encoding):
    out = []
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = " ".join(row["text"].split())
            try:
                if text and text.encode(encoding).decode(encoding) == text:
                    out.append(text)
            except UnicodeError:
                if encoding == "big5":  # the texts are in simplified letters: keep what is in both
                    kept = "".join(c for c in text if c.encode("big5", "ignore"))
                    if len(kept) > 8:
                        out.append(kept)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump_texts")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    right, total = collections.Counter(), collections.Counter()
    wrong = collections.defaultdict(collections.Counter)
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        truth = {}
        for language, (file, encodings) in [*LANGUAGES.items(), *((k, (None, v[0])) for k, v in SENTENCES.items())]:
            if file and not (options.data / file).exists():
                continue
            for encoding in encodings:
                texts = texts_of(options.data / file, encoding) if file else sentences_of(language, encoding)
                for lines in [n for n in LINES if n <= len(texts)]:
                    for k in range(FILES if 1 < lines < len(texts) else max(1, min(FILES, len(texts) // lines))):
                        chosen = draw.sample(texts, min(lines, len(texts)))
                        path = f"{folder}/{language}.{encoding}.{lines}.{k}.txt"
                        with open(path, "wb") as out:
                            out.write("".join(t + "\n" for t in chosen).encode(encoding))
                        truth[path] = (language, encoding, lines, chosen)
        paths = list(truth)
        for begin in range(0, len(paths), 500):
            answers = subprocess.run([options.dump_texts, *paths[begin:begin + 500]], check=True, capture_output=True)
            for line in answers.stdout.decode().splitlines():
                answer = json.loads(line)
                language, encoding, lines, chosen = truth[answer["file"]]
                key = (language, encoding, lines)
                total[key] += 1
                same = [row[0] for row in answer.get("rows", [])] == chosen
                right[key] += same
                if not same:
                    wrong[key[:2]][answer.get("encoding", "refused")] += 1
    if options.markdown:
        print("| texts | encoding | " + " | ".join(f"{n} line{'s' if n > 1 else ''}" for n in LINES) + " |")
        print("|---|---|" + "---:|" * len(LINES))
    for language, encodings in [*((k, v[1]) for k, v in LANGUAGES.items()), *((k, v[0]) for k, v in SENTENCES.items())]:
        for encoding in encodings:
            shares = [f"{right[language, encoding, n]}/{total[language, encoding, n]}" if total[language, encoding, n] else "-"
                      for n in LINES]
            if options.markdown:
                print(f"| {language} | {encoding} | " + " | ".join(shares) + " |")
            else:
                print(f"{language:12}{encoding:12}", *[f"{s:>8}" for s in shares], dict(wrong[language, encoding]))
    failed = False
    for n in LINES:
        share = sum(v for k, v in right.items() if k[2] == n) / sum(v for k, v in total.items() if k[2] == n)
        print(f"{n} lines: {share:.3f} right", file=sys.stderr)
        failed |= share < AT_LEAST[n]
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
