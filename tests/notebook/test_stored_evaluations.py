"""`%cbai evaluations`."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

from tests.evaluation.evaluations import SHORT, cases, evaluate, play, stored_beside
from tests.notebook.cells import must


def test_runs_are_listed_in_a_notebook(
    shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with stored_beside(tmp_path / "history.sqlite"):
        must(shell, "%cbai evaluations")
        assert capsys.readouterr().out.strip() == "No run of an evaluation is stored."
        play(knows=3)
        evaluate(cases(6), {"short": SHORT}, name="intent")
        must(shell, "%cbai evaluations intent")
        header, line = capsys.readouterr().out.splitlines()
        assert header.split() == [
            "number", "ended", "name", "variant", "model", "check", "value", "cases", "failed",
        ]  # fmt: skip
        assert "intent  short    demo   equals  50 % [19–81]      6       0" in line
