const prompt = require("../../prompt.js");

// Tokens arrive faster than a page can be drawn.
const PAINT_EVERY_MS = 100;
// What goes along with a prompt, and what stays on the page.
const HISTORY_TURNS = 20;
const SHOWN_TURNS = 100;

Page({
  data: {
    title: prompt.title,
    labels: prompt.labels,
    // Alternating: each user's message is followed by the assistant's, { role, content, failed }.
    messages: [],
    inputValue: "",
    isLoading: false,
    scrollTo: "",
  },

  onLoad() {
    this.run = 0;
  },

  onUnload() {
    // Whatever is still on its way belongs to a page that is gone.
    this.run += 1;
  },

  onInput(event) {
    this.setData({ inputValue: event.detail.value });
  },

  async sendMessage() {
    const content = this.data.inputValue;
    if (!content.trim() || this.data.isLoading) return;
    this.setData({ inputValue: "" });
    await this.ask(this.data.messages, content);
  },

  async retry() {
    const { messages, isLoading } = this.data;
    if (messages.length < 2 || isLoading) return;
    await this.ask(messages.slice(0, -2), messages[messages.length - 2].content);
  },

  clear() {
    this.run += 1;
    this.setData({ messages: [], isLoading: false, scrollTo: "" });
  },

  async ask(past, content) {
    const run = ++this.run;
    const kept = past.slice(-2 * (SHOWN_TURNS - 1));
    const answerAt = kept.length + 1;
    this.setData({
      messages: [
        ...kept,
        { role: "user", content, failed: false },
        { role: "assistant", content: "", failed: false },
      ],
      isLoading: true,
    });
    const answer = this.painter(run, answerAt);
    answer.paint();
    try {
      const model = wx.cloud.extend.AI.createModel(prompt.provider);
      const res = await model.streamText({
        data: {
          ...prompt.params,
          ...(prompt.model ? { model: prompt.model } : {}),
          messages: this.toSend(kept, content),
        },
      });
      for await (const text of res.textStream) {
        if (run !== this.run) return;
        answer.add(text);
      }
      if (!answer.text) throw new Error("The answer is empty.");
    } catch (error) {
      console.error("Call failed:", error);
      if (run !== this.run) return;
      this.setData({ [`messages[${answerAt}].failed`]: true });
      wx.showToast({ title: prompt.labels.toast, icon: "error" });
    } finally {
      answer.close();
      // After clear() or a newer prompt, loading is no longer this one's to end.
      if (run === this.run) this.setData({ isLoading: false });
    }
  },

  // The system prompt, the examples, the newest answered turns, and the prompt itself. A text for a
  // template is asked alone.
  toSend(past, content) {
    const system = prompt.system ? [{ role: "system", content: prompt.system }] : [];
    if (prompt.template) {
      const [before, after] = prompt.template;
      return [...system, { role: "user", content: before + content + after }];
    }
    const turns = [];
    for (let at = 0; at + 1 < past.length; at += 2) {
      const answer = past[at + 1];
      if (answer.content && !answer.failed) turns.push([past[at], answer]);
    }
    const history = turns.slice(-HISTORY_TURNS).reduce((all, turn) => all.concat(turn), []);
    return [...system, ...prompt.examples, ...history, { role: "user", content }].map(
      ({ role, content }) => ({ role, content }),
    );
  },

  // Collects an answer and draws it at a bounded rate. Only the one message that changes is sent to
  // the view, never the whole list.
  painter(run, at) {
    const page = this;
    let timer = null;
    let flip = false;
    return {
      text: "",

      add(text) {
        this.text += text;
        if (timer === null) timer = setTimeout(() => this.paint(), PAINT_EVERY_MS);
      },

      paint() {
        clearTimeout(timer);
        timer = null;
        if (run !== page.run) return;
        // The view scrolls when the id changes, so two marks at the end take turns.
        flip = !flip;
        page.setData({
          [`messages[${at}].content`]: this.text,
          scrollTo: flip ? "end-1" : "end-2",
        });
      },

      close() {
        if (timer !== null) this.paint();
      },
    };
  },
});
