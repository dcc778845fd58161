"""When buckets are asked for again."""

import pytest
from bilten_operator.plan.model import ActionResult, EnsureBuckets
from support.world import World, samples


@pytest.mark.parametrize(("failures", "after_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (500, 10)])
def test_a_store_that_has_just_started_is_tried_again_soon_and_a_sick_one_every_ten_seconds(
    failures: int, after_s: int
):
    world = World(samples()["development"]).provide()
    world.stuck.add("Bucket")
    for _ in range(12):
        world.round()
        world.controllers()
    actions = [write for write in world.plan().writes if isinstance(write, EnsureBuckets)]
    assert actions
    world.results = {
        action.key: ActionResult(ok=False, at=world.now, message="no answer", failures=failures) for action in actions
    }
    plan = world.plan()
    assert not any(isinstance(write, EnsureBuckets) for write in plan.writes)
    assert plan.wake_after_s == after_s
