"""Rows a second of workers that began at different times."""

from scripts.benchmarks.worker import at_work


def test_rates_of_workers_add_up_from_their_first_parts_on() -> None:
    first = [(10, 1, 1.0), (10, 1, 2.0), (30, 1, 5.0)]  # 40 rows in 4 seconds
    second = [(10, 2, 3.0), (10, 2, 3.5)]  # 10 rows in half a second
    assert at_work(first) == 10
    assert at_work(sorted(first + second, key=lambda part: part[2])) == 10 + 20
