"""Audit chain, API keys, feedback and idempotent answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

GENESIS = "0" * 64


def upgrade() -> None:
    """Create the first tables and the empty head of the audit chain."""
    _create_audit()
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("expires", sa.String(27)),
        sa.Column("revoked", sa.String(27)),
        sa.Column("requests_per_minute", sa.Integer),
    )
    op.create_table(
        "feedback",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("prediction_id", sa.String(64), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("agree", sa.Boolean, nullable=False),
        sa.Column("corrected_label", sa.String(200)),
        sa.Column("comment_code", sa.String(40)),
        sa.Column("patient_hmac", sa.String(64)),
    )
    op.create_index("feedback_prediction_id", "feedback", ["prediction_id"])
    op.create_table(
        "idempotent_answers",
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("route", sa.String(120), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("expires_at", sa.Float(53), nullable=False),
    )
    op.create_index("idempotent_answers_expires_at", "idempotent_answers", ["expires_at"])


def _create_audit() -> None:
    """Create the tables of the chain; the head row is what writers lock."""
    op.create_table(
        "audit_records",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("prediction_id", sa.String(64), unique=True),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("audit_records_time", "audit_records", ["time"])
    op.create_index("audit_records_request_id", "audit_records", ["request_id"])
    head = op.create_table(
        "audit_head",
        sa.Column(
            "id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
        ),
        *_signed_position(primary=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": GENESIS, "time": "", "signature": ""}])
    op.create_table("audit_bases", *_signed_position(primary=True))


def _signed_position(*, primary: bool) -> list[sa.Column[object]]:
    """Columns of a signed position in the chain."""
    return [
        sa.Column("seq", sa.BigInteger, primary_key=primary, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("signature", sa.String(88), nullable=False),
    ]


def downgrade() -> None:
    """Drop everything; an audit that must be kept is exported first."""
    for name in (
        "idempotent_answers",
        "feedback",
        "api_keys",
        "audit_bases",
        "audit_head",
        "audit_records",
    ):
        op.drop_table(name)
