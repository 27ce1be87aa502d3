"""The event log: one counter and up to a day of numbered events for each topic. Written by log.py alone."""

from django.db import models


class LiveTopic(models.Model):
    """The newest number of a topic. The row's lock, held until commit, is what makes numbers rise in commit order."""

    name = models.TextField(primary_key=True)
    seq = models.BigIntegerField()

    class Meta:
        db_table = "live_topic"

    def __str__(self) -> str:
        return f"{self.name} at {self.seq}"


class LiveEvent(models.Model):
    """One event. Deliberately without foreign keys, so that pruning touches nothing else."""

    pk = models.CompositePrimaryKey("topic", "seq")
    topic = models.TextField()
    seq = models.BigIntegerField()
    type = models.TextField()
    version = models.SmallIntegerField()
    # JSON as it was serialised, never searched: as text it goes to the socket without being parsed again.
    data = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "live_event"
        indexes = [models.Index(fields=["at"], name="live_event_at")]

    def __str__(self) -> str:
        return f"{self.topic} {self.seq}: {self.type}"


class LivePresence(models.Model):
    """One tab of one person on a presence topic, good until `expires_at`. Unlogged; written by presence.py alone."""

    pk = models.CompositePrimaryKey("topic", "person", "tab")
    topic = models.TextField()
    person = models.TextField()
    tab = models.TextField()
    kind = models.TextField()
    name = models.TextField()
    role = models.TextField()
    state = models.TextField()
    draft = models.BooleanField()
    since = models.DateTimeField()
    idle_since = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "live_presence"
        indexes = [models.Index(fields=["expires_at"], name="live_presence_over")]

    def __str__(self) -> str:
        return f"{self.person} on {self.topic}"
