// The line above the conversation: which conversation, which model, and settings under a fold.

function bar({ model, el }) {
  useLanguageOf(model);
  const id = `cbai-${model.get("uid")}`;
  const tell = (type, values = {}) => model.send({ type, ...values });

  const conversations = picker({ id: `${id}-conversations`, tell });
  const suggestions = make("datalist", { id: `${id}-models` });
  const spec = make("input", {
    type: "text",
    className: "cbai-pick cbai-model",
    list: `${id}-models`,
    spellcheck: false,
    autocomplete: "off",
    texts: { title: "model_hint", "aria-label": "model" },
    on: { change: () => tell("options", { model: spec.value.trim() }) },
  });
  const system = make("textarea", {
    id: `${id}-system`,
    className: "cbai-field",
    rows: 2,
    texts: { placeholder: "system_hint" },
    on: { change: () => tell("options", { system: system.value }) },
  });
  const temperature = make("input", {
    id: `${id}-temperature`,
    className: "cbai-field cbai-number",
    type: "number",
    min: 0,
    max: 2,
    step: 0.1,
    texts: { placeholder: "temperature_hint" },
    on: { change: () => tell("options", { temperature: numberIn(temperature) }) },
  });
  const fold = make(
    "div",
    { className: "cbai-settings", id: `${id}-settings`, hidden: true },
    make("label", { for: system.id, texts: { textContent: "system" } }),
    system,
    make("label", { for: temperature.id, texts: { textContent: "temperature" } }),
    temperature,
  );
  const settings = iconButton("settings", "settings", () => {
    fold.hidden = !fold.hidden;
    settings.setAttribute("aria-expanded", String(!fold.hidden));
  });
  settings.setAttribute("aria-expanded", "false");
  settings.setAttribute("aria-controls", fold.id);
  const forms = make("div", { role: "menu", texts: { "aria-label": "export" }, id: `${id}-export` });
  const exported = make("div", { className: "cbai-exported", hidden: true });
  const popup = make("div", { className: "cbai-menu", hidden: true }, forms, exported);
  const exporter = iconButton("export", "export", () => openMenu(popup.hidden));
  exporter.setAttribute("aria-haspopup", "menu");
  exporter.setAttribute("aria-expanded", "false");
  exporter.setAttribute("aria-controls", forms.id);
  const takeAway = (form) => {
    openMenu(false);
    exporter.focus();
    tell("export", { form });
  };
  for (const form of model.get("forms")) {
    const texts = { textContent: `form_${form.replaceAll("-", "_")}` };
    forms.append(make("button", { type: "button", role: "menuitem", texts, on: { click: () => takeAway(form) } }));
  }
  const fresh = iconButton("new", "new_conversation", () => tell("new"));
  const menu = make("div", { className: "cbai-menu-home" }, exporter, popup);

  el.classList.add("cbai-bar");
  el.append(
    make(
      "div",
      { className: "cbai-bar-row" },
      conversations.home,
      fresh,
      make("span", { className: "cbai-gap" }),
      spec,
      suggestions,
      settings,
      menu,
    ),
    fold,
  );

  function openMenu(open) {
    popup.hidden = !open;
    exporter.setAttribute("aria-expanded", String(open));
    if (open) forms.firstChild.focus();
  }
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) openMenu(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (popup.hidden) return;
    if (event.key === "Escape") {
      openMenu(false);
      exporter.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...forms.children];
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });

  function numberIn(field) {
    const text = field.value.trim();
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  }

  const showConversations = () => conversations.show(model.get("conversations"), model.get("conversation"));
  // Each field by itself: the kernel's word on one must not undo what was just typed into another.
  function show(field, name) {
    if (document.activeElement !== field) field.value = model.get(name) ?? "";
  }
  const showModel = () => show(spec, "model");
  const showSystem = () => show(system, "system");
  const showTemperature = () => show(temperature, "temperature");
  function showOffers() {
    spec.placeholder = model.get("default_model");
    suggestions.replaceChildren(...model.get("models").map((value) => make("option", { value })));
  }
  const onMessage = (message, [data]) => {
    if (message.type !== "download") return;
    download(message.name, message.mime, data);
    const values = { name: message.name };
    sayIn(exported, { textContent: ["downloaded", values], title: ["exported", values] });
    exported.hidden = false;
  };
  function changeLanguage() {
    useLanguageOf(model);
    sayAgain(el);
  }
  const watched = [
    ["change:conversations change:conversation", showConversations],
    ["change:model", showModel],
    ["change:system", showSystem],
    ["change:temperature", showTemperature],
    ["change:default_model change:models", showOffers],
    ["change:language", changeLanguage],
    ["msg:custom", onMessage],
  ];
  for (const [names, listener] of watched) for (const name of names.split(" ")) model.on(name, listener);
  for (const [, listener] of watched) if (listener !== onMessage) listener();
  return () => {
    conversations.end();
    for (const [names, listener] of watched) for (const name of names.split(" ")) model.off(name, listener);
  };
}

export default { render: bar };
