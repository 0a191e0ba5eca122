// Two things for the cells of JupyterLab and Notebook 7. The prompt of a %%cbai cell is not coloured as
// Python, and the code in an answer has a Copy button.
//
// The file is what a browser loads: a module of Webpack's federation, written by hand, because it needs
// nothing of JupyterLab but the application that it is given.

(() => {
  const PROMPT = /^\s*%%cbai\b/;
  const PLAIN = "text/plain";
  const WORDS = { en: ["Copy", "Copied"], zh: ["复制", "已复制"] };
  const [COPY, COPIED] = WORDS[/^zh\b/i.test(navigator.language || "") ? "zh" : "en"];
  const CODE = ".jp-OutputArea .cbai-markdown pre";

  // Prompts

  const followed = new WeakSet();

  function followNotebook(notebook) {
    const cells = notebook?.model?.cells;
    if (!cells?.changed || followed.has(cells)) return;
    followed.add(cells);
    const followCells = () => {
      for (const cell of cells) if (cell.type === "code" && !followed.has(cell)) followCell(cell, notebook);
    };
    cells.changed.connect(followCells);
    followCells();
  }

  function followCell(cell, notebook) {
    followed.add(cell);
    const colour = () => {
      const isPrompt = PROMPT.test(cell.sharedModel.getSource());
      if (isPrompt && cell.mimeType !== PLAIN) cell.mimeType = PLAIN;
      else if (!isPrompt && cell.mimeType === PLAIN) cell.mimeType = notebook.codeMimetype;
    };
    cell.sharedModel.changed.connect(colour);
    cell.mimeTypeChanged.connect(colour); // the kernel tells its language after the notebook is open
    colour();
  }

  // Copy

  async function copy(pre, button) {
    try {
      await navigator.clipboard.writeText(pre.textContent.replace(/\n$/, ""));
    } catch {
      getSelection().selectAllChildren(pre); // pages without TLS have no clipboard interface
      if (!document.execCommand("copy")) return;
    }
    button.textContent = COPIED;
    setTimeout(() => (button.textContent = COPY), 1600);
  }

  function addButton(pre) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cbai-copy";
    button.textContent = COPY;
    button.style.cssText =
      "position:absolute;right:6px;top:6px;padding:1px 9px;border:1px solid var(--jp-border-color2);" +
      "border-radius:7px;background:var(--jp-layout-color1);color:var(--jp-ui-font-color1);" +
      "font:12px/1.6 var(--jp-ui-font-family);cursor:pointer";
    button.addEventListener("click", () => copy(pre, button));
    const home = document.createElement("div");
    home.style.cssText = "position:relative;height:0;z-index:1";
    home.append(button);
    pre.before(home);
    pre.dataset.cbaiCopy = "";
  }

  function onPointer({ target }) {
    const pre = target.closest?.(CODE);
    if (pre && !("cbaiCopy" in pre.dataset) && !pre.closest(".cbai-panel")) addButton(pre);
  }

  const plugin = {
    id: "cbai-notebook:cells",
    description: "Plain prompts in %%cbai cells, and a Copy button at code in answers.",
    autoStart: true,
    activate(app) {
      const begin = performance.now();
      document.addEventListener("pointerover", onPointer, { passive: true });
      const look = () => {
        for (const widget of app.shell.widgets("main")) {
          widget.context?.ready.then(() => followNotebook(widget.content));
        }
      };
      app.shell.currentChanged?.connect(look);
      app.restored.then(look);
      performance.measure("cbai-notebook:cells", { start: begin, end: performance.now() });
    },
  };

  (window._JUPYTERLAB ??= {})["cbai-notebook"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
