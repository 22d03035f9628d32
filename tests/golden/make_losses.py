#!/usr/bin/env python3
"""Makes the golden data of losses: what sentence-transformers' loss classes say, and torch's derivatives of them.

    make_losses.py losses         losses.safetensors: losses of drawn vectors and their slopes by them
    make_losses.py gradients      gradients.safetensors: gradients of all parameters of the models in encoder/
    make_losses.py minilm         gradients_minilm.safetensors: the same of all-MiniLM-L6-v2

All in double, from numbers that float32 holds. An existing output is kept unless --force is given. Run with the
versions in VERSIONS.

losses.safetensors: the inputs "a", "b", ... (12 x 10) and the targets; for each case "CASE loss" (1 number) and
"CASE slope K" of column K (float32).

gradients*.safetensors: "MODEL LOSS loss" is the loss, "MODEL LOSS" has a row for each parameter (names in the metadata,
"MODEL parameters", a line each): the length of its gradient, then its products with 8 directions. Number i of
direction r is
h = ((8 i + r + 1) * 0x9E3779B97F4A7C15) mod 2^64, h = ((h xor h >> 32) * 0xD6E8FEB86659FD93) mod 2^64,
(h >> 40) / 2^24 - 1/2, with i counted along the rows of the parameter as it is on disk.
"""
import argparse
import json
import os
import pathlib

import numpy as np
import safetensors.numpy
import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.losses.batch_hard_triplet import BatchHardTripletLossDistanceFunction as BatchDistance
from sentence_transformers.sentence_transformer.losses.contrastive import SiameseDistanceMetric
from sentence_transformers.sentence_transformer.losses.triplet import TripletDistanceMetric

VERSIONS = {"sentence-transformers": "6.2.0", "transformers": "5.24.0", "torch": "2.15.0"}
HERE = pathlib.Path(__file__).resolve().parent
ROWS, DIMS = 12, 10
MODELS = ["bert_new", "bert_poolings", "roberta", "distilbert", "mpnet", "xlm_roberta"]


