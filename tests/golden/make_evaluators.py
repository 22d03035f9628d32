#!/usr/bin/env python3
"""Writes what sentence-transformers' evaluators and mine_hard_negatives say of fixed vectors: tests/golden/evaluators.json.

    python3 tests/golden/make_evaluators.py          # refuses to replace the file
    python3 tests/golden/make_evaluators.py --force

Text "t7" has row 7 of the vectors. Run with the versions in VERSIONS.
"""
import json
import logging
import pathlib
import sys

import numpy as np
import sentence_transformers
import sklearn
import torch
from datasets import Dataset
from sentence_transformers import util
from sentence_transformers.sentence_transformer import evaluation

VERSIONS = {"sentence-transformers": "6.2.0", "scikit-learn": "1.9.1"}
OUT = pathlib.Path(__file__).resolve().parent / "evaluators.json"
ROWS, DIMS = 90, 12
SIMILARITIES = ["cosine", "dot", "manhattan", "euclidean"]


class Vectors:
    """A model that knows the vectors of its texts by heart."""

    similarity_fn_name = "cosine"
    device = torch.device("cpu")
    prompts = {}

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts, convert_to_tensor=False, normalize_embeddings=False, **_):
        found = np.stack([self.vectors[int(text[1:])] for text in texts])
        if normalize_embeddings:
            found = found / np.linalg.norm(found, axis=1, keepdims=True)
        return torch.from_numpy(found) if convert_to_tensor else found

    encode_query = encode_document = encode

    def similarity(self, a, b):
        return util.cos_sim(a, b)

    def similarity_pairwise(self, a, b):
        return util.pairwise_cos_sim(a, b)

    class model_card_data:
        base_model = "vectors"

        @staticmethod
        def set_evaluation_metrics(*_, **__):
            pass


def names(rows):
    return [f"t{row}" for row in rows]


def numbers(metrics):
    return {name: float(value) for name, value in metrics.items()}


def main():
    if OUT.exists() and "--force" not in sys.argv:
        sys.exit(f"{OUT} exists; --force replaces it")
    versions = {"sentence-transformers": sentence_transformers.__version__, "scikit-learn": sklearn.__version__}
    if versions != VERSIONS:
        sys.exit(f"made with {VERSIONS}, here are {versions}")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    draw = np.random.default_rng(13)
    topics = draw.integers(0, 10, ROWS)
    centres = draw.normal(size=(10, DIMS))
    vectors = (centres[topics] + 0.9 * draw.normal(size=(ROWS, DIMS)) + 0.2).astype(np.float32)
    vectors *= draw.uniform(0.5, 2, (ROWS, 1)).astype(np.float32)
    model = Vectors(vectors)
    out = {"versions": versions, "vectors": [[float(x) for x in row] for row in vectors]}

    first, second = draw.integers(0, ROWS, 70), draw.integers(0, ROWS, 70)
    second = np.where(first == second, (second + 1) % ROWS, second)
    alike = util.pairwise_cos_sim(vectors[first], vectors[second]).numpy()
    scores = np.round(2 * (2.5 + 2.5 * alike + draw.normal(size=70))) / 2  # with many ties
    found = evaluation.EmbeddingSimilarityEvaluator(names(first), names(second), scores.tolist(),
                                                    similarity_fn_names=SIMILARITIES)(model)
    out["sts"] = {"first": first.tolist(), "second": second.tolist(), "scores": scores.tolist(), "metrics": numbers(found)}

    label = (alike + 0.5 * draw.normal(size=70) > 0.2).astype(int)
    found = evaluation.BinaryClassificationEvaluator(names(first), names(second), label.tolist(),
                                                     similarity_fn_names=SIMILARITIES)(model)
    out["pairs"] = {"first": first.tolist(), "second": second.tolist(), "labels": label.tolist(), "metrics": numbers(found)}

    anchor, positive, negative = (draw.integers(0, ROWS, 60) for _ in range(3))
    found = evaluation.TripletEvaluator(names(anchor), names(positive), names(negative), similarity_fn_names=SIMILARITIES)(model)
    out["triplet"] = {"anchor": anchor.tolist(), "positive": positive.tolist(), "negative": negative.tolist(),
                      "metrics": numbers(found)}

    queries, corpus = list(range(20)), list(range(20, ROWS))
    relevant = {q: [c for c in corpus if topics[c] == topics[q]][: 1 + q % 7] or [20 + q] for q in queries}
    found = evaluation.InformationRetrievalEvaluator(
        {f"q{q}": f"t{q}" for q in queries}, {f"{c:03}": f"t{c}" for c in corpus},
        {f"q{q}": {f"{c:03}" for c in relevant[q]} for q in queries}, map_at_k=[100])(model)
    out["retrieval"] = {"queries": queries, "corpus": corpus, "relevant": [relevant[q] for q in queries], "metrics": numbers(found)}

    samples = []
    for q in queries:
        others = [c for c in corpus if c not in relevant[q]]
        samples.append({"query": q, "positive": relevant[q], "negative": draw.choice(others, 3 + q, replace=False).tolist()})
    found = evaluation.RerankingEvaluator([
        {"query": f"t{s['query']}", "positive": names(s["positive"]), "negative": names(s["negative"])} for s in samples])(model)
    out["rerank"] = {"samples": samples, "metrics": numbers(found)}

    pairs = [(q, c) for q in queries for c in relevant[q][: 1 + q % 3]]
    out["mined"] = {"pairs": pairs, "corpus": corpus[30:], "cases": []}
    dataset = Dataset.from_dict({"anchor": names(q for q, _ in pairs), "positive": names(c for _, c in pairs)})
    for options in [{}, {"num_negatives": 2}, {"range_min": 3, "num_negatives": 2}, {"range_min": 1, "range_max": 6, "num_negatives": 4},
                    {"max_score": 0.5}, {"min_score": 0.3}, {"absolute_margin": 0.1}, {"absolute_margin": 0.0}, {"relative_margin": 0.05},
                    {"relative_margin": 0.3, "absolute_margin": 0.05, "max_score": 0.6, "min_score": -0.1, "range_max": 40,
                     "num_negatives": 5}, {"num_negatives": 60, "range_max": 200}]:
        for with_corpus in [False, True]:
            for form in ["triplet", "n-tuple", "labeled-pair"]:
                made = util.mine_hard_negatives(dataset, model, corpus=names(corpus[30:]) if with_corpus else None, output_format=form,
                                                verbose=False, **options)
                rows = [[v if isinstance(v, int) else int(v[1:]) for v in row.values()] for row in made]
                out["mined"]["cases"].append({"options": options, "corpus": with_corpus, "format": form, "rows": rows})
    OUT.write_text(json.dumps(out, separators=(",", ":")).replace('},{"options"', '},\n{"options"') + "\n")
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
