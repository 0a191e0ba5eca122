// Runs the scripts of an exported web page with stand-ins for the document and the CloudBase Web SDK.
//
// Standard input:  {"prompt", "script", "base", "key", "sdk", "steps": [[name, argument], ...]}; with
//                  `sdk`, where the official AI SDK is, models are the SDK's own
// Standard output: {"messages", "title", "inits", "signIns", "providers", "loading", "broken"}

const vm = require("node:vm");

class Element {
  constructor(tag) {
    Object.assign(this, { tag, className: "", children: [], parent: null, listeners: {}, value: "" });
    Object.assign(this, { text: "", scrollHeight: 0, scrollTop: 0, clientHeight: 0, disabled: false });
  }

  get textContent() {
    return this.text + this.children.map((child) => child.textContent).join("");
  }

  set textContent(text) {
    this.text = String(text);
    this.children = [];
  }

  set innerHTML(_) {
    throw new Error("text was read as HTML");
  }

  append(child) {
    child.parent = this;
    this.children.push(child);
  }

  remove() {
    this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  replaceChildren() {
    this.textContent = "";
  }

  scrollIntoView() {}

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  fire(name, event = {}) {
    return this.listeners[name]({ preventDefault() {}, ...event });
  }
}

async function* textStream(response) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "[DONE]";
      if (data === "[DONE]") continue;
      const text = JSON.parse(data).choices?.[0]?.delta?.content;
      if (text) yield text;
    }
  }
}

async function officialAI({ base, key, sdk }) {
  const { default: ai } = await import(sdk);
  return ai.createAI({
    baseUrl: base,
    getAccessToken: async () => ({ accessToken: key }),
    i18n: { t: (text) => text, lang: "en", LANG_HEADER_KEY: "Accept-Language" },
    req: {
      async fetch({ url, method, headers, body, stream }) {
        const response = await fetch(url, { method, headers, body });
        return {
          data: stream ? response.body : response.json(),
          statusCode: response.status,
          header: response.headers,
        };
      },
    },
  });
}

function sdk({ base, key }, seen, official) {
  const createModel = (provider) => {
    seen.providers.push(provider);
    return {
      async streamText(input) {
        const response = await fetch(`${base}/ai/${provider}/chat/completions`, {
          method: "POST",
          headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
          body: JSON.stringify({ ...input, stream: true }),
        });
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        return { textStream: textStream(response) };
      },
    };
  };
  return {
    init(options) {
      seen.inits.push(options);
      return {
        auth: () => ({ signInAnonymously: async () => void (seen.signIns += 1) }),
        ai: () => official ?? { createModel },
      };
    },
  };
}

async function main() {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  const input = JSON.parse(text);
  const seen = { inits: [], signIns: 0, providers: [] };
  const elements = {};
  const document = {
    getElementById: (id) => (elements[id] ??= new Element(id)),
    createElement: (tag) => new Element(tag),
  };
  document.getElementById("prompt").textContent = input.prompt;
  const page = vm.createContext({
    document, cloudbase: sdk(input, seen, input.sdk && (await officialAI(input))), setTimeout, clearTimeout, console: { error() {} },
  });
  vm.runInContext(input.script, page);
  const settled = async () => {
    do await new Promise((done) => setTimeout(done, 10));
    while (elements.send?.disabled);
  };
  const messages = () => elements.messages?.children ?? [];
  const actions = {
    type: (value) => void (document.getElementById("input").value = value),
    enter: (event) => elements.input.fire("keydown", { key: "Enter", ...event }),
    submit: () => elements.composer.fire("submit"),
    clear: () => elements.clear.fire("click"),
    retry: () => messages().at(-1).children[0].fire("click"),
    settle: settled,
  };
  for (const [name, argument] of input.steps) await actions[name](argument);
  const output = {
    ...seen,
    title: elements.title.textContent,
    typed: elements.input.value,
    messages: messages().map((one) => [one.className, one.textContent]),
    loading: Boolean(elements.send?.disabled),
    broken: vm.runInContext("globalThis.broken ?? null", page),
  };
  process.stdout.write(JSON.stringify(output), () => process.exit(0));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1));
});
