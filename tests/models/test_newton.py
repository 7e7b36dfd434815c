"""The optimiser on functions whose ends are known."""

import numpy as np
import pytest

from easitrace.models.newton import Local, minimise


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_local(x):
    a, b = x
    gradient = np.array([-400 * a * (b - a**2) - 2 * (1 - a), 200 * (b - a**2)])
    hessian = np.array([[1200 * a**2 - 400 * b + 2, -400 * a], [-400 * a, 200.0]])
    return Local(rosenbrock(x), gradient, hessian)


def never(theta):
    return False


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (3.0, -2.0), (-4.0, 9.0)])
def test_rosenbrock(start):
    run = minimise(rosenbrock, rosenbrock_local, np.array(start), never)
    assert run.end == "stationary"
    np.testing.assert_allclose(run.theta, [1, 1], rtol=1e-10)
    assert np.abs(run.local.gradient).max() < 1e-10
    assert run.iterations < 60


def test_a_second_start_joins_the_first_optimum():
    first = minimise(rosenbrock, rosenbrock_local, np.array([-1.2, 1.0]), never)
    second = minimise(rosenbrock, rosenbrock_local, np.array([0.9, 0.8]), never, first)
    assert second.end == "joined"
    assert second.local.value > first.local.value


def quartic(x):
    """Two minima of different depth: -0.25 - 0.1 and -0.25 + 0.1, roughly."""
    return float(x[0] ** 4 / 4 - x[0] ** 2 / 2 + 0.1 * x[0])


def quartic_local(x):
    return Local(quartic(x), np.array([x[0] ** 3 - x[0] + 0.1]), np.array([[3 * x[0] ** 2 - 1]]))


def test_another_optimum_is_not_joined_and_a_maximum_is_left():
    deep = minimise(quartic, quartic_local, np.array([-2.0]), never)
    shallow = minimise(quartic, quartic_local, np.array([2.0]), never, deep)
    assert (deep.end, shallow.end) == ("stationary", "stationary")
    assert shallow.local.value > deep.local.value + 0.1
    top = minimise(quartic, quartic_local, np.array([0.1]), never)
    assert top.local.hessian[0, 0] > 0


def test_a_function_that_cannot_be_lowered_further_is_precision_limited():
    """A gradient that promises what the function does not give."""
    wrong = minimise(lambda x: 1.0 + 1e-3 * abs(x[0]), lambda x: Local(1.0, np.ones(1), np.eye(1)), np.zeros(1), never)
    assert wrong.end == "precision-limited"


@pytest.mark.parametrize(("rounding", "end"), [(1e-11, "stationary"), (1e-6, "precision-limited")])
def test_rounding_errors_of_the_function_do_not_hide_an_optimum(rounding, end):
    """x^2 / 2 that seems to rise wherever one goes from a point just short of the tolerance: 2e-6^2 > 1e-12."""
    start = np.array([2e-6])
    run = minimise(
        lambda x: 0.5 * float(x[0] ** 2) + rounding * float(x[0] != start[0]),
        lambda x: Local(0.5 * float(x[0] ** 2), x.copy(), np.eye(1)),
        start,
        never,
    )
    assert run.end == end
    assert run.theta[0] == pytest.approx(0.0 if end == "stationary" else 2e-6, abs=1e-15)


def test_a_function_without_a_minimum():
    """exp(-x) falls for ever: singular when told so, else no end within the limit of iterations."""

    def local(x):
        e = np.exp(-x[0])
        return Local(e, np.array([-e]), np.array([[e]]))

    assert (
        minimise(lambda x: -x[0], lambda x: Local(-x[0], -np.ones(1), 1e-9 * np.eye(1)), np.zeros(1), never).end
        == "maxit"
    )
    stopped = minimise(lambda x: np.exp(-x[0]), local, np.zeros(1), lambda x: bool(x[0] > 5))
    assert stopped.end == "singular"


def test_outside_the_domain_is_avoided():
    """-log x + x, infinite for x <= 0, from a start whose full step leaves the domain."""
    run = minimise(
        lambda x: float(x[0] - np.log(x[0])) if x[0] > 0 else np.inf,
        lambda x: Local(float(x[0] - np.log(x[0])), np.array([1 - 1 / x[0]]), np.array([[1 / x[0] ** 2]])),
        np.array([2.5]),
        never,
    )
    assert run.end == "stationary"
    assert run.theta[0] == pytest.approx(1)
