"""Many small groups at once: each one's figure drawn towards what all of them have in common.

Empirical Bayes (Efron and Morris 1975; Casella 1985): the prior is fitted to all groups, and each
group's own data then moves it. A group of twenty that did badly by chance is believed less than a
group of a thousand. Shares go by the beta-binomial, means by the normal model. Of few groups the
likelihood alone often says that all are the same, which then nothing could contradict; the penalty
of Chung et al. (2013), the logarithm of the spread, keeps it off that edge and vanishes with many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaln, expit, logit, ndtr

from core.errors import InputError

Floats = NDArray[np.float64]

WEAKEST, STRONGEST = 2.0, 1e5
"""Bounds of a prior's strength, in observations: groups that differ wildly, and groups all alike."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What all groups have in common.

    Attributes:
        mean: The share or mean a group without data is taken to have.
        strength: How many observations the prior is worth (shares).
        spread: Standard deviation of the groups' true means (means).
    """

    mean: float
    strength: float
    spread: float


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of each group after its data: arrays of one length."""

    mean: Floats
    deviation: Floats


def fit_beta(successes: Floats, n: Floats) -> Prior:
    """Return the Beta prior under which the groups' counts are likeliest (type II likelihood).

    Args:
        successes: How many of each group; may be fractional.
        n: Of how many; groups without any are left out.

    Raises:
        InputError: A count makes no sense.
    """
    if (successes < 0).any() or (successes > n).any():
        raise InputError("A group cannot have more successes than observations.")
    k, m = successes[n > 0], n[n > 0]
    if not len(m):
        return Prior(0.5, WEAKEST, 0.0)
    middle = float(np.clip(k.sum() / m.sum(), 1e-4, 1 - 1e-4))
    if len(m) == 1:
        return Prior(middle, WEAKEST, 0.0)
    bounds = [(-12.0, 12.0), (np.log(WEAKEST), np.log(STRONGEST))]
    # Groups come in thousands, so the likelihood is divided by their number to be of one scale.
    found = min(
        (
            minimize(_unlikely, [logit(middle), np.log(s)], (k, m), "L-BFGS-B", bounds=bounds)
            for s in (10.0, 300.0)
        ),
        key=lambda fit: float(fit.fun),
    )
    mean, strength = float(expit(found.x[0])), float(np.exp(found.x[1]))
    return Prior(mean, strength, float(np.sqrt(mean * (1 - mean) / (strength + 1))))


def _unlikely(at: Floats, k: Floats, m: Floats) -> float:
    mean, strength = expit(at[0]), np.exp(at[1])
    a, b = mean * strength, (1 - mean) * strength
    spread = 0.5 * np.log(mean * (1 - mean) / (strength + 1))
    return float(-np.mean(betaln(a + k, b + m - k) - betaln(a, b)) - spread / len(m))


def believe_shares(successes: Floats, n: Floats, prior: Prior) -> Believed:
    """Return mean and deviation of each group's Beta posterior."""
    a = prior.mean * prior.strength + successes
    b = (1 - prior.mean) * prior.strength + n - successes
    total = a + b
    return Believed(a / total, np.sqrt(a * b / (total * total * (total + 1))))


def fit_normal(means: Floats, variances: Floats) -> Prior:
    """Return the normal prior under which the groups' means are likeliest.

    Args:
        means: Of each group.
        variances: Of these means, above 0.

    Raises:
        InputError: A variance is not above 0.
    """
    if (variances <= 0).any():
        raise InputError("A mean's variance is above 0.")
    if not len(means):
        return Prior(0.0, 0.0, 0.0)
    widest = float(np.ptp(means)) + float(np.sqrt(variances.max()))
    ends = (np.log(widest) - 12.0, np.log(widest))
    found = minimize_scalar(
        _unlikely_spread, bounds=ends, args=(means, variances), method="bounded"
    )
    spread = float(np.exp(found.x))
    weight = 1 / (variances + spread**2)
    return Prior(float((weight * means).sum() / weight.sum()), 0.0, spread)


def _unlikely_spread(at: float, means: Floats, variances: Floats) -> float:
    total = variances + np.exp(2 * at)
    centre = (means / total).sum() / (1 / total).sum()
    return float(np.mean(np.log(total) + (means - centre) ** 2 / total) / 2 - at / len(means))


def believe_means(means: Floats, variances: Floats, prior: Prior) -> Believed:
    """Return mean and deviation of each group's normal posterior."""
    between = prior.spread**2
    share = between / (between + variances)
    return Believed(prior.mean + share * (means - prior.mean), np.sqrt(share * variances))


def shortfall(group: Believed, rest: Believed, margin: float) -> tuple[Floats, Floats]:
    """Return how probable it is that each group lies below the rest by more than a margin, and by
    how much it does on average (0 where it does not).

    Both posteriors are taken as normal; of Beta posteriors of 20 observations or more the
    probability is then right to about a hundredth.
    """
    mean = rest.mean - group.mean - margin
    spread = np.maximum(np.hypot(group.deviation, rest.deviation), 1e-12)
    z = mean / spread
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return np.asarray(ndtr(z)), np.maximum(spread * density + mean * ndtr(z), 0.0)
