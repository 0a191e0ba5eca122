"""Make the prompt of each row, from a template or by a function of the user."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from cbai_notebook.batching.row_slice import Rows
from cbai_notebook.conversation.frames.columns import is_missing
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import listed, say
from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.references import Found, NotFound, Reference, value_at
from cbai_notebook.prompts.tables import DEFAULT_LIMITS, is_table, markdown_table
from cbai_notebook.prompts.template import Slot, Template
from cbai_notebook.prompts.values import cell_text
from cbai_notebook.text import near_match, one_line

Missing = Literal["skip", "send", "raise"]
"""What happens to a row without a value: it is not sent, an empty text is sent, or nothing begins."""

ROW = "row"
"""The name of the whole row in a template, as in ``{row["unit price"]}``; a column may have it too."""

_SHOWN_COLUMNS = 20
_LONGEST_ERROR = 300


class RowText(NamedTuple):
    """The prompt of one row, or why it has none.

    Attributes:
        text: The text of the prompt; None if a function made messages, or if there is no prompt.
        messages: The messages that the function of the prompt made.
        system: The system prompt, if there is one.
        images: Paths, addresses or other images that belong to the prompt, not read yet.
        missing: What has no value in this row, so that it is not sent: a column, or a part of one.
        error: Why no prompt could be made; ``""`` if there is one or if a value is missing.
    """

    text: str | None = None
    messages: list[dict[str, Any]] | None = None
    system: str | None = None
    images: tuple[Any, ...] = ()
    missing: str | None = None
    error: str = ""


class _NoPromptError(Exception):
    """A row gets no prompt; ``result`` says why."""

    def __init__(self, result: RowText) -> None:
        super().__init__()
        self.result = result


class RowPrompt:
    """The prompts of a batch: made once, then asked for each row.

    Attributes:
        used: The columns that are used; :meth:`of_row` needs their values.
        hints: Sentences for the user, such as about braces that are sent as written.
    """

    def __init__(
        self,
        make: Callable[[Mapping[str, Any]], str | list[dict[str, Any]]],
        used: tuple[str, ...],
        hints: tuple[str, ...] = (),
        system: _RowTemplate | None = None,
        images: _Images | None = None,
        missing: Missing = "skip",
    ) -> None:
        self.used = used
        self.hints = hints
        self._make = make
        self._system = system
        self._images = images
        self._raises = missing == "raise"
        self._rows = 0

    @property
    def has_images(self) -> bool:
        """Whether rows have images."""
        return self._images is not None

    @classmethod
    def of(
        cls,
        prompt: str | Callable[[dict[str, Any]], Any],
        rows: Rows,
        namespace: Mapping[str, Any],
        *,
        missing: Missing = "skip",
        images: str | Sequence[str] | None = None,
        system: str | None = None,
        limits: Preferences = DEFAULT_LIMITS,
    ) -> RowPrompt:
        """Check the prompt of a batch and fill in the notebook's variables, before anything is sent.

        Args:
            prompt: A template with the row's columns and the notebook's variables, columns first; or
                a function from a row, a dict of all its columns, to a text or a list of messages.
            rows: The rows.
            namespace: The notebook's variables.
            missing: What happens to a row without a value in a used column. A function gets ``None``
                and decides itself.
            images: The columns with an image, or a list of images, for each row.
            system: The template of the system prompt.
            limits: How much of a DataFrame or Series in a variable is sent.

        Raises:
            UsageError: A name is neither a column nor a variable, no column is used, or values are
                missing and that is to raise.
        """
        if missing not in get_args(Missing):
            known = listed(map(repr, get_args(Missing)), last="or")
            raise UsageError(
                say("rows.no_such_choice", name="missing", value=repr(missing), known=known)
            )
        if not isinstance(prompt, str) and not callable(prompt):
            raise UsageError(say("rows.not_a_prompt", kind=type(prompt).__name__))
        if inspect.iscoroutinefunction(prompt):
            raise UsageError(say("rows.async_prompt"))
        if not rows.columns and rows.count == 0:
            return cls(lambda values: "", ())
        pictures = _Images(images, rows.columns, missing) if images is not None else None
        around = (
            None
            if system is None
            else _RowTemplate(system, rows.columns, namespace, missing, limits)
        )
        if isinstance(prompt, str):
            template = _RowTemplate(prompt, rows.columns, namespace, missing, limits)
            used, hints = template.used, template.hints
            make: Callable[[Mapping[str, Any]], Any] = template.of_row
        else:
            used, hints, make = rows.columns, (), _Function(prompt)
        needed = [] if not isinstance(prompt, str) else [*template.needed]
        for part in (around, pictures):
            if part is not None:
                used, needed = used + part.used, [*needed, *part.needed]
                hints += part.hints
        if not used:
            raise UsageError(say("rows.same_prompt", example=_written_for(rows.columns[0])))
        if missing == "raise":
            _check_missing(rows, tuple(dict.fromkeys(needed)))
        return cls(make, tuple(dict.fromkeys(used)), hints, around, pictures, missing)

    def of_row(self, values: Mapping[str, Any]) -> RowText:
        """Return the prompt of the next row.

        Args:
            values: The values of the used columns; ``None`` for a missing one.

        Raises:
            UsageError: A value is missing and ``missing="raise"``: rows that are read while the
                batch runs cannot be checked before.
        """
        self._rows += 1
        try:
            made = self._make(values)
            system = None if self._system is None else self._system.of_row(values)
            images = () if self._images is None else self._images.of_row(values)
        except _NoPromptError as error:
            result = error.result
            if self._raises and result.missing is not None:
                row = self._rows - 1
                raise UsageError(
                    say("rows.row_has_missing", row=row, name=result.missing)
                ) from None
            return result
        if type(made) is list:
            return RowText(None, made, system, images)
        return RowText(str(made), None, system, images)


# Templates ------------------------------------------------------------------------------------------


class _Cell(NamedTuple):
    """A place of a template, and the value of a row that belongs there.

    Attributes:
        at: The number of the place among the pieces of the template.
        column: The column; None for the whole row.
        path: The path from the column's value, as a reference by the column's name.
        slot: The place.
    """

    at: int
    column: str | None
    path: Reference
    slot: Slot


class _RowTemplate:
    """A template with the notebook's variables filled in, and places for the columns."""

    def __init__(
        self,
        text: str,
        columns: Sequence[str],
        namespace: Mapping[str, Any],
        missing: Missing,
        limits: Preferences,
    ) -> None:
        names = {ROW, *columns}
        # The hints about a template also know the names of the columns.
        known = {**namespace, **dict.fromkeys((ROW, *columns), " ")}
        partly = Template.of(text).expand_partly(known, names, limits=limits)
        if partly.mistake is not None:
            raise _mistake(*partly.mistake, columns, known)
        self._sends = missing == "send"
        self._limits = limits
        self._columns = tuple(columns)
        self._pieces = ["" if isinstance(piece, Slot) else piece for piece in partly.pieces]
        self._cells = [
            _cell(at, piece, columns)
            for at, piece in enumerate(partly.pieces)
            if isinstance(piece, Slot)
        ]
        self.hints = partly.hints
        found = [cell.column for cell in self._cells]
        self.needed = tuple(dict.fromkeys(name for name in found if name is not None))
        self.used = (*self.needed, *(columns if None in found else ()))

    def of_row(self, values: Mapping[str, Any]) -> str:
        """Return the text of a row.

        Raises:
            _NoPromptError: A value is missing, or has no text.
        """
        pieces = self._pieces.copy()
        for cell in self._cells:
            at, column, path, _ = cell
            if column is not None and not path.path:
                value = values[column]
                kind = type(value)
                if kind is str or kind is int:  # most values, and the quickest way
                    pieces[at] = value if kind is str else str(value)
                    continue
            else:
                value = self._value(cell, values)
            if is_missing(value):
                if not self._sends:
                    raise _NoPromptError(RowText(missing=str(path)))
            else:
                pieces[at] = self._text(cell, value)
        return "".join(pieces)

    def _value(self, cell: _Cell, values: Mapping[str, Any]) -> Any:
        if cell.column is None:
            return {name: values[name] for name in self._columns}
        value = values[cell.column]
        if value is None:
            return None
        found = value_at(value, cell.path)
        if isinstance(found, Found):
            return found.value
        reason = found.reason or say("reference.has_no_key", path=cell.column, key=cell.path.path)
        raise _NoPromptError(RowText(error=_failed(cell.slot, reason)))

    def _text(self, cell: _Cell, value: Any) -> str:
        try:
            if is_table(value):
                table = markdown_table(value, self._limits).text
                return f"{cell.slot.before}{table}{cell.slot.after}"
            return cell_text(value)
        # The object is the user's, so its `__str__` may raise anything.
        except Exception as error:
            reason = say("reference.text_failed", error=type(error).__name__)
            raise _NoPromptError(RowText(error=_failed(cell.slot, reason))) from error


