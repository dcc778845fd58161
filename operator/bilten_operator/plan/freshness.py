"""Are the backups as fresh as the schedule promises? Asked of their age, not of failures: those are forgotten."""

from datetime import datetime, timedelta

from bilten_operator.plan.judge import Verdict, waits
from bilten_operator.plan.scene import Scene, condition
from bilten_operator.resources import cron

#: How long a backup may take, and the first one may be waited for.
GRACE = timedelta(hours=2)


def latest(scene: Scene) -> datetime | None:
    """When the newest complete base backup was made."""
    name = scene.instance.database
    store = scene.find("ObjectStore", name) or {}
    window = store.get("status", {}).get("serverRecoveryWindow", {}).get(name, {})
    told = window.get("lastSuccessfulBackupTime")
    return datetime.fromisoformat(told) if told else None


def judge(scene: Scene) -> Verdict | None:
    """What BackupHealthy says; None where no backups are asked for. Not ready without a blocker: not known yet."""
    wanted = scene.instance.spec.backup
    if wanted is None:
        return None
    last = latest(scene)
    if wanted.suspend:
        said = f"The newest base backup is of {last:%Y-%m-%d %H:%M} UTC." if last else "There is no base backup."
        return Verdict(ready=True, reason="Suspended", message=f"Base backups are suspended. {said}")
    return _without(scene) if last is None else _with(scene, last)


def _without(scene: Scene) -> Verdict:
    since, ref = _since(scene), scene.ref("Cluster", scene.instance.database)
    if since is None or scene.now - since < GRACE:
        failed = condition(scene.find("Cluster", ref.name), "LastBackupSucceeded")
        said = f" The last try failed: {failed.get('message')}." if failed.get("reason") == "LastBackupFailed" else ""
        message = f"The first base backup is not complete.{said}"
        return Verdict(ready=False, reason="AwaitingFirstBackup", message=message)
    return waits("NoBackup", f"There is no base backup after {GRACE}. Look at the Backups of {ref.name}.", ref)


def _with(scene: Scene, last: datetime) -> Verdict:
    ref, due = scene.ref("Cluster", scene.instance.database), _due(scene)
    archiving = condition(scene.find("Cluster", scene.instance.database), "ContinuousArchiving")
    if archiving.get("status") == "False":
        said = archiving.get("message") or "it does not say why"
        return waits("ArchivingFails", f"The write-ahead log is not archived: {said}", ref)
    if due is not None and last < due and scene.now - due >= GRACE:
        message = f"The newest base backup is of {last:%Y-%m-%d %H:%M} UTC; one was due at {due:%Y-%m-%d %H:%M} UTC."
        return waits("BackupTooOld", message, ref)
    return Verdict(ready=True, reason="Fresh", message=f"The newest base backup is of {last:%Y-%m-%d %H:%M} UTC.")


def _due(scene: Scene) -> datetime | None:
    """When the newest backup that must be complete by now was due."""
    wanted = scene.instance.spec.backup
    if wanted is None:
        return None
    by_now = scene.now - GRACE
    times = [schedule.previous(by_now) for schedule in cron.translate(wanted.schedule, wanted.time_zone, scene.now)]
    return max((time for time in times if time), default=None)


def _since(scene: Scene) -> datetime | None:
    """Since when there is a schedule."""
    created = [
        datetime.fromisoformat(found["metadata"]["creationTimestamp"])
        for found in scene.of_kind("ScheduledBackup")
        if "creationTimestamp" in found["metadata"]
    ]
    return min(created, default=None)
