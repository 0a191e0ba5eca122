// The conversations: search them, show one, rename it, delete it.

function picker({ id, tell }) {
  let names = [];
  let current = "";

  const name = make("span", { className: "cbai-picked" });
  const opener = make(
    "button",
    {
      type: "button",
      className: "cbai-pick cbai-opener",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      "aria-controls": id,
      on: { click: () => open(popup.hidden) },
    },
    name,
  );
  const search = make("input", {
    type: "search",
    className: "cbai-field",
    autocomplete: "off",
    spellcheck: false,
    texts: { placeholder: "search", "aria-label": "search" },
    on: { input: list },
  });
  const rows = make("div", { className: "cbai-rows", role: "list" });
  const popup = make(
    "div",
    { className: "cbai-menu cbai-picker", id, role: "dialog", hidden: true, texts: { "aria-label": "conversations" } },
    search,
    rows,
  );
  const home = make("div", { className: "cbai-menu-home cbai-picker-home" }, opener, popup);

  function open(wanted, { focus = true } = {}) {
    if (popup.hidden === !wanted) return;
    popup.hidden = !wanted;
    opener.setAttribute("aria-expanded", String(wanted));
    if (wanted) {
      search.value = "";
      list();
      search.focus();
    } else if (focus) opener.focus();
  }

  const found = () => names.filter((each) => each.toLowerCase().includes(search.value.trim().toLowerCase()));

  function list() {
    const shown = found();
    rows.replaceChildren(...shown.map(row));
    if (!shown.length) rows.append(make("div", { className: "cbai-hint", texts: { textContent: "none_found" } }));
  }

  function row(each) {
    const pick = make(
      "button",
      { type: "button", className: "cbai-name", title: each, on: { click: () => choose(each) } },
      each,
    );
    if (each === current) pick.setAttribute("aria-current", "true");
    const line = make("div", { className: "cbai-line", role: "listitem" }, pick);
    line.append(
      iconButton("edit", "rename", () => askName(line, each)),
      iconButton("delete", "delete_conversation", () => askDelete(line, each)),
    );
    return line;
  }

  function choose(each) {
    open(false);
    if (each !== current) tell("pick", { name: each });
  }

  function askName(line, each) {
    const field = make("input", {
      type: "text",
      className: "cbai-field",
      value: each,
      spellcheck: false,
      texts: { "aria-label": "new_name" },
    });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      event.stopPropagation();
      const to = field.value.trim();
      if (event.key === "Enter" && to && to !== each) tell("rename", { name: each, to });
      search.focus();
      list();
    });
    line.replaceChildren(field);
    field.select();
  }

  function askDelete(line, each) {
    const button = (key, act) =>
      make("button", { type: "button", className: "cbai-plain-button", texts: { textContent: key }, on: { click: act } });
    const remove = button("delete_for_good", () => {
      tell("delete", { name: each });
      search.focus();
      list();
    });
    const keep = button("cancel", () => {
      search.focus();
      list();
    });
    line.replaceChildren(make("span", { className: "cbai-name" }, each), remove, keep);
    keep.focus();
  }

  home.addEventListener("focusout", (event) => {
    // A row that is written anew loses the focus to nothing for a moment.
    if (event.relatedTarget && !home.contains(event.relatedTarget)) open(false, { focus: false });
  });
  home.addEventListener("keydown", (event) => {
    if (popup.hidden) return;
    const lines = [...rows.querySelectorAll("button.cbai-name")];
    if (event.key === "Escape") open(false);
    else if (event.key === "Enter" && event.target === search && lines.length) choose(found()[0]);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const place = lines.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (lines[place] ?? search).focus();
    } else return;
    event.preventDefault();
  });
  const onPress = (event) => {
    if (!home.contains(event.target)) open(false, { focus: false });
  };
  document.addEventListener("pointerdown", onPress);

  return {
    home,
    end: () => document.removeEventListener("pointerdown", onPress),
    show(all, shown) {
      [names, current] = [all, shown];
      name.textContent = shown;
      sayIn(opener, { "aria-label": ["conversation_named", { name: shown }] });
      home.hidden = all.length === 0;
      // What the reader is just naming or about to delete stays.
      if (!popup.hidden && !rows.querySelector("input, .cbai-plain-button")) list();
    },
  };
}
