// Words for people, and the few helpers that every part of the panel uses.
//
// `WORDS` holds the texts of the panel by language and key; Python writes it above this file.

let LANGUAGE = "en";

// The language that the user has set, or else that of the browser.
function useLanguageOf(model) {
  LANGUAGE = model.get("language") || (/^zh\b/i.test(navigator.language || "") ? "zh" : "en");
}

// A text with its values in place of the names in braces.
const say = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), WORDS[LANGUAGE][key]);

// The texts of an element: the key of each by the name of its property or attribute, or a pair of the key and the
// values. They are kept, to be said again in another language.
const SAID = new WeakMap();

function sayIn(element, texts) {
  SAID.set(element, { ...SAID.get(element), ...texts });
  for (const [name, text] of Object.entries(texts)) put(element, name, say(...[text].flat()));
}

function sayAgain(root) {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    const texts = SAID.get(element);
    if (texts) sayIn(element, texts);
  }
}

function put(element, name, value) {
  if (name.includes("-") || name === "role" || name === "for" || name === "list") {
    element.setAttribute(name, value);
  } else {
    element[name] = value;
  }
}

// Text only ever becomes a text node, so nothing that a model wrote can become markup.
function make(tag, { on = {}, data = {}, texts = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) put(element, name, value);
  sayIn(element, texts);
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children);
  return element;
}

function iconButton(icon, key, onClick) {
  return make(
    "button",
    { type: "button", className: `cbai-icon-button cbai-icon-${icon}`, on: { click: onClick } },
    make("span", { className: "cbai-tip", texts: { textContent: key } }),
  );
}

// Notebook 7 listens on the document while an event comes down. It looks for shortcuts from the focused
// element upwards, and only as far as this attribute, so whatever gets the focus must bear it itself.
// Others listen while the event goes up, so it goes no further than here.
function keepKeysIn(element) {
  const suppress = (node) => node.setAttribute("data-lm-suppress-shortcuts", "true");
  suppress(element);
  element.addEventListener("focusin", (event) => suppress(event.target));
  for (const kind of ["keydown", "keyup", "keypress", "paste", "copy", "cut"]) {
    element.addEventListener(kind, (event) => event.stopPropagation());
  }
}

function download(name, type, data) {
  const address = URL.createObjectURL(new Blob([data], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
