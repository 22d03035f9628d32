#!/usr/bin/env python3
"""One peer of the encoder in a process of its own.

    encode_peers.py st|ort|openvino MODEL TEXTS.jsonl ROUNDS THREADS BATCH OUT.f32

Texts are sorted by length, batched, padded to the longest of the batch, as sentence-transformers does. BATCH may be
a list (8,32,64): each is tried on the first texts and the fastest is measured. Prints JSON: texts a second (median
of the rounds), batch, versions; writes the vectors as raw float32. ONNX Runtime and OpenVINO run the same ONNX file,
exported from the model by torch (attention masked, dynamic batch and length) into a cache folder.
"""
import json
import os
import pathlib
import statistics
import sys
import time


def load_texts(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def export_onnx(model_folder):
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "shoal-bench"
    path = cache / (pathlib.Path(model_folder).name + ".onnx")
    if path.exists():
        return path
    import torch
    from transformers import AutoModel

    cache.mkdir(parents=True, exist_ok=True)
    model = AutoModel.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager").eval()

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)

    ids = torch.ones(2, 9, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    with torch.no_grad():
        torch.onnx.export(Pooled(), (ids, ids.clone()), str(path), dynamo=False, opset_version=17,
                          input_names=["input_ids", "attention_mask"], output_names=["vectors"],
                          dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}})
    return path


def batches_of(encode_batch, model_folder):
    """encode(texts, batch) by sorted, padded batches over a function of ids and mask."""
    import numpy as np
    from tokenizers import Tokenizer

    tok = Tokenizer.from_file(str(pathlib.Path(model_folder) / "tokenizer.json"))
    tok.enable_truncation(json.loads((pathlib.Path(model_folder) / "sentence_bert_config.json").read_text())["max_seq_length"])
    tok.enable_padding()

    def encode(texts, batch):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        out = None
        for first in range(0, len(order), batch):
            which = order[first:first + batch]
            encoded = tok.encode_batch([texts[i] for i in which])
            ids = np.array([e.ids for e in encoded], dtype=np.int64)
            mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
            vectors = encode_batch(ids, mask)
            if out is None:
                out = np.empty((len(texts), vectors.shape[1]), np.float32)
            out[which] = vectors
        return out

    return encode


def sentence_transformers_encoder(folder, threads):
    import sentence_transformers
    import torch

    torch.set_num_threads(threads)
    model = sentence_transformers.SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
    versions = {"sentence-transformers": sentence_transformers.__version__, "torch": torch.__version__}
    return lambda texts, batch: model.encode(texts, batch_size=batch, show_progress_bar=False), versions


def onnx_runtime_encoder(folder, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(export_onnx(folder)), options, providers=["CPUExecutionProvider"])
    run = lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    return batches_of(run, folder), {"onnxruntime": onnxruntime.__version__}


def openvino_encoder(folder, threads):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(str(export_onnx(folder)), "CPU", {
        "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    run = lambda ids, mask: request.infer({"input_ids": ids, "attention_mask": mask})[compiled.output(0)]
    return batches_of(run, folder), {"openvino": openvino.__version__}


PEERS = {"st": sentence_transformers_encoder, "ort": onnx_runtime_encoder, "openvino": openvino_encoder}


def best_batch(encode, texts, batches):
    if len(batches) == 1:
        return batches[0]
    sample = texts[:: max(1, len(texts) // 100)]
    seconds = {}
    for batch in batches:
        encode(sample[:batch], batch)
        start = time.perf_counter()
        encode(sample, batch)
        seconds[batch] = time.perf_counter() - start
    return min(batches, key=seconds.get)


def main():
    kind, folder, texts_file, rounds, threads, batches, out = sys.argv[1:]
    texts = load_texts(texts_file)
    encode, versions = PEERS[kind](folder, int(threads))
    batch = best_batch(encode, texts, [int(b) for b in batches.split(",")])
    encode(texts[:batch], batch)
    seconds, spent = [], time.process_time()  # the processor's time says more when others use the machine
    for _ in range(int(rounds)):
        start = time.perf_counter()
        vectors = encode(texts, batch)
        seconds.append(time.perf_counter() - start)
    spent = (time.process_time() - spent) / int(rounds)
    vectors.astype("<f4").tofile(out)
    print(json.dumps({"who": kind, "texts": len(texts), "batch": batch, **versions,
                      "texts_per_second": round(len(texts) / statistics.median(seconds), 1),
                      "texts_per_cpu_second": round(len(texts) / spent, 1),
                      "best_texts_per_second": round(len(texts) / min(seconds), 1)}))


if __name__ == "__main__":
    main()
