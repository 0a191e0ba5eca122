"""Run cells in a shell."""

from __future__ import annotations

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell


def run(shell: InteractiveShell, code: str) -> ExecutionResult:
    """Run a cell and return its result, whether it failed or not."""
    return shell.run_cell(code, store_history=True)


def must(shell: InteractiveShell, code: str) -> None:
    """Run a cell that has to succeed; raise its error."""
    run(shell, code).raise_error()


def error_of(shell: InteractiveShell, code: str) -> BaseException:
    """Run a cell that has to fail, and return its error."""
    error = run(shell, code).error_in_exec
    assert error is not None
    return error
