#!/usr/bin/env python3
"""Trains with sentence-transformers' own trainer, for bench/train.py: train_peers.py MODEL TABLE --loss NAME ...

Prints JSON: seconds of the steps, peak memory, mean loss, and the dev scores of each epoch.
"""
import argparse
import csv
import json
import resource
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("table")
    parser.add_argument("--loss", choices=["cosine", "triplet", "mnrl"])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--dev")
    args = parser.parse_args()

    import torch
    torch.set_num_threads(args.threads)
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments, losses
    from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator
    from transformers import TrainerCallback

    def read(path):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        if "score" in columns:
            columns["score"] = [float(value) for value in columns["score"]]
        return columns

    model = SentenceTransformer(args.model, device="cpu")
    loss = {"cosine": lambda: losses.CosineSimilarityLoss(model),
            "triplet": lambda: losses.TripletLoss(model, triplet_margin=0.5),
            "mnrl": lambda: losses.MultipleNegativesRankingLoss(model)}[args.loss]()
    scores, times = [], []
    evaluator = None
    if args.dev:
        dev = read(args.dev)
        evaluator = EmbeddingSimilarityEvaluator(dev["sentence1"], dev["sentence2"], dev["score"])

    class Watch(TrainerCallback):
        def on_train_begin(self, *_, **__):
            self.start = time.perf_counter()

        def on_train_end(self, *_, **__):
            times.append(time.perf_counter() - self.start)

        def on_epoch_end(self, *_, **__):
            if evaluator:
                model.eval()
                scores.append(evaluator(model)["spearman_cosine"])
                model.train()

    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder, num_train_epochs=args.epochs, per_device_train_batch_size=args.batch, learning_rate=2e-5,
            warmup_ratio=0.1, lr_scheduler_type="linear", max_grad_norm=1.0, weight_decay=0.01, seed=args.seed,
            save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="epoch", use_cpu=True,
            batch_sampler="no_duplicates" if args.loss == "mnrl" else "batch_sampler")
        trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=Dataset.from_dict(read(args.table)),
                                             loss=loss, callbacks=[Watch()])
        trainer.train()
        found = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    print(json.dumps({"train_seconds": times[0], "losses": found, "scores": scores,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
