// Where the reader writes. The text box is the only holder of the draft while it is on screen: the kernel
// is told of it, and never writes into it but when a program asks for that.

const REST_MS = 300;
const PATIENCE_MS = 600;
const TOAST_MS = 2200;
const LONG_TOAST_MS = 4000;

function composer({ model, el }) {
  useLanguageOf(model);
  const kept = `cbai-draft-${model.get("uid")}`;
  let sent = 0;
  let pending = null;
  let patience = 0;
  let editing = null;
  let recalled = -1;
  let restTimer = 0;

  const area = make("textarea", {
    className: "cbai-area",
    rows: 1,
    texts: { placeholder: "placeholder", "aria-label": "message" },
    "aria-describedby": `${kept}-hint`,
    spellcheck: true,
  });
  const go = iconButton("send", "send", () => (model.get("loading") ? stop() : send()));
  const chooser = make("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/gif,image/webp",
    multiple: true,
    hidden: true,
    on: { change: takeChosen },
  });
  const attach = iconButton("attach", "attach", () => chooser.click());
  const undo = iconButton("undo", "undo", () => model.send({ type: "act", action: "undo" }));
  undo.dataset.needsIdle = "";
  const hint = make("span", { className: "cbai-hint", id: `${kept}-hint` });
  const totals = make("span", { className: "cbai-totals", texts: { title: "totals" } });
  const banner = make(
    "div",
    { className: "cbai-editing", hidden: true },
    make("span", { texts: { textContent: "editing" } }),
    make("button", {
      type: "button",
      className: "cbai-quiet",
      texts: { textContent: "cancel" },
      on: { click: leaveEditing },
    }),
  );
  const ghost = make("div", { className: "cbai-pending", hidden: true });
  const status = make("div", { className: "cbai-unseen", role: "status", "aria-live": "polite" });
  const toast = make("div", { className: "cbai-toast", hidden: true, "aria-hidden": "true" });
  const jump = make("button", {
    type: "button",
    className: "cbai-jump",
    hidden: true,
    texts: { textContent: "latest" },
    on: { click: () => transcript?.toEnd() },
  });
  const chips = make("div", {
    className: "cbai-chips",
    role: "group",
    texts: { "aria-label": "suggestions" },
    hidden: true,
  });
  const box = make("div", { className: "cbai-box" });
  const attached = pictures({ area, box, announce, changed: () => grow() });
  box.append(
    attached.row,
    area,
    make("div", { className: "cbai-row" }, attach, chooser, undo, hint, totals, go),
  );
  el.classList.add("cbai-composer");
  el.append(jump, toast, ghost, chips, banner, box, status);

  async function takeChosen() {
    await attached.take([...chooser.files]);
    chooser.value = ""; // so that the same file can be chosen again
    area.focus();
  }

  function announce(text, visibly = false) {
    status.textContent = "";
    status.textContent = text;
    if (!visibly) return;
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(endToast, text.length > 30 ? LONG_TOAST_MS : TOAST_MS);
  }

  // It covers the end of the conversation, so whatever the reader does next ends it.
  function endToast() {
    toast.hidden = true;
  }

  const isEmpty = () => !area.value.trim() && !attached.all().length;

  function grow() {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    showIdle();
  }

  function showIdle() {
    go.classList.toggle("cbai-idle", !model.get("loading") && isEmpty());
  }

  function keep(now = false) {
    try {
      sessionStorage.setItem(kept, area.value);
    } catch {
      // Storage may be forbidden; the kernel still keeps the draft.
    }
    clearTimeout(restTimer);
    restTimer = setTimeout(tell, now ? 0 : REST_MS);
  }

  function tell() {
    model.set("draft", area.value);
    model.save_changes();
  }

  function write(text) {
    area.value = text;
    grow();
    keep();
    area.setSelectionRange(text.length, text.length);
  }

  function begin(text) {
    write(text);
    area.focus();
  }

  function send() {
    if (isEmpty() || model.get("loading") || pending) return;
    const text = area.value;
    const images = attached.all();
    pending = { id: `${model.get("uid")}-${Date.now()}-${++sent}`, text };
    model.send({ type: "send", id: pending.id, text, images, branch_of: editing?.turn ?? null });
    attached.put([]);
    patience = setTimeout(showPending, PATIENCE_MS);
    leaveEditing({ quietly: true });
    recalled = -1;
    write("");
    transcript?.toEnd();
  }

  function showPending() {
    ghost.replaceChildren(
      make("div", { className: "cbai-pending-text" }, pending.text),
      make("div", { className: "cbai-pending-why", texts: { textContent: "pending" } }),
    );
    ghost.hidden = false;
  }

  function settle({ id }) {
    if (!pending || pending.id !== id) return;
    clearTimeout(patience);
    ghost.hidden = true;
    pending = null;
  }

  // What was typed meanwhile is no less the reader's than what comes back.
  function takeBack({ id, text, images, turn }) {
    // A number belongs to the place that sent it; a prompt that failed later on has none.
    if (id && pending?.id !== id) return;
    settle({ id });
    if (turn && !editing && !model.get("loading")) return edit(turn, text, images);
    write([text, area.value].filter((one) => one.trim()).join("\n\n"));
    attached.put([...images, ...attached.all()]);
  }

  // The text in the box was not sent yet and is nowhere else, so it is neither changed nor replaced.
  function undone({ text, images }) {
    if (!isEmpty() || editing) return announce(say("undone_beside_draft"), true);
    write(text);
    attached.put(images);
    announce(say("undone"));
  }

  function stop() {
    model.send({ type: "stop" });
  }

  function edit(turn, text, images) {
    if (model.get("loading")) return;
    editing = { turn, draft: editing?.draft ?? area.value, pictures: editing?.pictures ?? attached.all() };
    banner.hidden = false;
    write(text);
    attached.put(images);
    area.focus();
    transcript?.markEditing(turn);
  }

  function leaveEditing({ quietly = false } = {}) {
    if (!editing) return;
    const { draft, pictures } = editing;
    editing = null;
    banner.hidden = true;
    transcript?.markEditing(null);
    if (quietly) {
      // The draft that was set aside comes back once the edited message has left.
      queueMicrotask(() => {
        if (area.value || attached.all().length) return;
        write(draft);
        attached.put(pictures);
      });
      return;
    }
    write(draft);
    attached.put(pictures);
    area.focus();
  }

  // The newest prompts first, each once.
  const past = () => [...new Set(transcript?.prompts().reverse())];

  function recall() {
    const prompts = past();
    if (recalled + 1 >= prompts.length) return false;
    recalled += 1;
    write(prompts[recalled]);
    return true;
  }

  area.addEventListener("keydown", (event) => {
    // 229 is what Safari gives for the Enter that ends a composition, after the composition has ended.
    if (event.isComposing || event.keyCode === 229) return;
    const bare = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && bare) {
      event.preventDefault();
      if (model.get("loading")) stop();
      else leaveEditing();
    } else if (event.key === "ArrowUp" && bare) {
      const untouched = recalled >= 0 && area.value === past()[recalled];
      if ((!area.value || untouched) && recall()) event.preventDefault();
    }
  });
  area.addEventListener("input", () => {
    grow();
    keep();
  });
  area.addEventListener("blur", () => keep(true));
  box.addEventListener("mousedown", (event) => {
    if (event.target === area || event.target.closest("button")) return;
    event.preventDefault();
    area.focus();
  });

  function showLoading() {
    const loading = model.get("loading");
    go.classList.toggle("cbai-icon-send", !loading);
    go.classList.toggle("cbai-icon-stop", loading);
    sayIn(go.lastChild, { textContent: loading ? "stop" : "send" });
    sayIn(hint, { textContent: loading ? "hint_loading" : "hint" });
    root?.toggleAttribute("data-loading", loading);
    showIdle();
  }

  function changeLanguage() {
    useLanguageOf(model);
    if (root) root.dataset.lang = LANGUAGE;
    sayAgain(root ?? el);
    announce(""); // what was announced is over
    showTotals();
  }

  function showTotals() {
    const [tokens, seconds] = [model.get("tokens"), model.get("seconds")];
    const parts = [tokens && say("tokens", { n: tokens.toLocaleString() }), seconds && say("seconds", { n: seconds.toFixed(1) })];
    totals.textContent = parts.filter(Boolean).join(" · ");
  }

  function showChips() {
    const questions = model.get("suggestions");
    const ask = (question) => {
      write(question);
      send();
      area.focus();
    };
    chips.replaceChildren(
      ...questions.map((question) =>
        make("button", { type: "button", className: "cbai-chip", on: { click: () => ask(question) } }, question),
      ),
    );
    chips.hidden = !questions.length;
  }

  const handle = {
    sent: settle,
    refused: takeBack,
    undone,
    fill: ({ text }) => write(text),
    focus: () => area.focus(),
    announce: ({ what, values }) => announce(say(what, values), Object.keys(values).length > 0),
    transcript: ({ slot, data }) => writeTranscript(model, slot, data),
  };
  const onMessage = (message) => handle[message.type]?.(message);
  model.on("msg:custom", onMessage);
  model.on("change:loading", showLoading);
  model.on("change:tokens", showTotals);
  model.on("change:seconds", showTotals);
  model.on("change:suggestions", showChips);
  model.on("change:language", changeLanguage);

  let root = null;
  let transcript = null;
  let waiting = requestAnimationFrame(function look() {
    root = el.closest(".cbai-panel");
    if (!root || !el.isConnected) {
      waiting = requestAnimationFrame(look);
      return;
    }
    for (const kind of ["pointerdown", "keydown"]) root.addEventListener(kind, endToast);
    transcript = attachTranscript({ root, model, jump, announce, edit, write: begin });
    model.send({ type: "shown", language: navigator.language || "" });
    showLoading();
  });

  const widths = new ResizeObserver(grow);
  widths.observe(el);
  let draft = null;
  try {
    draft = sessionStorage.getItem(kept);
  } catch {
    draft = null;
  }
  area.value = draft ?? model.get("draft");
  grow();
  showLoading();
  showTotals();
  showChips();

  return () => {
    cancelAnimationFrame(waiting);
    clearTimeout(patience);
    clearTimeout(restTimer);
    if (area.value !== model.get("draft")) tell();
    widths.disconnect();
    model.off("msg:custom", onMessage);
    model.off("change:loading", showLoading);
    model.off("change:tokens", showTotals);
    model.off("change:seconds", showTotals);
    model.off("change:suggestions", showChips);
    model.off("change:language", changeLanguage);
    for (const kind of ["pointerdown", "keydown"]) root?.removeEventListener(kind, endToast);
    transcript?.detach();
  };
}

// A panel may be on screen several times. Once its last place is gone while its notebook is still open, the
// output was deleted: the kernel is told, so that nothing goes on for nobody.
const GONE_MS = 1500;
const places = { count: 0, notebook: null };

export default {
  render(context) {
    places.count += 1;
    const end = composer(context);
    requestAnimationFrame(() => {
      places.notebook = context.el.closest(".jp-Notebook") ?? places.notebook;
    });
    return () => {
      end();
      places.count -= 1;
      setTimeout(() => {
        if (!places.count && places.notebook?.isConnected) context.model.send({ type: "gone" });
      }, GONE_MS);
    };
  },
};
