// Makes calls with the official JavaScript SDK and prints what came back.
//
// Standard input:  {"baseUrl", "apiKey", "calls": [{"provider", "method", "input"}, ...]}
// Standard output: one JSON list, {"texts", "text", "usage", "messages"} or {"error"} for each call.
// A method "bot.NAME" is one of the agents', and gives {"text", "data"} of a stream or {"value"};
// "generateImage" gives {"value"}.

import process from "node:process";
import ai from "@cloudbase/ai";

// A call that never settles is one of the SDK's faults; the list must end all the same.
const PATIENCE_MS = 60_000;

// What the SDK takes from its platform: a way to fetch, and a language.
const platform = {
  async fetch({ url, method, headers, body, stream }) {
    const response = await fetch(url, { method, headers, body });
    return {
      data: stream ? response.body : response.json(),
      statusCode: response.status,
      header: response.headers,
    };
  },
};
const i18n = { t: (text) => text, lang: "en", LANG_HEADER_KEY: "Accept-Language" };

async function generateText(model, input) {
  const { text, usage, messages } = await model.generateText(input);
  return { text, usage, messages, texts: [] };
}

async function streamText(model, input) {
  const answer = await model.streamText(input);
  const texts = [];
  for await (const text of answer.textStream) texts.push(text);
  const [usage, messages] = await Promise.all([answer.usage, answer.messages]);
  return { text: texts.join(""), texts, usage, messages };
}

async function ofBot(result) {
  if (!result?.dataStream) return { value: result };
  const data = [];
  for await (const one of result.dataStream) data.push(one);
  return { data, text: data.map((one) => one.content ?? "").join("") };
}

async function made(sdk, { provider, method, input }) {
  if (method.startsWith("bot.")) return ofBot(await sdk.bot[method.slice(4)](input));
  if (method === "generateImage") {
    return { value: await sdk.createImageModel(provider).generateImage(input) };
  }
  const model = sdk.createModel(provider);
  return method === "streamText" ? streamText(model, input) : generateText(model, input);
}

function patiently(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("never settled")), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function main() {
  // The SDK reports events that it cannot read on the console; standard output is for the answers.
  console.warn = console.log = (...words) => process.stderr.write(`${words.join(" ")}\n`);
  // And it leaves promises behind that nobody can wait for.
  process.on("unhandledRejection", (reason) => process.stderr.write(`unhandled: ${reason}\n`));
  let request = "";
  for await (const piece of process.stdin) request += piece;
  const { baseUrl, apiKey, calls } = JSON.parse(request);
  const sdk = ai.createAI({
    baseUrl,
    req: platform,
    getAccessToken: async () => ({ accessToken: apiKey }),
    i18n,
  });
  const answers = [];
  for (const call of calls) {
    answers.push(await patiently(made(sdk, call)).catch((error) => ({ error: String(error) })));
  }
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}

await main();