def _cell(at: int, slot: Slot, columns: Sequence[str]) -> _Cell:
    """Return the column that a place of a template names.

    Raises:
        UsageError: It names none: ``{row["typo"]}``, ``{row.name}``.
    """
    reference = slot.reference
    if reference.name in columns:
        return _Cell(at, reference.name, reference, slot)
    if not reference.path:
        return _Cell(at, None, reference, slot)
    inside = reference.inside()
    if inside is None:
        reason = say("rows.row_needs_a_key", example=_by_key(columns[0]))
        raise UsageError(say("rows.cannot_fill_in", written=f"{{{reference}}}", reason=reason))
    if inside.name not in columns:
        near = _near(inside.name, columns)
        raise _unknown(reference, _by_key(near) if near else "", columns)
    return _Cell(at, inside.name, inside, slot)


def _mistake(
    reference: Reference, reason: NotFound, columns: Sequence[str], known: Mapping[str, Any]
) -> UsageError:
    """Return the error for a reference that most likely was to be filled in and cannot."""
    if reason.known:
        return UsageError(
            say("rows.cannot_fill_in", written=f"{{{reference}}}", reason=reason.reason)
        )
    near = _near(reference.name, [*columns, *(name for name in known if not name.startswith("_"))])
    written = "" if not near else _written_for(near) if near in columns else f"{{{near}}}"
    return _unknown(reference, written, columns)


