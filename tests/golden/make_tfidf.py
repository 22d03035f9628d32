#!/usr/bin/env python3
"""Writes tests/golden/tfidf.json: texts and what scikit-learn's TfidfVectorizer and TruncatedSVD make of them.

The words are chosen so that both programs see the same ones: lower case, two letters or more, none ending in s or a function word, no
punctuation, no word twice in a row. Run it by hand after a change (needs numpy, scikit-learn); it refuses to overwrite the file unless --force
is given.
"""
import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

OUT = pathlib.Path(__file__).resolve().parent / "tfidf.json"
WORDS = ("apple river stone cloud winter garden engine paper silver market letter bridge candle copper forest island kitchen ladder meadow "
         "needle orange pencil rabbit saddle timber valley window yellow anchor basket").split()


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    rng = np.random.default_rng(12)
    share = 0.88 ** np.arange(len(WORDS))
    texts = []
    for _ in range(60):
        topic = rng.permutation(len(WORDS))[:8]  # a text is about few words, so that some come twice
        weight = share[topic] / share[topic].sum()
        text = []
        while len(text) < rng.integers(4, 13):
            word = WORDS[rng.choice(topic, p=weight)]
            if not text or text[-1] != word:
                text.append(word)
        texts.append(" ".join(text))
    texts += ["never known at all", ""]  # words that no other text has
    out = {"made_by": f"make_tfidf.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}", "texts": texts, "cases": []}
    for ngrams in (1, 2):
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, ngrams), token_pattern=r"[a-z]{2,}")
        weighed = vectorizer.fit_transform(texts)
        dims = 8
        svd = TruncatedSVD(dims, algorithm="arpack", tol=1e-12, random_state=0).fit(weighed)  # to the last digits
        components = svd.components_
        components *= np.sign(components[np.arange(dims), np.abs(components).argmax(1)])[:, None]
        vectors = weighed @ components.T
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        out["cases"].append({
            "ngrams": ngrams,
            "singular_values": svd.singular_values_.tolist(),
            "idf": dict(zip(vectorizer.get_feature_names_out().tolist(), vectorizer.idf_.tolist())),
            "vectors": np.round(vectors, 9).tolist(),
        })
    OUT.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
