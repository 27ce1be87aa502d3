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
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("leaderboard_entry"),
            models.UniqueConstraint(fields=["workspace", "submission_id"], name="leaderboard_submission_once"),
            models.CheckConstraint(
                condition=Q(score__gte=0, max_score__gt=0, score__lte=F("max_score")), name="leaderboard_score_range"
            ),
        ]
        indexes = [
            # The board's order: best first, of equals the earlier
            models.Index(F("board"), F("score").desc(), F("submitted_at"), F("id"), name="leaderboard_order")
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
