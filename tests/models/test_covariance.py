"""Every structure in every parameter set: derivatives, the way back, positive definite starts."""

import numpy as np
import pytest

from easitrace.covariance import STRUCTURES, start, structure
from easitrace.errors import ParameterError

FINITE_DIFFERENCES = 1e-7  # relative to the largest second derivative; central differences with step 1e-6
CASES = [
    (s, k, J) for s in STRUCTURES for k in STRUCTURES[s].scales for J in (2, 3, 5) if (s, J) != ("random-slope", 2)
]


def times_of(J):
    return np.array([0.0, 1.0, 2.5, 3.0, 5.0])[:J]


def working(name, J):
    """Parameters of a positive definite member, no two alike."""
    entry, rng = STRUCTURES[name], np.random.default_rng(J)
    theta = rng.normal(0, 0.25, entry.count(J))
    assert np.linalg.eigvalsh(entry.scales["working"].surface(theta, times_of(J)).value).min() > 0
    return theta


@pytest.mark.parametrize(("name", "scale", "J"), CASES)
def test_derivatives_and_way_back(name, scale, J):
    entry, times = STRUCTURES[name], times_of(J)
    sigma = entry.scales["working"].surface(working(name, J), times).value
    own = entry.scale(scale)
    theta = working(name, J) if scale == "working" else own.parameters(sigma, times)
    here = own.surface(theta, times)
    np.testing.assert_allclose(here.value, sigma, atol=1e-12)
    step = 1e-6
    ahead, behind = ([own.surface(theta + s * e, times) for e in np.eye(len(theta))] for s in (step, -step))
    first = np.array([(a.value - b.value) / (2 * step) for a, b in zip(ahead, behind, strict=True)])
    second = np.array([(a.first - b.first) / (2 * step) for a, b in zip(ahead, behind, strict=True)])
    bound = FINITE_DIFFERENCES * max(1.0, np.abs(here.second).max())
    assert np.abs(first - here.first).max() < bound
    assert np.abs(second - here.second).max() < bound
    np.testing.assert_allclose(here.second, here.second.transpose(0, 1, 3, 2), atol=1e-14)


@pytest.mark.parametrize("name", [n for n in STRUCTURES if "mmrm" in STRUCTURES[n].scales])
@pytest.mark.parametrize("scale", ["working", "natural", "mmrm"])
def test_parameters_of_a_member_are_its_own(name, scale):
    times, own = times_of(4), STRUCTURES[name].scale(scale)
    sigma = STRUCTURES[name].scales["working"].surface(working(name, 4), times).value
    theta = own.parameters(sigma, times)
    assert len(theta) == STRUCTURES[name].count(4)
    np.testing.assert_allclose(own.surface(theta, times).value, sigma, rtol=1e-12)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("seed", range(5))
def test_start_is_positive_definite_for_any_covariance(name, seed):
    rng, times = np.random.default_rng(seed), times_of(5)
    half = rng.normal(size=(5, 6)) * rng.gamma(1, 2, 5)[:, None]
    theta = start(STRUCTURES[name], half @ half.T, times)
    assert np.linalg.eigvalsh(STRUCTURES[name].scales["working"].surface(theta, times).value).min() > 0


def test_counts():
    counts = {"us": 10, "toeph": 7, "toep": 4, "ar1h": 5, "ar1": 2, "csh": 5, "cs": 2, "adh": 7, "ad": 4}
    assert {name: STRUCTURES[name].count(4) for name in counts} == counts


def test_unknown_structure_and_scale_are_named():
    with pytest.raises(ParameterError, match=r"'unstructured'.*choose one of us"):
        structure("unstructured")
    with pytest.raises(ParameterError, match="random-intercept"):
        structure("random-intercept").scale("mmrm")
