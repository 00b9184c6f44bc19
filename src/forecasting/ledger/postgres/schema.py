"""Makes the schema what the published tables need, version by version, and touches nothing that is not ours.

Every change, the first included, is a version: it is made in the transaction that publishes, together with a row in VERSIONS that says
what it was and which tables it made. Those named there are ours, whatever else lies in the schema. What is only new (a table, a column)
is added; what cannot be added is refused with what to do.
"""

import datetime as dt

from psycopg import Cursor, sql

from forecasting.errors import UserError
from forecasting.ledger.postgres.shape import Table

VERSIONS, STATE = "forecasting_schema", "forecasting_publication"
MARK = "Written by the forecasting project: which version of these tables was made when, and which tables are its own."
CONTROL = """
    create table {versions} (
        version integer primary key, description text not null, tables text[] not null, applied_at timestamptz not null default now()
    );
    comment on table {versions} is {mark};
    create table {state} (
        only_one boolean primary key default true check (only_one), workspace text not null, published_at timestamptz not null,
        received_at timestamptz not null default now()
    );
    comment on table {state} is {about}
"""
# Every relation of the schema, and our kinds of columns in it. Grain: one row per relation and column.
RELATIONS = """
    select c.relname, obj_description(c.oid, 'pg_class') from pg_class as c
    where c.relnamespace = to_regnamespace(%s)
"""
COLUMNS = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
    from pg_attribute as a inner join pg_class as c on c.oid = a.attrelid
    where c.relnamespace = to_regnamespace(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
KEYS = """
    select c.relname, array_agg(a.attname::text order by a.attname)
    from pg_index as i inner join pg_class as c on c.oid = i.indrelid
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = any(i.indkey)
    where i.indisprimary and c.relnamespace = to_regnamespace(%s) group by c.relname
"""


class Schema:
    """A schema of the database, locked for this transaction: only one publishes at a time."""

    def __init__(self, cursor: Cursor, name: str) -> None:
        """Wait for whoever publishes into the schema just now, and look at what is there; it is made where it is missing."""
        self.cursor, self.name, self.quoted = cursor, name, sql.Identifier(name).as_string(cursor)
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('forecasting publish ' || %s, 0))", [name])
        if cursor.execute("select to_regnamespace(%s)", [self.quoted]).fetchone() == (None,):
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
        self.relations = dict(cursor.execute(RELATIONS, [self.quoted]).fetchall())
        self.ours = self._ours()

    def at(self, table: str) -> sql.Identifier:
        """Return the whole name of a table in the schema, for a statement."""
        return sql.Identifier(self.name, table)

    def bring_up(self, tables: list[Table]) -> None:
        """Make our tables what they have to be, keeping what they hold.

        Raises
        ------
        UserError
            If something that is not ours has one of our names, or a table of ours cannot be brought to its shape by adding.
        """
        taken = [
            name
            for name in (*(() if self.ours else (VERSIONS, STATE)), *(table.name for table in tables))
            if name in self._foreign()
        ]
        if taken:
            raise UserError(
                f"The schema «{self.name}» holds {', '.join(taken)}, which this project has not made. It stays as it is, and nothing was "
                "written. Rename it, or give another schema with `publish_schema:` in params/."
            )
        if not self.ours:
            about = "Which workspace of the forecasting project publishes into this schema, and what it published last."
            self._do(
                CONTROL,
                versions=self.at(VERSIONS),
                state=self.at(STATE),
                mark=sql.Literal(MARK),
                about=sql.Literal(about),
            )
        made = [table for table in tables if table.name not in self.relations]
        for table in made:
            self._create(table)
        added = self._add_columns([table for table in tables if table.name in self.relations])
        changes = [*(f"{table.name} made" for table in made), *added]
        if changes:
            self._do(
                "insert into {versions} select coalesce(max(version), 0) + 1, {what}, {made}::text[] from {versions}",
                versions=self.at(VERSIONS), what=sql.Literal("; ".join(changes)), made=sql.Literal([table.name for table in made]),
            )  # fmt: skip
        self._describe(tables)

    def take(self, workspace: str, published_at: dt.datetime) -> None:
        """Note what is published into the schema from now on: whose, and of when.

        Raises
        ------
        UserError
            If the schema belongs to another workspace, or holds what was published later.
        """
        row = self._do("select workspace, published_at from {state}", state=self.at(STATE)).fetchone()
        if row and row[0] != workspace:
            raise UserError(
                f"The schema «{self.name}» holds the forecasts of the workspace «{row[0]}», and «{workspace}» must not overwrite them. "
                f"Give it a schema of its own: `publish_schema: {workspace.lower()}` in params/workspaces/{workspace}.yml."
            )
        if row and row[1] > published_at:
            raise UserError(
                f"PostgreSQL, schema «{self.name}», holds what was published on {row[1]:%Y-%m-%d at %H:%M:%S} UTC; this is older, of "
                f"{published_at:%Y-%m-%d at %H:%M:%S} UTC, and nothing was written. To go back to it all the same, "
                f"`delete from {self.quoted}.{STATE}` and publish again."
            )
        if row is None or row[1] != published_at:
            self._do(
                "insert into {state} (workspace, published_at) values ({workspace}, {at}) on conflict (only_one) do update set "
                "published_at = excluded.published_at, received_at = excluded.received_at",
                state=self.at(STATE), workspace=sql.Literal(workspace), at=sql.Literal(published_at),
            )  # fmt: skip

    def let_read(self, roles: list[str], tables: list[Table]) -> None:
        """Give roles the right to read our tables.

        Raises
        ------
        UserError
            If there is no such role, or the right to enter the schema is not ours to give.
        """
        for role in roles:
            if self.cursor.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
                raise UserError(
                    f"params: publish_readers names {role!r}, a role that the PostgreSQL server does not have. Nothing was written there."
                )
            self._do(
                "grant usage on schema {schema} to {role}", schema=sql.Identifier(self.name), role=sql.Identifier(role)
            )
            names = sql.SQL(", ").join(self.at(name) for name in (*(table.name for table in tables), VERSIONS, STATE))
            self._do("grant select on {names} to {role}", names=names, role=sql.Identifier(role))
            if not self.cursor.execute("select has_schema_privilege(%s, %s, 'usage')", [role, self.name]).fetchone()[0]:
                raise UserError(
                    f"The schema «{self.name}» belongs to a role that has not let ours give others the right to enter it: have its owner "
                    f"run `grant usage on schema {self.quoted} to {role}`. Nothing was written."
                )

    def _ours(self) -> set[str]:
        """Return the names of our tables in the schema, none where nothing was published there."""
        if self.relations.get(VERSIONS) != MARK:
            return set()
        rows = self._do("select unnest(tables) from {versions}", versions=self.at(VERSIONS)).fetchall()
        return {VERSIONS, STATE, *(name for (name,) in rows)}

    def _foreign(self) -> set[str]:
        return set(self.relations) - self.ours

    def _do(self, statement: str, **parts: sql.Composable) -> Cursor:
        return self.cursor.execute(sql.SQL(statement).format(**parts))

    def _create(self, table: Table) -> None:
        columns = [sql.SQL("{} {}").format(sql.Identifier(each.name), sql.SQL(each.type)) for each in table.columns]
        key = sql.SQL("primary key ({})").format(listed(table.key))
        self._do("create table {table} ({parts})", table=self.at(table.name), parts=sql.SQL(", ").join([*columns, key]))

    def _add_columns(self, tables: list[Table]) -> list[str]:
        """Add the columns that tables lack; return what was added, in words."""
        keys = dict(self.cursor.execute(KEYS, [self.quoted]).fetchall())
        there = self._columns()
        added = []
        for table in tables:
            have, wanted = there[table.name], {column.name: column.type for column in table.columns}
            other = [name for name, (kind, _) in have.items() if wanted.get(name) != kind]
            if other or keys.get(table.name) != sorted(table.key):
                what = f"the columns {', '.join(other)}" if other else f"a key other than {', '.join(table.key)}"
                raise UserError(
                    f"{self.name}.{table.name} in PostgreSQL has {what}, which this version of the project does not write: another version "
                    "wrote it, or somebody changed it. Use that version, or drop the table: the next publication makes it anew. Nothing "
                    "was written."
                )
            for name in [name for name in wanted if name not in have]:
                self._do("alter table {table} add column {name} {type}", table=self.at(table.name), name=sql.Identifier(name),
                         type=sql.SQL(wanted[name]))  # fmt: skip
                added.append(f"{table.name}.{name} added")
        return added

    def _columns(self) -> dict[str, dict[str, tuple[str, str | None]]]:
        """Return type and description of every column in the schema, by table."""
        found: dict[str, dict[str, tuple[str, str | None]]] = {}
        for table, name, kind, description in self.cursor.execute(COLUMNS, [self.quoted]).fetchall():
            found.setdefault(table, {})[name] = (kind, description)
        return found

    def _describe(self, tables: list[Table]) -> None:
        """Set the comments of tables and columns where they are others."""
        there = self._columns()
        for table in tables:
            if self.relations.get(table.name) != table.description:
                self._do(
                    "comment on table {table} is {text}", table=self.at(table.name), text=sql.Literal(table.description)
                )
            for column in table.columns:
                if (there[table.name][column.name][1] or "") != column.description:
                    self._do("comment on column {column} is {text}", column=sql.Identifier(self.name, table.name, column.name),
                             text=sql.Literal(column.description))  # fmt: skip


def listed(names: tuple[str, ...]) -> sql.Composed:
    """Return column names for a statement, parted by commas."""
    return sql.SQL(", ").join(map(sql.Identifier, names))
