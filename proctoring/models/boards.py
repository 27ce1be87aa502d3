"""Boards of quizzes and their entries."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from crm.tenancy import TenantModel, tenant_key


class Leaderboard(TenantModel):
    quiz_code = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True)
    exam_id = models.CharField(max_length=255, blank=True)  # as the grading function names it
    is_open = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    is_hidden = models.BooleanField(default=False, db_default=False)  # for everybody but those who look after it
    join_code = models.CharField(max_length=40, blank=True, db_default="")  # private: only for those who know it
    keep_days = models.PositiveSmallIntegerField(default=365, db_default=365)  # each entry, from when it came
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("leaderboard"),
            # The code is an outside name: unique everywhere, whatever its case
            models.UniqueConstraint(Lower("quiz_code"), name="leaderboard_code_once"),
        ]

    def __str__(self) -> str:
        return self.quiz_code


class LeaderboardEntry(TenantModel):
    board = models.ForeignKey(Leaderboard, on_delete=models.CASCADE, related_name="entries")
    submission_id = models.CharField(max_length=255)
    exam_id = models.CharField(max_length=255, blank=True)
    nickname = models.CharField(max_length=60)
    score = models.DecimalField(max_digits=12, decimal_places=3)
    max_score = models.DecimalField(max_digits=12, decimal_places=3)
    percentage = models.DecimalField(max_digits=6, decimal_places=3)
    submitted_at = models.DateTimeField()
    conflicts = models.PositiveIntegerField(default=0)  # pushes of the same submission that said another score
    revision = models.PositiveIntegerField(default=0, db_default=0)  # changes since it was first set
    is_hidden = models.BooleanField(default=False, db_default=False)  # counts for nothing and nobody sees it
    is_renamed = models.BooleanField(default=False, db_default=False)  # the nickname is not as pushed, and stays so
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "leaderboard entries"
        constraints = [
            tenant_key("leaderboard_entry"),
            models.UniqueConstraint(fields=["workspace", "submission_id"], name="leaderboard_submission_once"),
            models.CheckConstraint(
                condition=Q(score__gte=0, max_score__gt=0, score__lte=F("max_score")), name="leaderboard_score_range"
            ),
        ]
        indexes = [
            # The board's order: best first, of equals the earlier
            models.Index(F("board"), F("score").desc(), F("submitted_at"), F("id"), name="leaderboard_order"),
            models.Index(F("board"), Lower("nickname"), name="leaderboard_nickname"),
            models.Index(F("board"), F("created_at"), name="leaderboard_age"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ScoreCorrection(TenantModel):
    """A score that was explicitly put right. Its id makes it once, like the submission it corrects."""

    entry = models.ForeignKey(LeaderboardEntry, on_delete=models.CASCADE, related_name="corrections")
    correction_id = models.CharField(max_length=255)
    score_before = models.DecimalField(max_digits=12, decimal_places=3)
    score_after = models.DecimalField(max_digits=12, decimal_places=3)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("score_correction"),
            models.UniqueConstraint(fields=["workspace", "correction_id"], name="score_correction_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LeaderboardTally(models.Model):
    """How many shown entries of a board have a score within a range, so that a rank is a short sum and no count.

    Kept by triggers on the entries (0005). A bucket is 1, 10^3, 10^6 or 10^9 thousandths wide, by its level.
    """

    board_id = models.UUIDField()
    level = models.PositiveSmallIntegerField()
    bucket = models.BigIntegerField()
    count = models.IntegerField()

    class Meta:
        verbose_name_plural = "leaderboard tallies"
        constraints = [models.UniqueConstraint(fields=["board_id", "level", "bucket"], name="leaderboard_tally_once")]

    def __str__(self) -> str:
        return f"{self.board_id} {self.level} {self.bucket}"


class BoardSnapshot(TenantModel):
    """How a board stood when it was closed."""

    board = models.ForeignKey(Leaderboard, on_delete=models.CASCADE, related_name="snapshots")
    players = models.PositiveIntegerField()
    rows = models.JSONField(default=list)  # as REST shows them, best first
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [tenant_key("board_snapshot")]
        indexes = [models.Index(F("board"), F("taken_at").desc(), name="board_snapshot_newest")]

    def __str__(self) -> str:
        return str(self.pk)
