// The conversation above the composer: its buttons, its scrolling and its code blocks.

const NEAR_END_PX = 48;

// Text that has just come is on the screen before its code blocks get their buttons.
const REST_BEFORE_TOOLS_MS = 120;

function attachTranscript({ root, model, jump, announce, edit, write }) {
  const scroller = root.querySelector(".cbai-scroll");
  root.dataset.lang = LANGUAGE;
  root.toggleAttribute("data-plain", !getComputedStyle(root).getPropertyValue("--jp-layout-color1"));
  root.setAttribute("role", "region");
  sayIn(root, { "aria-label": "panel" });
  scroller.setAttribute("role", "log");
  sayIn(scroller, { "aria-label": "transcript" });
  // Text that grows twelve times a second is no news; the composer announces beginning and end.
  scroller.setAttribute("aria-live", "off");
  scroller.tabIndex = 0;
  keepKeysIn(root);

  // The scroller's origin is its end, so 0 is the latest and what is above is negative.
  const atEnd = () => scroller.scrollTop > -NEAR_END_PX;
  const onScroll = () => (jump.hidden = atEnd());
  const toEnd = () => {
    scroller.scrollTop = 0;
    jump.hidden = true;
  };
  scroller.addEventListener("scroll", onScroll, { passive: true });

  const own = {
    copy: (button) => copy(sourceOf(button), button),
    example: (button) => write((button.querySelector(`[data-say=${LANGUAGE}]`) ?? button).textContent),
    edit: (button) => edit(button.dataset.turn, promptOf(button), picturesOf(button)),
  };

  function onClick(event) {
    const button = event.target.closest("button[data-cbai]");
    // An answer's own buttons are made here and have listeners of their own; any other is not ours.
    if (!button || button.closest(".cbai-answer")) return;
    const action = button.dataset.cbai;
    if (model.get("loading") && button.hasAttribute("data-needs-idle")) return;
    if (own[action]) own[action](button);
    else {
      const { turn = null, call = null, model: other = null } = button.dataset;
      model.send({ type: "act", action, turn, call, model: other });
    }
  }
  root.addEventListener("click", onClick);

  // Saving is the one habit that must not meet the browser's own dialogue instead.
  function onKey(event) {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key !== "s") return;
    const notebook = model.widget_manager?.context;
    if (!notebook?.save) return;
    event.preventDefault();
    notebook.save();
  }
  root.addEventListener("keydown", onKey);

  const turnOf = (element) => element.closest(".cbai-turn");
  const sourceOf = (button) => turnOf(button)?.querySelector(".cbai-source")?.textContent ?? "";
  const promptOf = (button) => turnOf(button)?.querySelector(".cbai-prompt")?.textContent ?? "";

  const picturesOf = (button) =>
    [...(turnOf(button)?.querySelectorAll(".cbai-ask .cbai-thumbnail, .cbai-ask .cbai-by-address") ?? [])].map(
      (element) => element.dataset.address ?? element.getAttribute(element.matches("img") ? "src" : "href"),
    );

  async function copy(text, button) {
    const copied = await toClipboard(text);
    announce(say(copied ? "copied" : "not_copied"), true);
    if (!copied || !button) return;
    button.classList.add("cbai-done");
    setTimeout(() => button.classList.remove("cbai-done"), 1600);
  }

  function insert(code, button) {
    if (insertCell(root, model, code)) announce(say("inserted"), true);
    else copy(code, button).then(() => announce(say("inserted_copied"), true));
  }

  function codeTools(pre) {
    const code = () => pre.textContent.replace(/\n$/, "");
    const tool = (label, name, act) =>
      make("button", {
        type: "button",
        className: "cbai-code-button",
        texts: { textContent: label, "aria-label": name, title: name },
        on: { click: (event) => act(code(), event.currentTarget) },
      });
    return make(
      "div",
      { className: "cbai-code-tools", role: "group", texts: { "aria-label": "code" } },
      make("span", { className: "cbai-code-language" }, languageOf(pre)),
      tool("copy_code", "copy_code_long", copy),
      tool("insert_code", "insert_code_long", insert),
    );
  }

  const languageOf = (pre) => /(?:^| )cbai-code-in-(\S+)/.exec(pre.firstElementChild?.className)?.[1] ?? "";

  // Every element is looked at once, when it stays as it is: asking for its width makes the browser lay
  // the whole conversation out.
  const fresh = ".cbai-answer:not(.cbai-open) :is(pre, table):not([data-cbai-seen])";

  function decorate() {
    const settled = [...scroller.querySelectorAll(fresh)];
    const wide = settled.map((element) => element.scrollWidth > element.clientWidth);
    settled.forEach((element, place) => {
      // What scrolls sideways must be within reach of the keyboard.
      if (wide[place]) element.tabIndex = 0;
      if (element.matches("pre") && !element.closest(".cbai-calls") && !("cbaiTools" in element.dataset)) {
        element.dataset.cbaiTools = "";
        element.before(codeTools(element));
      }
      element.dataset.cbaiSeen = "";
    });
  }

  // Calls of one step are painted again together whenever one of them has news. One that the reader has
  // unfolded stays so; it is known by its place, since calls are only ever added.
  const unfolded = new WeakMap();
  const callsOf = (turn) => [...turn.querySelectorAll(".cbai-calls details")];
  function onToggle({ target }) {
    const turn = target.closest(".cbai-calls") && turnOf(target);
    if (!turn) return;
    const places = unfolded.get(turn) ?? new Set();
    unfolded.set(turn, places);
    places[target.open ? "add" : "delete"](callsOf(turn).indexOf(target));
  }
  root.addEventListener("toggle", onToggle, { capture: true });

  function keepUnfolded() {
    for (const turn of scroller.querySelectorAll(".cbai-turn")) {
      const places = unfolded.get(turn);
      if (places?.size) callsOf(turn).forEach((call, place) => (call.open ||= places.has(place)));
    }
  }

  let due = 0;
  function decorateSoon() {
    due ||= setTimeout(() => {
      due = 0;
      decorate();
    }, REST_BEFORE_TOOLS_MS);
  }
  const observer = new MutationObserver(() => {
    keepUnfolded();
    decorateSoon();
  });
  let width = scroller.clientWidth;
  const widths = new ResizeObserver(() => {
    if (scroller.clientWidth === width) return;
    width = scroller.clientWidth;
    for (const seen of scroller.querySelectorAll("[data-cbai-seen]")) delete seen.dataset.cbaiSeen;
    decorateSoon();
  });
  widths.observe(scroller);
  const unfold = foldTranscripts({ root, model });
  observer.observe(scroller, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
  decorate();

  return {
    toEnd,
    prompts: () => [...scroller.querySelectorAll(".cbai-prompt")].map((element) => element.textContent),
    markEditing(turn) {
      for (const marked of root.querySelectorAll(".cbai-being-edited")) marked.classList.remove("cbai-being-edited");
      if (turn) root.querySelector(`[data-cbai="edit"][data-turn="${turn}"]`)?.closest(".cbai-turn")?.classList.add("cbai-being-edited");
    },
    detach() {
      unfold();
      observer.disconnect();
      widths.disconnect();
      clearTimeout(due);
      scroller.removeEventListener("scroll", onScroll);
      root.removeEventListener("click", onClick);
      root.removeEventListener("toggle", onToggle, { capture: true });
      root.removeEventListener("keydown", onKey);
    },
  };
}

