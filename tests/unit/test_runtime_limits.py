"""Sign-ins are slowed down, and nobody is locked out for long."""

from runtime.web.limits import FORGET_AFTER_MS, FREE, KEYS_MAX, WAIT_MAX_MS, Throttle


def failing(throttle: Throttle, key: str, times: int, *, now_ms: int = 0) -> None:
    for _ in range(times):
        throttle.failed(key, now_ms=now_ms)


def test_the_first_wrong_tries_cost_nothing() -> None:
    throttle = Throttle()
    failing(throttle, "ann", FREE - 1)
    assert throttle.wait_ms("ann", now_ms=0) == 0


def test_further_wrong_tries_double_the_wait_up_to_a_bound() -> None:
    throttle = Throttle()
    failing(throttle, "ann", FREE)
    waits = []
    for _ in range(30):
        waits.append(throttle.wait_ms("ann", now_ms=0))
        throttle.failed("ann", now_ms=0)
    assert waits[:3] == [1000, 2000, 4000]
    assert waits[-1] == WAIT_MAX_MS


def test_the_wait_passes_with_time() -> None:
    throttle = Throttle()
    failing(throttle, "ann", FREE)
    assert throttle.wait_ms("ann", now_ms=1000) == 0


def test_a_success_forgets_the_account_and_not_the_address() -> None:
    throttle = Throttle()
    for _ in range(FREE):
        throttle.failed("ann", "10.0.0.1", now_ms=0)
    throttle.succeeded("ann")
    assert throttle.wait_ms("ann", now_ms=0) == 0
    assert throttle.wait_ms("ann", "10.0.0.1", now_ms=0) > 0


def test_old_failures_are_forgotten() -> None:
    throttle = Throttle()
    failing(throttle, "ann", 20)
    throttle.failed("ann", now_ms=FORGET_AFTER_MS)
    assert throttle.wait_ms("ann", now_ms=FORGET_AFTER_MS) == 0


def test_memory_is_bounded_however_many_names_are_tried() -> None:
    throttle = Throttle()
    failing(throttle, "ann", FREE)
    for number in range(KEYS_MAX):
        throttle.failed(f"name {number}", now_ms=0)
    assert throttle.wait_ms("ann", now_ms=0) == 0


def test_a_try_that_succeeded_is_no_failure_of_its_address() -> None:
    throttle = Throttle()
    for _ in range(10 * FREE):
        throttle.failed("ann", "10.0.0.1", now_ms=0)
        throttle.succeeded("ann")
        throttle.take_back("10.0.0.1")
    assert throttle.wait_ms("ann", "10.0.0.1", now_ms=0) == 0
    failing(throttle, "10.0.0.1", FREE)
    throttle.take_back("10.0.0.1")
    assert throttle.wait_ms("10.0.0.1", now_ms=0) == 0
    throttle.failed("10.0.0.1", now_ms=0)
    assert throttle.wait_ms("10.0.0.1", now_ms=0) > 0


def test_a_clock_set_back_locks_nobody_out_until_it_has_caught_up() -> None:
    throttle = Throttle()
    failing(throttle, "ann", 30, now_ms=86_400_000)
    assert throttle.wait_ms("ann", now_ms=0) == 0
    throttle.failed("ann", now_ms=0)
    assert throttle.wait_ms("ann", now_ms=0) == 0
