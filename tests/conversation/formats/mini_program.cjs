// Runs an exported Mini Program with a stand-in for WeChat's `wx`, which sends over HTTP.
//
// Standard input:  {"folder", "base", "key", "steps": [[name, argument], ...], "without": ["AI"]}
// Standard output: {"data", "sets", "toasts", "modals", "inits", "providers", "broken"}

const path = require("node:path");

const copy = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

async function* textStream(response) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (!event.choices) throw new Error(`broken off: ${data}`);
      const text = event.choices[0]?.delta?.content;
      if (text) yield text;
    }
  }
}

function standIn({ base, key, without = [] }, seen) {
  const AI = {
    createModel(provider) {
      seen.providers.push(provider);
      return {
        async streamText(input) {
          const keys = Object.keys(input);
          if (keys.join() !== "data") throw new Error(`streamText takes data, not ${keys}`);
          const response = await fetch(`${base}/ai/${provider}/chat/completions`, {
            method: "POST",
            headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
            body: JSON.stringify({ ...input.data, stream: true }),
          });
          if (!response.ok) throw new Error(`HTTP ${response.status}`);
          return { textStream: textStream(response) };
        },
      };
    },
  };
  return {
    cloud: {
      init: (options) => seen.inits.push(options),
      extend: without.includes("AI") ? {} : { AI },
    },
    showToast: (options) => seen.toasts.push(options),
    showModal: (options) => seen.modals.push(options),
  };
}

function setAt(data, place, value) {
  const keys = place.match(/[^.[\]]+/g);
  const last = keys.pop();
  let at = data;
  for (const key of keys) {
    if (at[key] === undefined) throw new Error(`setData: ${place} is not there`);
    at = at[key];
  }
  at[last] = copy(value);
}

async function main() {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  const input = JSON.parse(text);
  const seen = { sets: [], toasts: [], modals: [], inits: [], providers: [] };
  console.error = () => {};
  globalThis.wx = standIn(input, seen);
  globalThis.App = (app) => app.onLaunch();
  let page;
  globalThis.Page = (options) => {
    page = { ...options, data: copy(options.data) };
    page.setData = (changes) => {
      seen.sets.push(copy(changes));
      for (const [place, value] of Object.entries(changes)) setAt(page.data, place, value);
    };
  };
  require(path.join(input.folder, "app.js"));
  require(path.join(input.folder, "pages/chat/chat.js"));
  page.onLoad({});

  const open = [];
  const actions = {
    type: (value) => page.onInput({ detail: { value } }),
    send: () => page.sendMessage(),
    // As a second tap does: without waiting for what the first one began.
    tap: (name) => void open.push(page[name]()),
    retry: () => page.retry(),
    clear: () => page.clear(),
    unload: () => page.onUnload(),
    until: async (what) => {
      const last = () => page.data.messages.at(-1);
      while (!last()?.content.includes(what)) await new Promise((done) => setTimeout(done, 10));
    },
    settle: () => Promise.all(open.splice(0)),
    forgetSets: () => void seen.sets.splice(0),
  };
  for (const [name, argument] of input.steps) await actions[name](argument);
  await Promise.all(open);
  const output = { ...seen, data: page.data, broken: globalThis.broken ?? null };
  process.stdout.write(JSON.stringify(output), () => process.exit(0));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1));
});
