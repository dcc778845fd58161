"""The aspects of an instance that `status.conditions` tells about."""

from enum import StrEnum


class ConditionType(StrEnum):
    """A condition's type. Each is True when all is well, but for Progressing and Paused, which say what goes on."""

    READY = "Ready"
    DATABASE_READY = "DatabaseReady"
    STORAGE_READY = "StorageReady"
    MIGRATIONS_APPLIED = "MigrationsApplied"
    API_AVAILABLE = "ApiAvailable"
    SCANNER_READY = "ScannerReady"
    BACKUP_HEALTHY = "BackupHealthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"


#: What each says when it is True, for the reference.
MEANINGS = {
    ConditionType.READY: "Everything below that the spec asks for is well, at this generation.",
    ConditionType.DATABASE_READY: "The database accepts connections.",
    ConditionType.STORAGE_READY: "The object store answers, and the buckets are there.",
    ConditionType.MIGRATIONS_APPLIED: "The schema is what the image needs.",
    ConditionType.API_AVAILABLE: "Enough API pods of the wanted image answer.",
    ConditionType.SCANNER_READY: "The virus scanner answers. The message tells of signatures older than 48 hours.",
    ConditionType.BACKUP_HEALTHY: "The newest backup is not older than the schedule allows.",
    ConditionType.PROGRESSING: "The operator is changing something; `waitingFor` says what it waits for.",
    ConditionType.PAUSED: "`spec.paused` is obeyed: nothing is changed.",
}