class Given(torch.nn.Module):
    """A model whose texts' vectors are given."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}

    def get_embedding_dimension(self):
        return DIMS


def squared(x):
    return BatchDistance.euclidean_distance(x, squared=True)


def cases():
    """Name, loss class and its options, columns, targets, (matryoshka dims, weights)."""
    both = ("query_to_doc", "doc_to_query")
    all_ways = ("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")
    euclid, cosine = BatchDistance.euclidean_distance, BatchDistance.cosine_distance
    yield "cosine", losses.CosineSimilarityLoss, {}, "ab", "scores"
    yield "cosine odd", losses.CosineSimilarityLoss, {}, "pq", "scores"
    for name, kind in (("cosent", losses.CoSENTLoss), ("angle", losses.AnglELoss)):
        yield name, kind, {}, "ab", "scores"
        yield f"{name} scale 5", kind, {"scale": 5.0}, "ab", "scores"
        yield f"{name} ties", kind, {}, "ab", "binary"
        yield f"{name} odd", kind, {}, "pq", "scores"
    for name, kind in (("contrastive", losses.ContrastiveLoss), ("online_contrastive", losses.OnlineContrastiveLoss)):
        yield name, kind, {}, "ab", "binary"
        yield f"{name} margin 1.5", kind, {"margin": 1.5}, "ab", "binary"
        yield f"{name} euclidean", kind, {"distance_metric": SiameseDistanceMetric.EUCLIDEAN, "margin": 4.0}, "ab", "binary"
    yield "online_contrastive ones", losses.OnlineContrastiveLoss, {}, "ab", "ones"
    yield "online_contrastive zeros", losses.OnlineContrastiveLoss, {"margin": 1.5}, "ab", "zeros"
    yield "triplet euclidean", losses.TripletLoss, {"triplet_margin": 0.5}, "abc", None
    yield "triplet euclidean 5", losses.TripletLoss, {}, "abc", None
    yield "triplet cosine", losses.TripletLoss, {"distance_metric": TripletDistanceMetric.COSINE, "triplet_margin": 0.25}, "abc", None
    mnrl = losses.MultipleNegativesRankingLoss
    for columns in ("ab", "abc", "abcd"):
        yield f"mnrl {columns}", mnrl, {}, columns, None
        yield f"mnrl symmetric {columns}", mnrl, {"directions": both, "partition_mode": "per_direction"}, columns, None
        yield f"mnrl joint {columns}", mnrl, {"directions": both}, columns, None
        yield f"mnrl all {columns}", mnrl, {"directions": all_ways}, columns, None
    yield "mnrl scale 5", mnrl, {"scale": 5.0}, "abc", None
    for name, kind in (("batch_hard", losses.BatchHardTripletLoss), ("batch_semi_hard", losses.BatchSemiHardTripletLoss),
                       ("batch_all", losses.BatchAllTripletLoss)):
        for word, metric, margin in (("euclidean", euclid, 1.0), ("squared_euclidean", squared, 2.0), ("cosine", cosine, 0.25)):
            yield f"{name} {word}", kind, {"distance_metric": metric, "margin": margin}, "a", "labels"
    for word, metric in (("euclidean", euclid), ("squared_euclidean", squared), ("cosine", cosine)):
        yield f"batch_hard_soft {word}", losses.BatchHardSoftMarginTripletLoss, {"distance_metric": metric}, "a", "labels"
    yield "mse one", losses.MSELoss, {}, "a", "teacher"
    yield "mse shared", losses.MSELoss, {}, "ab", "teacher"
    yield "mse each", losses.MSELoss, {}, "ab", "teachers"
    yield "margin_mse scores", losses.MarginMSELoss, {}, "abcd", "teacher_scores"
    yield "margin_mse differences", losses.MarginMSELoss, {}, "abcd", "differences"
    yield "margin_mse one", losses.MarginMSELoss, {}, "abc", "difference"
    yield "distill_kl", losses.DistillKLDivLoss, {}, "abcd", "teacher_scores"
    yield "distill_kl temperature 2.5", losses.DistillKLDivLoss, {"temperature": 2.5}, "abcd", "teacher_scores"


def matryoshka_cases():
    """The name of the case inside, dims, weights."""
    yield "cosine", [10, 6, 3], None
    yield "mnrl abc", [4, 10, 7], [0.5, 1.0, 2.0]
    yield "triplet euclidean", [8, 2], [1.0, 0.25]
    yield "cosent", [5], None
    yield "batch_all euclidean", [10, 5], None
    yield "mse each", [10, 4], [1.0, 3.0]
    yield "margin_mse scores", [10, 4], None


def inputs():
    draw = np.random.default_rng(13)
    out = {}
    base = draw.normal(size=(ROWS, DIMS))
    for name in "abcd":
        out[name] = base + (1.0 if name == "a" else 1.2) * draw.normal(size=(ROWS, DIMS))
    out["p"], out["q"] = draw.normal(size=(2, ROWS, 7))
    out["scores"] = np.round(draw.uniform(-0.2, 1, size=(ROWS, 1)), 1)  # with ties
    out["binary"] = np.array([[i % 3 != 0] for i in range(ROWS)])
    out["ones"], out["zeros"] = np.ones((ROWS, 1)), np.zeros((ROWS, 1))
    out["labels"] = np.array([[label] for label in [0, 1, 2, 0, 1, 2, 0, 0, 1, 2, 3, 7]])  # 3 and 7 are alone
    out["teacher"] = draw.normal(size=(ROWS, DIMS))
    out["teachers"] = draw.normal(size=(ROWS, 2 * DIMS))
    out["teacher_scores"] = 3 * draw.normal(size=(ROWS, 3))
    out["differences"] = draw.normal(size=(ROWS, 2))
    out["difference"] = draw.normal(size=(ROWS, 1))
    return {name: x.astype(np.float32) for name, x in out.items()}


def targets_of(x, name):
    if name is None:
        return None
    labels = torch.tensor(x[name])
    if name in ("binary", "labels", "ones", "zeros"):
        return labels[:, 0].long()
    if name == "teachers":
        return labels.double().reshape(ROWS, 2, DIMS)
    return labels[:, 0].double() if name == "scores" or name == "difference" else labels.double()


def answer(x, loss, columns, targets):
    vectors = [torch.tensor(x[c], dtype=torch.float64, requires_grad=True) for c in columns]
    value = loss([{"vectors": v} for v in vectors], targets_of(x, targets))
    value.backward()
    return value.item(), [v.grad.numpy() for v in vectors]


def make_losses():
    x = inputs()
    out = dict(x)

    def keep(name, found):
        value, slopes = found
        assert np.isfinite(value) and value > 0 and all(np.isfinite(s).all() for s in slopes), name
        out[f"{name} loss"] = np.array([value])
        for column, slope in enumerate(slopes):
            out[f"{name} slope {column}"] = slope.astype(np.float32)

    made = {name: rest for name, *rest in cases()}
    for name, (kind, options, columns, targets) in made.items():
        keep(name, answer(x, kind(Given(), **options), columns, targets))
    for inside, dims, weights in matryoshka_cases():
        kind, options, columns, targets = made[inside]
        model = Given()
        loss = losses.MatryoshkaLoss(model, kind(model, **options), dims, weights)
        keep(f"matryoshka {inside}", answer(x, loss, columns, targets))
    return out, {}


TEXTS = [["the licence of the work", "naïve café, Ærøskøbing", "A map.", "word word word", "漢字かな交じり文", "patent claims"],
         ["a licence of a work, under the terms", "a café in Copenhagen?", "the map of the work", "mixed CASE Words",
          "Ελληνικά и кириллица", "claims licensable by such contributor"],
         ["No!", "in any form, under the terms and conditions of this License", "emoji 😀👩‍👩‍👧 done", "1234567890 3.14159",
          "The Quick Brown Fox", "tabs\tand\nlines and   spaces"]]
SCORES = [0.9, 0.4, 0.7, 0.0, 0.2, 0.7]


def direction(i, r):
    """Of numbers i (uint64) of direction r."""
    h = (np.uint64(8) * i + np.uint64(r + 1)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return (h >> np.uint64(40)).astype(np.float64) / 2**24 - 0.5


class Cut(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features):
        return {"sentence_embedding": self.model(features)["sentence_embedding"][:, :self.model.truncate_dim]}


def parameter_losses():
    yield "cosine", losses.CosineSimilarityLoss, {}, 2, SCORES
    yield "triplet", losses.TripletLoss, {"distance_metric": TripletDistanceMetric.EUCLIDEAN, "triplet_margin": 0.5}, 3, None
    yield "mnrl", losses.MultipleNegativesRankingLoss, {}, 3, None
    yield "cosent", losses.CoSENTLoss, {}, 2, SCORES


def without_dropout(model):
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        for name in ("dropout", "dropout_prob", "attention_dropout"):  # some pass the share on to a function
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, 0.0)
    return model.train()


def gradients_of(folder, dtype):
    """Loss and gradients by the name of the loss. Texts get the model's default prompt and vectors are cut at its
    truncate_dim, as encode does it; forward alone does neither."""
    out = {}
    for name, kind, options, columns, scores in parameter_losses():
        model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
        model = without_dropout(model.to(dtype))
        prompt = model.prompts.get(model.default_prompt_name)
        features = [model.preprocess(TEXTS[c], prompt=prompt) for c in range(columns)]
        value = kind(Cut(model), **options)(features, None if scores is None else torch.tensor(scores, dtype=torch.float32))
        value.backward()
        out[name] = value.item(), {n: p.grad.double().numpy() for n, p in model.named_parameters() if p.grad is not None}
    return out


def plain_name(name):
    """0.auto_model.encoder... and 0.model.encoder... -> encoder...; 2.linear.weight stays."""
    module, rest = name.split(".", 1)
    for prefix in ("auto_model.", "model."):
        if rest.startswith(prefix):
            return rest.removeprefix(prefix)
    return f"{module}.{rest}"


def add_gradients(out, names, model, folder):
    exact, single = gradients_of(folder, torch.float64), gradients_of(folder, torch.float32)
    worst = (0, "")
    for loss, (value, gradients) in exact.items():
        out[f"{model} {loss} loss"] = np.array([value])
        whole = np.sqrt(sum((g**2).sum() for g in gradients.values()))
        rows = []
        for name, gradient in gradients.items():
            flat = gradient.reshape(-1)
            at = np.arange(flat.size, dtype=np.uint64)
            found = [np.linalg.norm(flat)] + [float(flat @ direction(at, r)) for r in range(8)]
            rows.append(found)
            if found[0] > 1e-6 * whole:
                gap = np.linalg.norm(single[loss][1][name].reshape(-1) - flat) / found[0]
                worst = max(worst, (gap, f"{loss} {name}"))
        out[f"{model} {loss}"] = np.array(rows)
        names[f"{model} parameters"] = "\n".join(plain_name(name) for name in gradients)
    print(f"{model}: {len(gradients)} parameters; float32 differs from double by at most {worst[0]:.1e} ({worst[1]})")


def make_gradients():
    out, names = {}, {}
    for model in MODELS:
        add_gradients(out, names, model, HERE / "encoder" / model)
    return out, names


def minilm_folder():
    """$SHOAL_MODEL, else where `shoal model list` looks (cli/session.h)."""
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
    models = os.environ.get("SHOAL_MODELS") or pathlib.Path(data) / "shoal/models"
    return pathlib.Path(os.environ.get("SHOAL_MODEL") or pathlib.Path(models) / "all-MiniLM-L6-v2")


def make_minilm():
    out, names = {}, {}
    add_gradients(out, names, "minilm", minilm_folder())
    return out, names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["losses", "gradients", "minilm"])
    parser.add_argument("--force", action="store_true")
    args = parser.parse_args()
    seen = {"sentence-transformers": sentence_transformers.__version__, "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0]}
    if seen != VERSIONS:
        raise SystemExit(f"these are the versions {seen}, but the golden data are made with {VERSIONS}")
    torch.set_num_threads(1)
    make, name = {"losses": (make_losses, "losses"), "gradients": (make_gradients, "gradients"),
                  "minilm": (make_minilm, "gradients_minilm")}[args.what]
    path = HERE / f"{name}.safetensors"
    if path.exists() and not args.force:
        raise SystemExit(f"{path.name} is there; --force writes it again")
    out, said = make()
    safetensors.numpy.save_file(out, path, {"versions": json.dumps(seen)} | said)
    print(f"{path.name}: {len(out)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
