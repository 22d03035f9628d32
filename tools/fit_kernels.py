#!/usr/bin/env python3
"""Fits the polynomials of src/shoal/kernels/exp.inl and gelu.inl and prints them: needs numpy and mpmath.

Each fit is minimax in its weighted error: least squares whose weights follow the error (Lawson's method).
Rational fits solve the linearised problem with the last denominator as a weight. Printed: the largest weighted
error of the fit in exact arithmetic, and the coefficients rounded to float, lowest power first.
"""
import mpmath as mp
import numpy as np

mp.mp.dps = 40


def nodes(first, last, n=1000):
    """Chebyshev nodes: dense at both ends."""
    return (first + last) / 2 + (last - first) / 2 * np.cos(np.pi * (np.arange(n) + 0.5) / n)


def values(function, x):
    return np.array([float(function(mp.mpf(v))) for v in x])


def lawson(columns, y, weight, denominator=None, rounds=150):
    """Coefficients c that make max |weight (columns c - y)| small; `denominator(c)` for rational fits."""
    share, below, best = np.full(len(y), 1 / len(y)), np.ones(len(y)), None
    for turn in range(rounds):
        w = np.sqrt(share) * weight / below
        a = columns * w[:, None]
        norm = np.linalg.norm(a, axis=0)
        c = np.linalg.lstsq(a / norm, y * w, rcond=None)[0] / norm
        below = denominator(c) if denominator else below
        error = np.abs((columns @ c - y) / below * weight)
        if best is None or error.max() < best[0]:
            best = error.max(), c
        if not denominator or turn > 10:
            share = share * (error + 1e-16)
            share /= share.sum()
    return best


def polynomial(function, first, last, degree, weight):
    x = nodes(first, last)
    return lawson(x[:, None] ** np.arange(degree + 1), values(function, x), weight(x))


def odd_rational(function, last, top, bottom, weight):
    """x P(x^2) / Q(x^2) on (0, last]."""
    x = nodes(1e-3, last)
    y, u = values(function, x), (x / last) ** 2
    powers = u[:, None] ** np.arange(1, bottom + 1)
    columns = np.hstack([x[:, None] * u[:, None] ** np.arange(top + 1), -y[:, None] * powers])
    error, c = lawson(columns, y, weight(x), lambda c: 1 + powers @ c[top + 1:])
    scale = float(last) ** (-2 * np.arange(max(top, bottom) + 1))
    return error, c[:top + 1] * scale[:top + 1], np.concatenate([[1], c[top + 1:] * scale[1:bottom + 1]])


def show(name, error, *lists):
    print(f"{name}: error {error:.2e}")
    for coefficients in lists:
        print("  ", ", ".join(f"{np.float32(c)!s}f" for c in coefficients))


def main():
    half = float(np.log(2)) / 2 + 1e-5
    error, c = polynomial(lambda r: (mp.e**r - 1 - r) / r**2, -half, half, 4, lambda r: r**2 / np.exp(r))
    show("exp: (e^r - 1 - r) / r^2", error, c)

    low, high = np.sqrt(0.5) - 1 - 1e-5, np.sqrt(2) - 1 + 1e-5
    error, c = polynomial(lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, low, high, 8,
                          lambda f: np.abs(f**3 / np.log1p(f)))
    show("log: (log(1 + f) - f + f^2 / 2) / f^3", error, c)

    show("tanh: x P(x^2) / Q(x^2) up to 9", *odd_rational(mp.tanh, 9, 5, 4, lambda x: 1 / np.tanh(x)))

    step, table, worst = 0.75, [], 0
    for i in range(8):
        first, last = max(0.0, (i - 0.5) * step), (i + 0.5) * step
        error, c = polynomial(lambda r: mp.ncdf(-(r + i * step)), first - i * step, last - i * step, 6,
                              lambda r: np.maximum(1, r + i * step))
        worst = max(worst, error)
        table.append(c)
    show("gelu: Phi(-t) around t = 0, 0.75, ..., 5.25; a line a power", worst, *np.array(table).T)


main()
