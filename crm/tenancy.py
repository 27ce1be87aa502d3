"""What belongs to a workspace: the abstract model, and the composite foreign keys that keep workspaces apart.

Django declares `REFERENCES other(id)`; that alone would let a row point into another workspace. `TenantForeignKey`
adds `(workspace_id, column) REFERENCES other(workspace_id, id)`, so the database itself refuses it.
"""

from typing import Any

from django.db import migrations, models

from crm.ids import uuid7


class TenantModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


def tenant_key(name: str) -> models.UniqueConstraint:
    """UNIQUE (workspace, id): what composite foreign keys point at. Every tenant model's Meta has one."""
    return models.UniqueConstraint(fields=["workspace", "id"], name=f"{name}_tenant_key")


class TenantForeignKey(migrations.RunSQL):
    """Migration operation: `table(workspace_id, column)` must name a row of `target` in the same workspace."""

    def __init__(
        self, table: str, column: str, target: str, *, target_column: str = "id", on_delete: str = "NO ACTION"
    ) -> None:
        name = f"{table}_{column}_same_workspace"
        action = f"SET NULL ({column})" if on_delete == "SET NULL" else on_delete
        super().__init__(
            sql=(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (workspace_id, "{column}") '
                f'REFERENCES "{target}" (workspace_id, "{target_column}") ON DELETE {action} '
                f"DEFERRABLE INITIALLY IMMEDIATE"
            ),
            reverse_sql=f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
        )
        self.arguments = (table, column, target, target_column, on_delete)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        table, column, target, target_column, on_delete = self.arguments
        return ("TenantForeignKey", [table, column, target], {"target_column": target_column, "on_delete": on_delete})
