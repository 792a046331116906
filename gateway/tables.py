"""The tables of the gateway's database, as SQLAlchemy Core metadata.

Portable between SQLite and PostgreSQL. Times are UTC text (ISO 8601, microseconds, `Z`), which
sorts as it reads; JSON is text, because the bytes that are hashed are the bytes that are stored.
No table has a column for an input, a file name or a patient's name.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
#: SQLite only numbers rows by itself where the column is a plain INTEGER.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")

AUDIT_RECORDS = Table(
    "audit_records",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("time", String(27), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("prediction_id", String(64), unique=True),
    Column("caller", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("audit_records_time", "time"),
    Index("audit_records_request_id", "request_id"),
)

#: One row: the last record of the chain, signed. PostgreSQL locks it, SQLite the whole file.
AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("time", String(27), nullable=False),
    Column("signature", String(88), nullable=False),
)

#: Where retention has cut the beginning off, signed; the chain goes on from the latest row.
AUDIT_BASES = Table(
    "audit_bases",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("time", String(27), nullable=False),
    Column("signature", String(88), nullable=False),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created", String(27), nullable=False),
    Column("expires", String(27)),
    Column("revoked", String(27)),
    Column("requests_per_minute", Integer),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("prediction_id", String(64), nullable=False),
    Column("time", String(27), nullable=False),
    Column("caller", String(64), nullable=False),
    Column("agree", Boolean, nullable=False),
    Column("corrected_label", String(200)),
    Column("comment_code", String(40)),
    Column("patient_hmac", String(64)),
    Index("feedback_prediction_id", "prediction_id"),
)

IDEMPOTENT_ANSWERS = Table(
    "idempotent_answers",
    METADATA,
    Column("caller", String(64), primary_key=True),
    Column("key_hash", String(64), primary_key=True),
    Column("route", String(120), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("claim", String(32), nullable=False),
    Column("answer", Text),
    Column("expires_at", Float(53), nullable=False),
    Index("idempotent_answers_expires_at", "expires_at"),
)