def _unknown(reference: Reference, near: str, columns: Sequence[str]) -> UsageError:
    written = f"{{{reference}}}"
    if near:
        return UsageError(say("rows.no_such_name_near", written=written, near=near))
    return UsageError(say("rows.no_such_name", written=written, columns=_listed(columns)))


def _near(name: str, known: Sequence[str]) -> str:
    names = {one.lower(): one for one in reversed(known)}
    near = near_match(name.lower(), names)
    return names[near] if near else ""


def _listed(columns: Sequence[str]) -> str:
    shown = [one_line(name, 60) for name in columns[:_SHOWN_COLUMNS]]
    return ", ".join([*shown, "…"] if len(columns) > _SHOWN_COLUMNS else shown)


def _written_for(column: str) -> str:
    """Return how a template names a column."""
    return f"{{{column}}}" if column.isidentifier() else _by_key(column)


def _by_key(column: str) -> str:
    quote = "'" if '"' in column else '"'
    return f"{{{ROW}[{quote}{column}{quote}]}}"


def _failed(slot: Slot, reason: str) -> str:
    return say("rows.value_failed", written=f"{{{slot.reference}}}", reason=reason)


# Functions and images -------------------------------------------------------------------------------


class _Function:
    """Calls the user's function for a row."""

    def __init__(self, function: Callable[[dict[str, Any]], Any]) -> None:
        self._function = function

    def __call__(self, values: Mapping[str, Any]) -> str | list[dict[str, Any]]:
        try:
            made = self._function(dict(values))
        # The function is the user's and may raise anything.
        except Exception as error:
            message = say("rows.function_failed", error=_line_of(error))
            raise _NoPromptError(RowText(error=message)) from error
        if isinstance(made, str):
            return made
        if isinstance(made, (list, tuple)) and made and all(map(_is_message, made)):
            return [dict(message) for message in made]
        raise _NoPromptError(RowText(error=say("rows.function_gave", kind=type(made).__name__)))


def _is_message(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str)


def _line_of(error: Exception) -> str:
    name = type(error).__name__
    try:
        return one_line(f"{name}: {error}", _LONGEST_ERROR)
    except Exception:  # noqa: BLE001 - the error's own text fails
        return name


class _Images:
    """Takes the images of a row out of its columns."""

    hints: tuple[str, ...] = ()

    def __init__(
        self, names: str | Sequence[str], columns: Sequence[str], missing: Missing
    ) -> None:
        self.used = self.needed = (names,) if isinstance(names, str) else tuple(names)
        self._sends = missing == "send"
        for name in self.used:
            if name not in columns:
                raise UsageError(
                    say("rows.no_images_column", name=repr(name), columns=_listed(columns))
                )

    def of_row(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the images of a row.

        Raises:
            _NoPromptError: A column has no value.
        """
        found: list[Any] = []
        for name in self.used:
            value = values[name]
            if is_missing(value):
                if not self._sends:
                    raise _NoPromptError(RowText(missing=name))
            elif isinstance(value, (list, tuple)):
                found += value
            else:
                found.append(value)
        return tuple(found)


def _check_missing(rows: Rows, needed: Sequence[str]) -> None:
    """Check that no value is missing in rows that can be read more than once.

    Raises:
        UsageError: Some are; the message has their numbers by column.
    """
    if rows.kind == "iterable":
        return
    found = rows.missing(needed)
    if rows.kind in ("csv", "parquet"):
        found = dict.fromkeys(needed, 0)
        for part in rows.slices(needed):
            for name, values in part.values.items():
                found[name] += values.count(None)
    if short := [say("rows.missing_in", name=name, n=n) for name, n in found.items() if n]:
        raise UsageError(say("rows.has_missing", columns=listed(short)))
