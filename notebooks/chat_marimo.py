# Open with: marimo edit notebooks/chat_marimo.py, or serve with: marimo run notebooks/chat_marimo.py
import marimo

app = marimo.App(app_title="Chat")


@app.cell
def _():
    import marimo as mo

    import cbai_notebook as cbai

    return cbai, mo


@app.cell
def _(mo):
    mo.md("""
    # A chat

    Each visitor has a conversation of their own. Without credentials the offline model answers;
    `model="demo"` plays a script instead.
    """)
    return


@app.cell
def _(cbai):
    panel = cbai.ChatPanel("marimo", examples=["Write a haiku about spring."])
    panel
    return


@app.cell
def _(cbai):
    _model = cbai.create_model("demo")
    _hello = {"messages": [{"role": "user", "content": "Say **hello**."}]}
    answer = cbai.show(cbai.run(_model.stream_text(_hello)))
    return (answer,)


@app.cell
def _(answer):
    answer
    return


if __name__ == "__main__":
    app.run()
