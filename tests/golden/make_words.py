#!/usr/bin/env python3
"""Writes words.safetensors: a step of moving words as PyTorch's autograd and AdamW make it, for src/shoal/words/words_test.cpp.

    make_words.py      in a Python with torch and safetensors

Words 0 to 3: 0 is the target, 1 and 2 its contexts with weights .7 and .3, 3 the other word. Case LOSS.GATE.HALF: the gate
sees context 1 + HALF, the loss has the other one; without a gate HALF is 0 and the loss has both. LOSS.GATE.HALF.after are
the rows after one step: row - h / root of (1 + |h|^2), h the gradient of the loss without its part along the row, rate 1, then
scaled to length 1; .loss the loss before it; of the mlp gate .NAME its parameters after a step of AdamW at 1e-3.
"""
import pathlib

import torch
from safetensors.torch import save_file

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
DIMS, WIDTH, T, MARGIN, SHARE = 6, 4, 0.2, -1.0, 0.4
unit = torch.nn.functional.normalize
start = unit(torch.randn(4, DIMS)).float().double()
mlp = {"layer0.weight": torch.randn(WIDTH, 2 * DIMS + 1) * 0.5, "layer0.bias": torch.randn(1, WIDTH) * 0.5,
       "layer1.weight": torch.randn(1, WIDTH) * 0.5, "layer1.bias": torch.randn(1, 1) * 0.5}
mlp = {name: value.float().double() for name, value in mlp.items()}
weights = torch.tensor([0.7, 0.3], dtype=torch.float32).double()
out = {"start": start, **{f"mlp.{name}": value for name, value in mlp.items()}}
for loss in ("hinge", "infonce"):
    for gate in ("none", "fixed", "mlp"):
        for half in (0, 1) if gate != "none" else (0,):
            v = start.clone().requires_grad_()
            learnt = {name: torch.nn.Parameter(value.clone()) for name, value in mlp.items()}
            kept = [0, 1] if gate == "none" else [1 - half]
            c = unit((weights[kept, None] * v[[1 + k for k in kept]]).sum(0), dim=0)
            u = v[0]
            if gate != "none":
                seen = unit(weights[half] * v[1 + half], dim=0)
                share = torch.tensor(SHARE)
                if gate == "mlp":  # what it sees is not moved by its own slope
                    x = torch.cat([v[0], seen, (v[0] * seen).sum()[None]]).detach()
                    hidden = torch.relu(learnt["layer0.weight"] @ x + learnt["layer0.bias"][0])
                    share = torch.sigmoid(learnt["layer1.weight"] @ hidden + learnt["layer1.bias"][0])[0]
                u = unit((1 - share) * v[0] + share * seen, dim=0)
            near, far = u @ c, u @ v[3]
            value = -near + torch.relu(far - MARGIN) if loss == "hinge" else -T * torch.log_softmax(torch.stack([near, far]) / T, 0)[0]
            value.backward()
            name = f"{loss}.{gate}.{half}"
            h = v.grad - (v.grad * start).sum(1, keepdim=True) * start
            out[f"{name}.after"] = unit(start - h / (1 + (h * h).sum(1, keepdim=True)).sqrt())
            out[f"{name}.loss"] = value.detach()[None]
            if gate == "mlp":
                groups = [{"params": [p for n, p in learnt.items() if n.endswith("weight")], "weight_decay": 0.01},
                          {"params": [p for n, p in learnt.items() if n.endswith("bias")], "weight_decay": 0.0}]
                torch.optim.AdamW(groups, lr=1e-3).step()
                out.update({f"{name}.{n}": p.detach() for n, p in learnt.items()})
save_file({name: value.detach().contiguous() for name, value in out.items()}, pathlib.Path(__file__).with_name("words.safetensors"))