// The saved transcript is unfolded for readers without a kernel. Under a panel that is alive it is folded,
// unless the reader has unfolded that part. Its outputs are written again and again, and observers are
// called before the page is painted, so nobody sees one open and close. Notebook 7 measures outputs before
// that, and puts tall ones into a low box that scrolls: until a part is folded, the style keeps it low.
function foldTranscripts({ root, model }) {
  const area = root.closest(".jp-OutputArea, .output_container, .cell") ?? root.parentElement;
  const own = `cbai-of-${model.get("uid")}-`;
  const opened = new Set();
  const slotOf = (part) => [...part.classList].find((name) => name.startsWith(own));
  const style = make("style", {
    textContent: `details[class*="${own}"]:not([data-cbai-folded]) > :not(summary) { display: none; }`,
  });
  root.append(style);

  function fold() {
    for (const part of area.querySelectorAll("details.cbai-transcript:not([data-cbai-folded])")) {
      const slot = slotOf(part);
      if (!slot) continue;
      part.open = opened.has(slot);
      part.dataset.cbaiFolded = "";
    }
  }
  function onToggle({ target }) {
    const slot = target.dataset.cbaiFolded === "" && target.isConnected && slotOf(target);
    if (slot) opened[target.open ? "add" : "delete"](slot);
  }
  const observer = new MutationObserver((changes) => {
    if (!changes.every(({ target }) => root.contains(target))) fold();
  });
  area.addEventListener("toggle", onToggle, { capture: true });
  observer.observe(area, { childList: true, subtree: true });
  fold();
  leaveLowBox(root, model);
  return () => {
    style.remove();
    observer.disconnect();
    area.removeEventListener("toggle", onToggle, { capture: true });
  };
}

// After a reload, Notebook 7 has measured the transcript before there was a panel to fold it. A box that
// the reader has asked for is written in the cell, and stays.
function leaveLowBox(root, model) {
  const box = root.closest(".jp-mod-outputsScrolled");
  const asked = cellsWithParts(model).some(({ cell }) => cell.getMetadata?.("scrolled") !== undefined);
  if (!asked) box?.classList.remove("jp-mod-outputsScrolled");
}

// The cells that show the panel's transcript, each with the places and the HTML of its parts.
function cellsWithParts(model) {
  const panel = `cbai-of-${model.get("uid")}-`;
  const htmlOf = (output) => [output.toJSON().data?.["text/html"] ?? ""].flat().join("");
  const found = [];
  for (const cell of model.widget_manager?.context?.model?.cells ?? []) {
    const parts = [];
    for (let place = 0; place < (cell.outputs?.length ?? 0); place += 1) {
      const html = htmlOf(cell.outputs.get(place));
      if (html.includes(panel)) parts.push({ place, html });
    }
    if (parts.length) found.push({ cell, parts });
  }
  return found;
}

// A part of the plain transcript under the panel, which the notebook's file keeps.
function writeTranscript(model, slot, data) {
  const panel = `cbai-of-${model.get("uid")}-`;
  for (const { cell, parts } of cellsWithParts(model)) {
    const output = { output_type: "display_data", data, metadata: {} };
    const old = parts.find(({ html }) => html.includes(`${panel}${slot}"`));
    if (!old) cell.outputs.add(output);
    // Written again, one that the reader has unfolded would close under their eyes.
    else if (old.html !== data["text/html"]) cell.outputs.set(old.place, output);
  }
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without TLS have no clipboard interface; the old command still works there.
    const area = make("textarea", { value: text, className: "cbai-unseen" });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

function insertCell(root, model, source) {
  const notebook = model.widget_manager?.context?.model?.sharedModel;
  if (!notebook?.insertCell) return false;
  const cell = root.closest(".jp-Cell");
  const index = Number(cell?.dataset.windowedListIndex ?? NaN);
  const place = Number.isInteger(index) ? index + 1 : notebook.cells.length;
  notebook.insertCell(place, { cell_type: "code", source, metadata: {} });
  return true;
}
